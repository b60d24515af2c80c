//! Media variables against published and computed vectors, and round trips.

use mediabuild_formats::variables::{self, Algorithm, Error, envelope, list};
use proptest::prelude::*;

/// Password, algorithm, the file without a terminator, the last block of the file with one.
struct Vector {
    password: Option<&'static str>,
    algorithm: Algorithm,
    file: &'static str,
    last_block: &'static str,
}

const TEXT: &str = r#"<?xml version="1.0"?><MediaVarList><var name="A">1</var></MediaVarList>"#;

const VECTORS: [Vector; 4] = [
    Vector {
        password: None,
        algorithm: Algorithm::Aes128,
        file: "0000edec140000008e000000900000000e6600000000000054d3790a76eff0d554bae83c55f48b20f20a98497c75cfe344012d3d39618ae791a63277ef1786e995664e37483ebb0cdfe7aaa45668561d1e9316b0f3dc8a6c151ba65b1a0766a72cb61f2ba56f6007753c7ea998c401e3fa6bf19bf023dc79db28e53d66b5cc557579d5b67709e91cdef0e0e06138695c50f57bf28b86c0d13fb94aa8e2812bad135e93e595908379",
        last_block: "b8bf1b9f07e9ad827da45767b54163f8",
    },
    Vector {
        password: None,
        algorithm: Algorithm::Aes256,
        file: "0000edec140000008e0000009000000010660000000000009dfe10217c077f849a55a0439a2309b7f8976587c37eb4faf85c8bb35fe6cdb64fa34787f36b7c0ff72a34034669c62c5512bc99079a959b426b026dbb5979f9e04f576a31b7a1f89e98c817c31e77bf307cc818adf7e39373da323524344241da19431dc061ca5bbcaefdea789de987f26f2d31c841a8666bb8850533d7688eeb85036af11ea614d61248e94a219f8f",
        last_block: "9130c30e83c3ee690b0b5be666ef696a",
    },
    Vector {
        password: Some("Password1"),
        algorithm: Algorithm::Aes128,
        file: "0000edec140000008e000000900000000e6600000000000011cb54aa3b699f61f86ab312e6fb97ec5109a4681a3732fb75d5fef898442e55860637fedeb7179043f19f4c0dff1df7c2e3b26d8e6bc127a447c3b7095c01d388105d88d0b07a4baf73a0309ce010fe5ff9c12e193b7ce6b57ea152b810b0fbe43770f5e997ec0f214529ef2841edd1e4eb390dc7029ddaa9b38d98c4dd30eb8e45d67ff6edba1d48335db40726e75f",
        last_block: "4fe4b4cee43475457f99ffdd27d03773",
    },
    Vector {
        password: Some("Password1"),
        algorithm: Algorithm::Aes256,
        file: "0000edec140000008e0000009000000010660000000000003dd6b8bc6cc41f718b07522266e188ce8946043729d6520bfcde58d4a2ced009a0c7b1f2a87d10c8e7d17f139823fb0c37619181f95510ba3facf60fa4b76d1b044be6f208780f7f4810bc6ebf402eb54f6fb5b9afe8d79db68a6a28d6bf2e0cdd357365304f0fd41d99ff8a3504f384a022721df4d93f2fd36daed922d75961c1bbbe949f772d95f7fc3b67d04f9998",
        last_block: "071aade39f9be95ea6e5003aa440471f",
    },
];

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).expect("hex digits") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn sealed_bytes_are_the_vectors() {
    for vector in &VECTORS {
        let sealed = envelope::seal(&utf16le(TEXT), vector.password, vector.algorithm).unwrap();
        assert_eq!(hex(&sealed), vector.file);
        assert_eq!(variables::decrypt(&sealed, vector.password).unwrap(), pairs(&[("A", "1")]));
    }
}

#[test]
fn a_written_list_ends_in_a_terminator() {
    for vector in &VECTORS {
        let list = pairs(&[("A", "1")]);
        let file = variables::encrypt(&list, vector.password, vector.algorithm).unwrap();
        assert_eq!(file.len(), 184);
        assert_eq!(hex(&file[8..16]), "90000000a0000000");
        assert_eq!(hex(&file[168..]), vector.last_block);
        assert_eq!(variables::decrypt(&file, vector.password).unwrap(), list);
    }
}

/// mwr-hashcat's published hash: the header and first block of a real file.
#[test]
fn first_block_of_a_real_file_decrypts() {
    let mut file =
        unhex("0000edec14000000b2320000c03200000e6600000000000011cb54aa3b699f61f86ab312e6fb97ec");
    file[8..16].copy_from_slice(&[16, 0, 0, 0, 16, 0, 0, 0]);
    let plaintext = envelope::open(&file, Some("Password1")).unwrap();
    assert_eq!(plaintext, utf16le("<?xml ve"));
}

/// pxetrace's fixture: AES-256, six bytes of trailer, no XML declaration.
#[test]
fn trailer_is_ignored() {
    let file = unhex(
        "0000edec1400000082000000900000001066000000000000f025d29d63c9fcccad79e9facbea6c0e7e9b1ed8c98f2447b2768f4b061d5a90974886e67b845cea902bdf19a5f96e51837ee37040137d6965096ef78aaa9f8b62e7c54904e32192098a2380c88db1a6fbafe7b11d0bc48a84985dcb7fb847e5544e0b64bc8a2203c8b44ce881ee3aa3cc54e2693b9dd02953215e00fd5f4897cd08e5fac713b680f304ef16b38b1265000000000000",
    );
    let password = "\u{1}\u{FF82}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{9}\u{A}";
    let list = variables::decrypt(&file, Some(password)).unwrap();
    assert_eq!(list, pairs(&[("_SMSTSSiteCode", "ABC")]));
}

