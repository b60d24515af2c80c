//! Seeds: writes inputs that get far into `corpus/`, from our own writers and from files given as
//! arguments (`.wim`, `.swm`, `.esd`, `.iso`, `.kdl`), and what may stand in definitions as a dictionary.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mediabuild_formats::bcd;
use mediabuild_formats::fat::{self, Variant};
use mediabuild_formats::iso::{self, BootEntry, Tree};
use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::partition::{Disk, Guid, Scheme};
use mediabuild_formats::security::Descriptor;
use mediabuild_formats::variables::{self, Algorithm, list};
use mediabuild_formats::wim::{
    BlobEntry, Compression, Dentry, Element, FileTime, Image, Name, NamedStream, Options,
    OutputImage, Reparse, Resource, Sha1, Wim, Xml, attribute, encode_metadata, resource_flag,
    write,
};
use mediabuild_fuzz::SparseDisc;
use mediabuild_store::{Content, Digest, Directory, Entry, EntryName, RecipeBuilder};

/// The fuzzer leaves larger inputs out.
const SEED_MAX_BYTES: usize = 128 << 10;
/// Chunks of one file are much like each other.
const CHUNK_COUNT_MAX: usize = 24;

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut corpus = Corpus { folder };
    corpus.own_wim()?;
    corpus.own_disc()?;
    corpus.own_volumes()?;
    corpus.own_variables()?;
    corpus.own_encodings()?;
    corpus.own_settings()?;
    corpus.own_stores()?;
    for file in std::env::args_os().skip(1).map(PathBuf::from) {
        let bytes = fs::read(&file)?;
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("wim" | "swm" | "esd") => corpus.wim(&bytes)?,
            Some("iso") => corpus.disc(&bytes)?,
            Some("kdl") => corpus.add("kdl", &bytes)?,
            _ => return Err(io::Error::other(format!("what is `{}`?", file.display()))),
        }
    }
    corpus.dictionary()
}

struct Corpus {
    folder: PathBuf,
}

