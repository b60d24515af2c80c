//! The writer: order, reference counts, XML data, identity, and what it refuses.

mod wim_support;

use std::collections::BTreeMap;
use std::rc::Rc;

use mediabuild_formats::layout::Layout;
use mediabuild_formats::wim::{
    Compression, Dentry, Detail, Element, FileSpec, FileTime, Image, Name, NamedStream, Options,
    OutputImage, Reparse, Resource, Sha1, Xml, XmlNode, attribute, dump, write, write_with_root,
};
use wim_support::{Bytes, Opened, open, plain_options, write_all, write_raw};

const TIME: FileTime = FileTime(133_000_000_000_000_000);

struct Contents(BTreeMap<Sha1, Bytes>);

impl Contents {
    fn new() -> Contents {
        Contents(BTreeMap::new())
    }

    fn add(&mut self, text: &str) -> Sha1 {
        let content: Bytes = Rc::new(text.as_bytes().to_vec());
        let sha1 = Sha1::of(&content);
        self.0.insert(sha1, content);
        sha1
    }
}

fn sample() -> (Image, Contents) {
    let mut contents = Contents::new();
    let mut image = Image::new(TIME);
    image.security = vec![vec![1, 2, 3], vec![4; 16]];
    image.root.security_id = 1;
    let shared = contents.add("shared");
    for path in ["b/second.txt", "B/First.txt", "a.txt"] {
        image.insert_file(path, FileSpec::new(shared, TIME)).expect("a new file");
    }
    let other = contents.add("something longer");
    image.insert_file("empty", FileSpec::new(Sha1::EMPTY, TIME)).expect("a new file");
    image.insert_file("z/link1", FileSpec::new(other, TIME)).expect("a new file");
    image.insert_file("z/link2", FileSpec::new(other, TIME)).expect("a new file");
    for path in ["z/link1", "z/link2"] {
        image.lookup_mut(path).expect("a link").hard_link = 77;
    }
    image.lookup_mut("a.txt").expect("a file").hard_link = 78;
    image.make_folder("nothing inside", TIME).expect("a new folder");
    let stream = NamedStream { name: Name::from("zone"), reserved: 5, sha1: contents.add("ads") };
    image.lookup_mut("b/second.txt").expect("a file").streams.push(stream);
    let reparse = Reparse { tag: 0xa000_0003, reserved: 0, flags: 1, sha1: contents.add("target") };
    let mut junction = Dentry::folder(Name::from("junction"), TIME);
    junction.attributes |= attribute::REPARSE_POINT;
    junction.reparse = Some(reparse);
    image.root.children.push(junction);
    (image, contents)
}

fn sample_file() -> Opened {
    let (image, contents) = sample();
    open(write_raw(&[&image, &image], &contents.0))
}

#[test]
fn a_whole_file_looks_like_this() {
    let opened = sample_file();
    insta::assert_snapshot!(dump(&opened.wim, &opened.bytes, Detail::Files));
}

/// Any change of these bytes must come with a new version of the builders that write them.
#[test]
fn the_bytes_of_a_whole_file_are_pinned() {
    let digest = Sha1::of(&sample_file().bytes).to_string();
    insta::assert_snapshot!(digest, @"942756f2f0e381c69234faeb1eeedc4812409fee");
}

#[test]
fn references_are_counted_over_all_images_and_links() {
    let opened = sample_file();
    let count =
        |text: &str| opened.wim.blob(&Sha1::of(text.as_bytes())).expect("a blob").reference_count;
    assert_eq!(["shared", "something longer", "ads"].map(count), [6, 4, 2]);
    let image = opened.wim.xml.image(1).expect("an image");
    let texts = ["DIRCOUNT", "FILECOUNT", "TOTALBYTES", "HARDLINKBYTES"].map(|n| image.text(n));
    let sizes = 6 * 3 + 16 * 2 + 3 + 6;
    let expected = ["4", "7", &sizes.to_string(), "16"].map(|text| Some(text.to_owned()));
    assert_eq!(texts, expected);
}

