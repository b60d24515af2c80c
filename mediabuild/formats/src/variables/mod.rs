//! Media variables (`variables.dat`): the encrypted name and value list of a medium.
//!
//! A list is XML ([`list`]) in an envelope ([`envelope`]) that `Policy.xml` of stand-alone media has
//! too. There is no salt, no random IV and no authentication: equal input gives equal bytes, and
//! without a media password the key is known to everyone ([`DEFAULT_PASSWORD`]).

pub mod envelope;
pub mod list;

pub use envelope::{Algorithm, DEFAULT_PASSWORD, Error};

/// Encrypts a list of names and values; no password means [`DEFAULT_PASSWORD`].
pub fn encrypt(
    variables: &[(String, String)],
    password: Option<&str>,
    algorithm: Algorithm,
) -> Result<Vec<u8>, Error> {
    let plaintext = list::encode(variables)?;
    envelope::seal(&plaintext, password, algorithm)
}

/// Decrypts a list of names and values; no password means [`DEFAULT_PASSWORD`].
pub fn decrypt(bytes: &[u8], password: Option<&str>) -> Result<Vec<(String, String)>, Error> {
    list::decode(&envelope::open(bytes, password)?)
}