impl Corpus {
    /// Adds an input under the name of its content.
    fn add(&mut self, target: &str, input: &[u8]) -> io::Result<()> {
        if input.len() > SEED_MAX_BYTES {
            return Ok(());
        }
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(Sha1::of(input).to_string()), input)
    }

    /// A WIM, and what is in it: metadata, XML data, compressed chunks.
    fn wim(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.add("wim", bytes)?;
        // As a delta of itself, and as two parts: damage makes something of them.
        if let Ok(size) = u16::try_from(bytes.len()) {
            self.add("wim_set", &[&size.to_le_bytes(), bytes, bytes].concat())?;
        }
        let Ok(wim) = Wim::open(bytes) else { return Ok(()) };
        self.xml(&wim.xml)?;
        for index in 1..=wim.images.len() {
            if let Ok(metadata) = wim.metadata(bytes, index) {
                self.add("wim_metadata", &metadata)?;
            }
        }
        let entries = wim.images.iter().chain(&wim.blobs);
        let chunks = entries.flat_map(|entry| chunks(&wim, bytes, entry));
        for (size, chunk) in chunks.take(CHUNK_COUNT_MAX) {
            match wim.header.compression() {
                Compression::Lzx => {
                    let order = wim.header.chunk_bytes.trailing_zeros() as u8 - 15;
                    let size = u16::try_from(size).unwrap_or(u16::MAX);
                    let [low, high] = size.to_le_bytes();
                    self.add("lzx", &[&[order, low, high], chunk].concat())?;
                    self.add("lzx", &[&[order | 2 << 6, low, high], chunk].concat())?;
                }
                Compression::Lzms => {
                    // Sizes of up to half a megabyte, as far as they are multiples of eight.
                    let order = if size > 0xffff { 3 } else { 0 };
                    let size = u16::try_from(size >> order).unwrap_or(u16::MAX);
                    self.add("lzms", &[&[order, size as u8, (size >> 8) as u8], chunk].concat())?;
                }
                _ => {
                    let size = u16::try_from(size - 1).unwrap_or(u16::MAX);
                    self.add("xpress", &[&size.to_le_bytes(), chunk].concat())?;
                }
            }
        }
        Ok(())
    }

    /// As UTF-16 behind its mark, and as text.
    fn xml(&mut self, xml: &Xml) -> io::Result<()> {
        self.add("wim_xml", &[&[0], xml.encode().as_slice()].concat())?;
        self.add("wim_xml", xml.to_text().as_bytes())
    }

    fn disc(&mut self, bytes: &[u8]) -> io::Result<()> {
        for is_resealed in [false, true] {
            if let Some(input) = SparseDisc::encode(bytes, is_resealed) {
                self.add("iso", &input)?;
            }
        }
        Ok(())
    }

    fn own_wim(&mut self) -> io::Result<()> {
        let (image, contents) = image();
        self.add("wim_metadata", &encode_metadata(&image).expect("a valid image"))?;
        let outputs = [1, 2].map(|_| OutputImage { image: &image, xml: element() });
        let options = Options { boot_index: 1, ..Options::default() };
        let mut resolve = |sha1: &Sha1| {
            let content = contents.get(sha1)?.clone();
            let size_bytes = content.len() as u64;
            Some(Resource::Raw { content, size_bytes })
        };
        let mut layout = Layout::default();
        write(&outputs, &options, &mut resolve, &mut layout).expect("a valid output");
        self.wim(&materialise(&layout))?;
        // One chunk of an uncompressed block.
        let mut chunk = vec![3 << 6, 5, 0, 0x00, 0x60, 0x00, 0x50];
        chunk.extend([1_u32, 1, 1].into_iter().flat_map(u32::to_le_bytes));
        chunk.extend(b"abcde");
        self.add("lzx", &chunk)
    }

    fn own_stores(&mut self) -> io::Result<()> {
        for firmware in [bcd::Firmware::Bios, bcd::Firmware::Uefi] {
            let store = bcd::write(&bcd::windows_pe(firmware), FileTime(0));
            self.add("regf", &store.expect("a store"))?;
        }
        let signed = include_bytes!("../tests/authenticode/nested.efi");
        self.add("authenticode", signed)?;
        // The blob alone, behind the byte that says so.
        self.add("authenticode", &[&[0], &signed[0x408..]].concat())?;
        Ok(())
    }

    fn own_disc(&mut self) -> io::Result<()> {
        let mut tree = Tree::new();
        for (path, size) in [("boot/BCD", 100), ("sources/empty", 0), ("sources/ж", 3000)] {
            tree.insert(path, vec![7_u8; size], size as u64).expect("a good path");
        }
        tree.insert_directory("a/b/c").expect("a good path");
        let mut options = iso::Options::new("Seed", 1_793_491_200, [7; 8]);
        self.disc(&disc(&tree, &options))?;
        options.bios = Some(BootEntry { content: vec![1; 2048], size_bytes: 2048 });
        options.uefi = Some(BootEntry { content: vec![2; 4096], size_bytes: 4096 });
        self.disc(&disc(&tree, &options))
    }

    /// A volume of each variant, and disks with one.
    fn own_volumes(&mut self) -> io::Result<()> {
        let mut tree = fat::Tree::new();
        for (path, size) in [("EFI/BOOT/BOOTX64.EFI", 100), ("a long name ж", 3000), ("b/empty", 0)] {
            tree.insert(path, vec![7_u8; size], size as u64).expect("a good path");
        }
        for (variant, size_bytes) in [(Variant::Fat12, 1 << 20), (Variant::Fat16, 3 << 20)] {
            let mut options = fat::Options::new(variant, size_bytes, 7, 1_793_491_200);
            options.label = "SEED".into();
            let mut volume = Layout::default();
            fat::write(&tree, &options, &mut volume).expect("a valid volume");
            self.volume(&materialise(&volume))?;
            for scheme in [
                Scheme::Mbr { disk_id: 7 },
                Scheme::Gpt { disk: Guid([1; 16]), partition: Guid([2; 16]) },
            ] {
                let disk = Disk { scheme, partition_bytes: 1 << 20, name: "Seed".into() };
                let mut layout = Layout::default();
                disk.head(&mut layout);
                options.size_bytes = 1 << 20;
                options.variant = Variant::Fat12;
                fat::write(&tree, &options, &mut layout).expect("a valid volume");
                disk.tail(&mut layout);
                self.volume(&materialise(&layout))?;
            }
        }
        Ok(())
    }

    fn volume(&mut self, bytes: &[u8]) -> io::Result<()> {
        match SparseDisc::encode(bytes, false) {
            Some(input) => self.add("fat", &input),
            None => Ok(()),
        }
    }

    /// The modes of the target, see there.
    fn own_variables(&mut self) -> io::Result<()> {
        let pairs = [("A", "1"), ("Grüße", "<&>\"\t\r\n"), ("", "")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for algorithm in [Algorithm::Aes128, Algorithm::Aes256] {
            let file = variables::encrypt(&pairs, None, algorithm).expect("a valid list");
            self.add("variables", &[&[0], file.as_slice()].concat())?;
        }
        let plaintext = list::encode(&pairs).expect("a valid list");
        self.add("variables", &[&[1], plaintext.as_slice()].concat())?;
        for text in [
            r#"<?xml version="1.0"?><MediaVarList Version="1"><var name="A">1 &#x20;<![CDATA[&]]></var></MediaVarList>"#,
            r#"<MediaVarList><!-- --><var name='A' value="&apos;"/><?a b?></MediaVarList>"#,
        ] {
            self.add("variables", &[&[2], text.as_bytes()].concat())?;
        }
        self.add("variables", b"\x03A=1\nB=<2>\n=")
    }

    fn own_encodings(&mut self) -> io::Result<()> {
        let content = Content { digest: Digest::of(b"x"), size_bytes: 1 };
        let mut recipe = RecipeBuilder::new();
        recipe.literal(b"head");
        recipe.zeros(10);
        recipe.content(content);
        self.add("recipe", &recipe.finish().encode())?;
        let mut directory = Directory::new();
        for (name, entry) in [
            ("Grüße", Entry::File(content)),
            ("a", Entry::Directory(Directory::new().digest())),
            ("b.txt", Entry::File(content)),
        ] {
            let name = EntryName::parse(name).expect("a good name");
            directory.insert(name, entry).expect("a good directory");
        }
        self.add("recipe", &directory.encode())
    }

    /// What stands in definitions of images, and what it becomes.
    fn own_settings(&mut self) -> io::Result<()> {
        let sddl = "O:BAG:SYD:PAI(A;OICIIO;SDGXGWGR;;;CO)(D;;0x1301bf;;;S-1-5-80-1-2)\
                    (OA;;CCDC;bf967aba-0de6-11d0-a285-00aa003049e2;;AO)S:AI(AU;SAFA;FA;;;WD)(ML;;NW;;;HI)";
        let descriptor = Descriptor::from_sddl(sddl).expect("SDDL");
        self.add("security", sddl.as_bytes())?;
        self.add("security", &descriptor.encode().expect("a small descriptor"))?;
        let script = "[ExclusionList]\r\n\\pagefile.sys\r\n*.tmp\r\na*a*b\r\n[ExclusionException]\r\n\
                      Temp\\*\r\n[CompressionExclusionList]\r\n\"\\x y\\*.mp3\"\r\n";
        self.add("wim_script", script.as_bytes())
    }

    /// The words of the language.
    fn dictionary(&self) -> io::Result<()> {
        let reference = mediabuild_schema::reference();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let words: BTreeSet<&str> = reference.split(|c| !is_word(c)).collect();
        let mut text: String =
            ["#\\\"", "\\\"#", "\\\"\\\"\\\"", "/-", "/*", "*/", "#true", " {\\x0a", "\\x01"]
                .map(|piece| format!("\"{piece}\"\n"))
                .concat();
        for word in words.into_iter().filter(|word| (2..=30).contains(&word.len())) {
            text.push_str(&format!("\"{word}\"\n"));
        }
        fs::write(self.folder.join("kdl.dict"), text)
    }
}