#[test]
fn xml_elements_of_the_caller_are_kept() {
    let mut xml = Element::new("IMAGE");
    xml.set_attribute("INDEX", "7");
    xml.set_text("NAME", "Windows & <friends>");
    xml.set_text("TOTALBYTES", "wrong");
    xml.set_text("WINDOWS/EDITIONID", "Enterprise");
    xml.set_text("UNKNOWN/DEEPER", "kept");
    xml.set_time("CREATIONTIME", TIME);
    let image = Image::new(TIME);
    let output = OutputImage { image: &image, xml };
    let (bytes, _) = write_all(&[output], &plain_options(), |_| None);
    let opened = open(bytes);
    assert_eq!(
        opened.wim.xml.to_text(),
        "<WIM><TOTALBYTES>386</TOTALBYTES><IMAGE INDEX=\"1\"><DIRCOUNT>1</DIRCOUNT>\
         <FILECOUNT>0</FILECOUNT><HARDLINKBYTES>0</HARDLINKBYTES><NAME>Windows &amp; &lt;friends&gt;</NAME>\
         <TOTALBYTES>0</TOTALBYTES><WINDOWS><EDITIONID>Enterprise</EDITIONID></WINDOWS>\
         <UNKNOWN><DEEPER>kept</DEEPER></UNKNOWN><CREATIONTIME><HIGHPART>0x01D882CB</HIGHPART>\
         <LOWPART>0x9B208000</LOWPART></CREATIONTIME></IMAGE></WIM>"
    );
    let image = opened.wim.xml.image(1).expect("an image");
    assert_eq!(image.time("CREATIONTIME"), Some(TIME));
    assert_eq!(opened.wim.header.xml.offset_bytes, 386);
}

#[test]
fn the_guid_follows_the_content() {
    let first = sample_file().wim.header.guid;
    let (mut image, mut contents) = sample();
    let changed = contents.add("changed");
    image.insert_file("a.txt", FileSpec::new(changed, TIME)).expect("a file");
    assert_ne!(open(write_raw(&[&image, &image], &contents.0)).wim.header.guid, first);
    assert_eq!(sample_file().wim.header.guid, first);
}

#[test]
fn the_boot_image_is_in_the_header() {
    let (image, contents) = sample();
    let outputs = [1, 2].map(|_| OutputImage { image: &image, xml: Element::default() });
    let options = Options { boot_index: 2, rp_fix: false, ..plain_options() };
    let resolve = |sha1: &Sha1| {
        let content = contents.0.get(sha1)?.clone();
        let size_bytes = content.len() as u64;
        Some(Resource::Raw { content, size_bytes })
    };
    let opened = open(write_all(&outputs, &options, resolve).0);
    let header = &opened.wim.header;
    assert_eq!((header.boot_index, header.flags, header.chunk_bytes), (2, 0, 0));
    assert_eq!(header.boot_metadata, opened.wim.images[1].resource);
}

/// The refusal of an output.
fn refusal(image: &Image, options: &Options, resource: Option<Resource<Bytes>>) -> String {
    let outputs = [OutputImage { image, xml: Element::default() }];
    let mut layout: Layout<Bytes> = Layout::default();
    let result = write(&outputs, options, &mut |_| resource.clone(), &mut layout);
    result.expect_err("a refusal").to_string()
}

#[test]
fn outputs_that_windows_would_refuse_are_errors() {
    let sha1 = Sha1::of(b"x");
    let mut image = Image::new(TIME);
    image.insert_file("folder/file", FileSpec::new(sha1, TIME)).expect("a new file");
    let content: Bytes = Rc::new(vec![0; 9]);
    let plain = plain_options();
    let lzx = Options { compression: Compression::Lzx, chunk_bytes: 32768, ..plain };
    assert_eq!(
        refusal(&image, &plain, None),
        format!("`folder/file`: no content with SHA-1 {sha1}")
    );
    let stored = |stored_bytes, size_bytes| {
        Some(Resource::Stored { content: content.clone(), stored_bytes, size_bytes })
    };
    assert!(
        refusal(&image, &plain, stored(9, 20)).contains("is compressed, but the output is not")
    );
    for (stored_bytes, size_bytes) in [(10, 9), (32769, 32769), (65540, 65536)] {
        let error = refusal(&image, &lzx, stored(stored_bytes, size_bytes));
        assert!(error.contains("is not smaller than its content"), "{error}");
    }
    assert!(refusal(&image, &plain, stored(9, 9)).contains("is compressed, but the output is not"));
    assert!(refusal(&image, &lzx, stored(0, 0)).contains("is empty"));
    let wide = Options { chunk_bytes: 65536, ..lzx };
    assert_eq!(refusal(&image, &wide, None), "LZX chunks have 32768 bytes");
    let boot = Options { boot_index: 2, ..plain };
    assert_eq!(refusal(&image, &boot, None), "the boot image is not in the output");
    let lzms = Options { compression: Compression::Lzms, ..plain };
    assert_eq!(refusal(&image, &lzms, None), "LZMS chunks have 32768 to 67108864 bytes");
    image.lookup_mut("folder/file").expect("the file").security_id = 3;
    let resource = Resource::Raw { content: Rc::new(vec![1]), size_bytes: 1 };
    let error = refusal(&image, &plain, Some(resource));
    assert_eq!(error, "`folder/file`: no security descriptor 3");
}

