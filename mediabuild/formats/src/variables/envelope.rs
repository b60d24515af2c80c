//! The envelope: a 24-byte header and AES-CBC ciphertext, the key made from a password.
//!
//! ```text
//! +0x00  u32  magic 0xECED0000          +0x0C  u32  size of the ciphertext, a multiple of 16
//! +0x04  u32  size of what follows: 20  +0x10  u32  algorithm, a CryptoAPI ALG_ID
//! +0x08  u32  size of the plaintext     +0x14  u32  0
//! +0x18  ciphertext; then 0 to 16 bytes of unknown meaning that readers ignore
//! ```

use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use sha1::{Digest, Sha1};

/// The password of media without one. It is public and the same everywhere: what it protects is
/// not secret.
pub const DEFAULT_PASSWORD: &str = "{BAC6E688-DE21-4ABE-B7FB-C9F54E6DB664}";

const MAGIC: u32 = 0xECED_0000;
const KEY_HEADER_SIZE_BYTES: u32 = 20;
const HEADER_SIZE_BYTES: usize = 24;
const BLOCK_SIZE_BYTES: usize = 16;
const ALG_AES_128: u32 = 0x660E;
const ALG_AES_192: u32 = 0x660F;
const ALG_AES_256: u32 = 0x6610;
const ALG_TRIPLE_DES: u32 = 0x6603;
/// There is no random IV; the scheme has a constant one.
const IV: [u8; BLOCK_SIZE_BYTES] = [0; BLOCK_SIZE_BYTES];

/// The ciphers media are written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// What media carried up to about ConfigMgr 2503.
    Aes128,
    /// What media carry since about ConfigMgr 2509.
    Aes256,
}

/// Why variables cannot be encrypted or decrypted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not an envelope.
    #[error("at {offset_bytes}: expected {expected}, found {found}")]
    Damaged {
        /// Where.
        offset_bytes: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A cipher this reader does not have.
    #[error("the cipher {name} (algorithm {algorithm:#06x}) is not supported")]
    Unsupported {
        /// The ALG_ID.
        algorithm: u32,
        /// Its name.
        name: &'static str,
    },
    /// The decrypted bytes are no list. Nothing in the format tells the two apart.
    #[error("wrong password or damaged: {reason}")]
    WrongPassword {
        /// What is wrong with the decrypted bytes.
        reason: String,
    },
    /// A name or value with a character XML has no way to write.
    #[error("the variable `{name}` holds U+{character:04X}, which XML cannot hold")]
    Character {
        /// The variable.
        name: String,
        /// The character.
        character: u32,
    },
    /// More than the 32-bit sizes of the header count.
    #[error("{size_bytes} bytes are too many for one envelope")]
    TooLarge {
        /// The plaintext's size.
        size_bytes: u64,
    },
}

/// Encrypts `plaintext`; no password means [`DEFAULT_PASSWORD`].
pub fn seal(
    plaintext: &[u8],
    password: Option<&str>,
    algorithm: Algorithm,
) -> Result<Vec<u8>, Error> {
    let too_large = || Error::TooLarge { size_bytes: plaintext.len() as u64 };
    let material = key_material(password.unwrap_or(DEFAULT_PASSWORD));
    let (id, ciphertext) = match algorithm {
        Algorithm::Aes128 => (ALG_AES_128, encrypt::<Aes128>(&material[..16], plaintext)),
        Algorithm::Aes256 => (ALG_AES_256, encrypt::<Aes256>(&material[..32], plaintext)),
    };
    let plaintext_size = u32::try_from(plaintext.len()).map_err(|_| too_large())?;
    let ciphertext_size = u32::try_from(ciphertext.len()).map_err(|_| too_large())?;
    let header = [MAGIC, KEY_HEADER_SIZE_BYTES, plaintext_size, ciphertext_size, id, 0];
    let mut bytes: Vec<u8> = header.iter().flat_map(|field| field.to_le_bytes()).collect();
    bytes.extend_from_slice(&ciphertext);
    Ok(bytes)
}