/// An image with everything a dentry can have.
fn image() -> (Image, BTreeMap<Sha1, Vec<u8>>) {
    let contents: BTreeMap<Sha1, Vec<u8>> = [b"one".to_vec(), b"another".to_vec()]
        .into_iter()
        .map(|content| (Sha1::of(&content), content))
        .collect();
    let [first, second] = [b"one".as_slice(), b"another"].map(Sha1::of);
    let time = FileTime(116_444_736_000_000_000);
    let file = |name: &str, sha1| Dentry::file(Name::from(name), sha1, time);
    let mut folder = Dentry::folder(Name::from("Windows"), time);
    folder.children = vec![
        Dentry { hard_link: 1, ..file("link", first) },
        Dentry { hard_link: 1, ..file("LINK2", first) },
        Dentry {
            streams: vec![NamedStream { name: Name::from("s"), reserved: 0, sha1: second }],
            tagged: vec![1; 24],
            short_name: Name::from("LONG~1"),
            security_id: 0,
            ..file("Long name", second)
        },
        Dentry {
            attributes: attribute::REPARSE_POINT,
            reparse: Some(Reparse { tag: 0xa000_000c, reserved: 0, flags: 1, sha1: first }),
            ..file("é", Sha1::ZERO)
        },
    ];
    let mut image = Image::new(time);
    image.security = vec![vec![1; 20]];
    image.root.children = vec![folder, file("empty", Sha1::ZERO)];
    (image, contents)
}

