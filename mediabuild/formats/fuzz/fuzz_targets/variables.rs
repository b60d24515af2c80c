//! Media variables: errors are fine; panics are bugs. Lists and envelopes come back equal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::variables::{self, Algorithm, envelope, list};

const PASSWORDS: [Option<&str>; 4] = [None, Some(""), Some("Password1"), Some("Grüße 💾")];

fuzz_target!(|data: &[u8]| {
    let [mode, data @ ..] = data else { return };
    let password = PASSWORDS[usize::from(mode >> 2) % PASSWORDS.len()];
    let algorithm = if mode & 16 == 0 { Algorithm::Aes128 } else { Algorithm::Aes256 };
    match mode & 3 {
        0 => drop(variables::decrypt(data, password)),
        1 => {
            let sealed = envelope::seal(data, password, algorithm).expect("a small plaintext");
            assert_eq!(envelope::open(&sealed, password).expect("an own envelope"), data);
            if let Ok(list) = variables::decrypt(&sealed, password) {
                check(&list, password, algorithm);
            }
        }
        // As in files, but found more easily by mutations.
        2 => {
            let text = String::from_utf8_lossy(data);
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            if let Ok(list) = list::decode(&utf16) {
                check(&list, password, algorithm);
            }
        }
        _ => {
            let text = String::from_utf8_lossy(data);
            let pairs = text.split('\n').map(|line| line.split_once('=').unwrap_or((line, "")));
            let list: Vec<_> = pairs.map(|(name, value)| (name.into(), value.into())).collect();
            check(&list, password, algorithm);
        }
    }
});

/// A list that can be encrypted is decrypted to itself.
fn check(list: &[(String, String)], password: Option<&str>, algorithm: Algorithm) {
    if let Ok(file) = variables::encrypt(list, password, algorithm) {
        assert_eq!(variables::decrypt(&file, password).expect("an own file"), list);
    }
}