/// Other writers leave the flag of compressed resources on a chunk that did not become smaller.
#[test]
fn one_chunk_that_is_stored_raw_is_the_content() {
    let content: Bytes = Rc::new(vec![7; 9]);
    let sha1 = Sha1::of(&content);
    let mut image = Image::new(TIME);
    image.insert_file("file", FileSpec::new(sha1, TIME)).expect("a new file");
    let options = Options { compression: Compression::Lzx, chunk_bytes: 32768, ..plain_options() };
    let output = || [OutputImage { image: &image, xml: Element::default() }];
    let (stored, _) = write_all(&output(), &options, |_| {
        Some(Resource::Stored { content: content.clone(), stored_bytes: 9, size_bytes: 9 })
    });
    let (raw, _) = write_all(&output(), &options, |_| {
        Some(Resource::Raw { content: content.clone(), size_bytes: 9 })
    });
    assert!(stored == raw);
    let opened = open(stored);
    assert_eq!(opened.wim.blobs[0].resource.flags, 0);
    assert_eq!(opened.content(&sha1), *content);
}

#[test]
fn what_the_root_of_the_xml_data_has_is_kept() {
    let text = "<WIM A=\"1\" B=\"&lt;\">\n <X>first</X>\n<TOTALBYTES>7</TOTALBYTES><IMAGE INDEX=\"1\"/>\
                <Y><Z/> kept </Y><IMAGE INDEX=\"2\"/></WIM>";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base = Xml::decode(&bytes).expect("XML data");
    let image = Image::new(TIME);
    let output = OutputImage { image: &image, xml: Element::default() };
    let mut layout: Layout<Bytes> = Layout::default();
    let resolve = &mut |_: &Sha1| None;
    write_with_root(&[output], &plain_options(), &base.root, resolve, &mut layout)
        .expect("an output");
    let wim = open(wim_support::materialise(&layout)).wim;
    let text = wim.xml.to_text();
    assert!(
        text.starts_with("<WIM A=\"1\" B=\"&lt;\"><TOTALBYTES>386</TOTALBYTES><X>first</X><IMAGE"),
        "{text}"
    );
    assert!(text.ends_with("</IMAGE><Y><Z/> kept </Y></WIM>"), "{text}");
    assert_eq!(text.matches("<IMAGE ").count(), 1);
}

#[test]
fn what_is_no_xml_is_not_written() {
    let image = Image::new(TIME);
    let refusal = |xml: Element| {
        let outputs = [OutputImage { image: &image, xml }];
        let mut layout: Layout<Bytes> = Layout::default();
        let result = write(&outputs, &plain_options(), &mut |_| None, &mut layout);
        result.expect_err("a refusal").to_string()
    };
    let mut xml = Element::new("IMAGE");
    xml.set_text("NAME", "a\u{1}");
    assert_eq!(refusal(xml), "XML data, `NAME`: `&#1;` is no character of XML");
    let mut xml = Element::new("IMAGE");
    xml.set_attribute("a", "\u{fffe}");
    assert_eq!(refusal(xml), "XML data, `IMAGE`: `&#65534;` is no character of XML");
    let mut xml = Element::new("IMAGE");
    xml.set_text("a b", "");
    assert_eq!(refusal(xml), "XML data: `a b` is no name");
}

/// Each look-up went through all elements.
#[test]
fn images_of_the_xml_data_are_found_at_once() {
    let mut root = Element::new("WIM");
    for index in (1..=65_535).rev() {
        let mut image = Element::new("IMAGE");
        image.set_attribute("INDEX", index.to_string());
        root.children.push(XmlNode::Element(image));
    }
    for other in ["1", "01", "+2", "x"] {
        let mut image = Element::new("IMAGE");
        image.set_attribute("INDEX", other);
        image.set_attribute("SECOND", "");
        root.children.push(XmlNode::Element(image));
    }
    let xml = Xml::decode(&Xml::new(root).encode()).expect("XML data");
    for index in 1..=65_535 {
        let image = xml.image(index).expect("an image");
        assert_eq!(image.attribute("INDEX"), Some(index.to_string().as_str()));
        assert_eq!(image.attribute("SECOND"), None);
    }
    assert!(xml.image(0).is_none() && xml.image(65_536).is_none());
}