/// The ciphertext is OpenSSL's, with the first 24 bytes of the default password's key material.
#[test]
fn aes_192_is_read() {
    let file = unhex(
        "0000edec140000008e000000900000000f66000000000000ab95518a978b2a048cd67a62c260c83d4293cf4b687fd5e205a0b4f13ac109e1dfd7a98ef9374eb0a2541b45f90fe5d20bb17aa431806e686f0d2918eb0b10d24d66b2d81d20c63a60bddcd0555ac032c6820487c76093135f8ca9541623f118c076e6d89f1e49c8cf9105e02a41da1e319253046ab73fe2743ee3b276c2f2e3d67fed74e4e1151629cfda7d472e30df",
    );
    assert_eq!(variables::decrypt(&file, None).unwrap(), pairs(&[("A", "1")]));
}

#[test]
fn triple_des_is_named() {
    let mut file = variables::encrypt(&[], None, Algorithm::Aes128).unwrap();
    file[0x10] = 0x03;
    let error = variables::decrypt(&file, None).unwrap_err();
    assert_eq!(error.to_string(), "the cipher 3DES (algorithm 0x6603) is not supported");
}

#[test]
fn a_wrong_password_is_called_one() {
    let file = variables::encrypt(&pairs(&[("A", "1")]), Some("one"), Algorithm::Aes256).unwrap();
    let error = variables::decrypt(&file, Some("two")).unwrap_err();
    assert!(error.to_string().starts_with("wrong password or damaged"), "{error}");
}

#[test]
fn damaged_headers_name_the_offset() {
    let file = variables::encrypt(&pairs(&[("A", "1")]), None, Algorithm::Aes128).unwrap();
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = file.clone();
        change(&mut file);
        variables::decrypt(&file, None).unwrap_err().to_string()
    };
    assert_eq!(error(&|file| file[0] = 1), "at 0: expected the magic 0xECED0000, found 0xeced0001");
    assert_eq!(error(&|file| file[4] = 1), "at 4: expected the header size 20, found 1");
    assert_eq!(error(&|file| file[12] = 0xA1), "at 12: expected a multiple of 16, found 161");
    assert_eq!(
        error(&|file| file.truncate(30)),
        "at 24: expected the whole ciphertext, found 6 of 160 bytes"
    );
    assert_eq!(
        error(&|file| file.truncate(3)),
        "at 0: expected a header of 24 bytes, found 3 bytes in all"
    );
}

#[test]
fn every_style_of_list_is_read() {
    let decode = |text: &str| list::decode(&utf16le(text)).unwrap();
    let expected = pairs(&[("A", "1 & 2"), ("B", "")]);
    for text in [
        r#"<MediaVarList Version="4.00.5345.0000"><var name="A"><![CDATA[1 & 2]]></var><var name="B"/></MediaVarList>"#,
        "\u{FEFF}<?xml version='1.0' encoding='utf-16'?>\r\n<MediaVarList>\r\n <var name='A'>1 &amp; 2</var>\r\n <var name='B'></var></MediaVarList>\0\0",
        r#"<MediaVarList><var name="A" value="1 &amp; 2"/><var name="B" value=""/></MediaVarList>"#,
        r#"<MediaVarList><!-- made by hand --><var name="A">1 <![CDATA[&]]> &#50;</var><var name="B"></var></MediaVarList>"#,
    ] {
        assert_eq!(decode(text), expected, "{text}");
    }
}

#[test]
fn characters_xml_cannot_hold_are_refused() {
    for character in ['\0', '\u{1}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
        let list = pairs(&[("Name", &format!("a{character}b"))]);
        let error = variables::encrypt(&list, None, Algorithm::Aes128).unwrap_err();
        let name = "Name".to_owned();
        assert_eq!(error, Error::Character { name, character: character.into() });
    }
}

/// Any text XML can hold.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range(' ', '~'),
        1 => Just('\t'), 1 => Just('\n'), 1 => Just('\r'), 1 => Just(']'), 1 => Just('&'),
        2 => any::<char>().prop_filter("XML holds it", |&character| {
            character >= ' ' && character != '\u{FFFE}' && character != '\u{FFFF}'
        }),
    ];
    proptest::collection::vec(character, 0..40).prop_map(|text| text.into_iter().collect())
}

proptest! {
    #[test]
    fn encrypted_lists_decrypt_to_themselves(
        list in proptest::collection::vec((text(), text()), 0..6),
        password in proptest::option::of(".{0,20}"),
        is_256 in any::<bool>(),
    ) {
        let algorithm = if is_256 { Algorithm::Aes256 } else { Algorithm::Aes128 };
        let file = variables::encrypt(&list, password.as_deref(), algorithm).unwrap();
        prop_assert_eq!(variables::decrypt(&file, password.as_deref()).unwrap(), list);
    }

    #[test]
    fn mutated_files_never_panic(at in 0usize..184, value in any::<u8>(), cut in 0usize..184) {
        let mut file = variables::encrypt(&pairs(&[("A", "1")]), None, Algorithm::Aes128).unwrap();
        file[at] = value;
        let _ = variables::decrypt(&file, None);
        let _ = variables::decrypt(&file[..cut], None);
    }

    #[test]
    fn noise_never_panics(plaintext in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
        let _ = list::decode(&plaintext);
        let _ = list::decode(&utf16le(&format!("<MediaVarList>{text}")));
    }
}