/// Decrypts an envelope; no password means [`DEFAULT_PASSWORD`]. A wrong password gives noise, not
/// an error: the envelope has no check value.
pub fn open(bytes: &[u8], password: Option<&str>) -> Result<Vec<u8>, Error> {
    let (header, rest) = bytes.split_at_checked(HEADER_SIZE_BYTES).ok_or_else(|| {
        damaged(0, "a header of 24 bytes", format!("{} bytes in all", bytes.len()))
    })?;
    let field = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
    if field(0) != MAGIC {
        return Err(damaged(0, "the magic 0xECED0000", format!("{:#010x}", field(0))));
    }
    if field(4) != KEY_HEADER_SIZE_BYTES {
        return Err(damaged(4, "the header size 20", field(4).to_string()));
    }
    let (plaintext_size, ciphertext_size) = (field(8) as usize, field(12) as usize);
    if plaintext_size > ciphertext_size {
        return Err(damaged(8, "a plaintext no larger than the ciphertext", field(8).to_string()));
    }
    if !ciphertext_size.is_multiple_of(BLOCK_SIZE_BYTES) {
        return Err(damaged(12, "a multiple of 16", field(12).to_string()));
    }
    let ciphertext = rest.get(..ciphertext_size).ok_or_else(|| {
        let found = format!("{} of {ciphertext_size} bytes", rest.len());
        damaged(HEADER_SIZE_BYTES as u64, "the whole ciphertext", found)
    })?;
    let mut plaintext = decrypt_with(field(16), ciphertext, password.unwrap_or(DEFAULT_PASSWORD))?;
    plaintext.truncate(plaintext_size);
    Ok(plaintext)
}

fn decrypt_with(algorithm: u32, ciphertext: &[u8], password: &str) -> Result<Vec<u8>, Error> {
    let material = key_material(password);
    match algorithm {
        ALG_AES_128 => Ok(decrypt::<Aes128>(&material[..16], ciphertext)),
        ALG_AES_192 => Ok(decrypt::<Aes192>(&material[..24], ciphertext)),
        ALG_AES_256 => Ok(decrypt::<Aes256>(&material[..32], ciphertext)),
        ALG_TRIPLE_DES => Err(Error::Unsupported { algorithm, name: "3DES" }),
        _ => Err(Error::Unsupported { algorithm, name: "of an unknown kind" }),
    }
}

/// CryptoAPI's `CryptDeriveKey` with SHA-1: the hash of the password's UTF-16LE bytes, stretched as
/// HMAC pads do. CryptoAPI skips the stretch when the hash is long enough, but not for AES.
fn key_material(password: &str) -> [u8; 40] {
    let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hash = Sha1::digest(password);
    let mut material = [0; 40];
    for (half, pad) in material.chunks_exact_mut(20).zip([0x36, 0x5C]) {
        let mut block = [pad; 64];
        for (byte, hash_byte) in block.iter_mut().zip(hash) {
            *byte ^= hash_byte;
        }
        half.copy_from_slice(&Sha1::digest(block));
    }
    material
}

fn encrypt<A>(key: &[u8], plaintext: &[u8]) -> Vec<u8>
where
    A: KeyInit + aes::cipher::BlockCipherEncrypt,
    cbc::Encryptor<A>: KeyIvInit + BlockModeEncrypt,
{
    let cipher = cbc::Encryptor::<A>::new_from_slices(key, &IV).expect("keys are cut to size");
    cipher.encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// The padding is not checked: the header has the plaintext's size, and other tools do not look.
fn decrypt<A>(key: &[u8], ciphertext: &[u8]) -> Vec<u8>
where
    A: KeyInit + aes::cipher::BlockCipherDecrypt,
    cbc::Decryptor<A>: KeyIvInit + BlockModeDecrypt,
{
    let cipher = cbc::Decryptor::<A>::new_from_slices(key, &IV).expect("keys are cut to size");
    cipher.decrypt_padded_vec::<NoPadding>(ciphertext).expect("whole blocks were checked")
}

fn damaged(offset_bytes: u64, expected: &'static str, found: String) -> Error {
    Error::Damaged { offset_bytes, expected, found }
}
