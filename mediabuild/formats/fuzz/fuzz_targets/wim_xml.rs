//! XML data: errors are fine; panics are bugs. What was decoded comes back equal when encoded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::wim::{FileTime, Xml};

fuzz_target!(|data: &[u8]| {
    // Text as it is in files, or as mutations find it more easily.
    let utf16 = match data {
        [0, rest @ ..] => rest.to_vec(),
        _ => String::from_utf8_lossy(data).encode_utf16().flat_map(u16::to_le_bytes).collect(),
    };
    let Ok(xml) = Xml::decode(&utf16) else { return };
    if let Some(mut image) = xml.image(1).cloned() {
        let _ = image.text("NAME");
        let _ = image.time("CREATIONTIME");
        let time = FileTime(data.len() as u64);
        image.set_time("CREATIONTIME", time);
        assert_eq!(image.time("CREATIONTIME"), Some(time));
    }
    let again = Xml::decode(&xml.encode());
    assert_eq!(again.as_ref().ok(), Some(&xml), "{again:?} from {:?}", xml.to_text());
});