fn element() -> Element {
    let mut element = Element::new("IMAGE");
    element.set_text("NAME", "A & B");
    element.set_text("WINDOWS/VERSION/BUILD", "1");
    element.set_time("CREATIONTIME", FileTime(1));
    element
}

/// Uncompressed size and stored form of the chunks of a compressed resource.
fn chunks<'a>(wim: &Wim, bytes: &'a [u8], entry: &BlobEntry) -> Vec<(u64, &'a [u8])> {
    let resource = &entry.resource;
    let is_readable = wim.header.compression() != Compression::None;
    let chunk_bytes = u64::from(wim.header.chunk_bytes);
    let is_small = resource.size_bytes <= u64::from(u32::MAX) && chunk_bytes > 0;
    if !is_readable || !is_small || !resource.has(resource_flag::COMPRESSED) {
        return Vec::new();
    }
    let start = resource.offset_bytes as usize;
    let Some(stored) = bytes.get(start..start + resource.stored_bytes as usize) else {
        return Vec::new();
    };
    let count = resource.size_bytes.div_ceil(chunk_bytes) as usize;
    let Some((table, data)) = stored.split_at_checked((count - 1) * 4) else { return Vec::new() };
    let starts = table.as_chunks::<4>().0.iter().map(|&start| u32::from_le_bytes(start) as usize);
    let edges: Vec<usize> = [0].into_iter().chain(starts).chain([data.len()]).collect();
    (0..)
        .zip(edges.windows(2))
        .filter_map(|(index, edge)| {
            let size = (resource.size_bytes - index * chunk_bytes).min(chunk_bytes);
            Some((size, data.get(edge[0]..edge[1])?))
        })
        .filter(|(size, chunk)| (chunk.len() as u64) < *size)
        .collect()
}

fn disc(tree: &Tree<Vec<u8>>, options: &iso::Options<Vec<u8>>) -> Vec<u8> {
    let mut layout = Layout::default();
    iso::write(tree, options, &mut layout).expect("a valid disc");
    materialise(&layout)
}

fn materialise(layout: &Layout<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for extent in &layout.extents {
        match extent {
            Extent::Literal(piece) | Extent::Content { content: piece, .. } => bytes.extend(piece),
            Extent::Zeros(count) => bytes.resize(bytes.len() + *count as usize, 0),
        }
    }
    bytes
}
