//! `fetch`: a file at a URL → a blob. The one place that reaches the network.
//!
//! What is pinned and in the store is not fetched; what is fetched is stored only if it is what the
//! lock pins and what the definition says. A download that was cut short goes on where it ended, by
//! the next try or the next process ([`Partial`]): then it is one file only because its digest
//! says so.

mod http;
mod partial;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use mediabuild_schema::definition::{SecretReference, Url};
use mediabuild_store::{Digest, Output};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::http::{Body, Client, Reply, Trouble};
use self::partial::Partial;
use super::import_recall::StatCaches;
use super::{BuildContext, Builder, BuilderVersion};
use crate::cancel;
use crate::derivation::Inputs;
use crate::expected::{Expected, SHA256_MEMO};
use crate::failure::Failure;
use crate::lock::Pin;
use crate::schedule::Tokens;
use crate::secret;

/// Fetches have no identity, as imports have none; the name is for messages.
const FETCH: BuilderVersion = BuilderVersion { name: "fetch", version: 0 };

/// How long to wait before another try; after the last one it is over. A try that brought something
/// begins the row anew.
const WAITS_MS: [u64; 4] = [500, 1000, 2000, 4000];

/// Bytes that count as something: else a server could keep us busy for ever.
const PROGRESS_BYTES: u64 = 64 << 10;

/// Fetches one file.
pub(crate) struct Fetch {
    pub(crate) url: Url,
    /// What names the download while it is under way.
    pub(crate) declaration: String,
    /// What the lock says; `None` for `mediabuild lock`, which asks what there is.
    pub(crate) pin: Option<Pin>,
    /// What the definition says, and where it does.
    pub(crate) expected: Vec<(Expected, String)>,
    /// The `Authorization` header.
    pub(crate) authorization: Option<SecretReference>,
    /// `--offline`
    pub(crate) offline: bool,
}

impl Builder for Fetch {
    fn builder(&self) -> BuilderVersion {
        FETCH
    }

    fn options(&self) -> Value {
        json!({ "url": self.url.shown() })
    }

    fn is_import(&self) -> bool {
        true
    }

    /// What is pinned is known without a look at anything.
    fn recall(&self, _: &StatCaches) -> Option<Output> {
        self.pin.as_ref().map(Pin::output)
    }

    fn total_bytes(&self) -> Option<u64> {
        self.pin.as_ref().map(Pin::size_bytes)
    }

    fn needs(&self) -> Tokens {
        // A worker waits for the network with it: as many at a time as there are workers.
        Tokens { cpu: 1, memory_mib: 32, disk: 0 }
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        if let Some(output) = self.in_store(context)? {
            return Ok(output);
        }
        if self.offline {
            return Err(self.offline());
        }
        let folder = context.store.unfinished()?;
        let mut partial = Partial::open(&folder, &self.key())?;
        // Another process may have fetched it while we waited for its file.
        if let Some(output) = self.in_store(context)? {
            partial.remove();
            return Ok(output);
        }
        if !self.url.is_https() && self.pin.is_none() && self.expected.is_empty() {
            (context.warn)(
                "fetched without TLS, so anybody on the way may have chosen its bytes: compare its \
                 digest with the vendor's, best as `sha256=` in the definition",
            );
        }
        self.download(&mut partial, context)?;
        if partial.is_open_ended() && self.pin.is_none() && self.expected.is_empty() {
            (context.warn)(
                "the server does not say how long it is, so its end may be missing: compare its \
                 size with the vendor's",
            );
        }
        let joined = partial.is_joined();
        match self.store(&mut partial, context) {
            // Two halves of two files: the whole may still be right.
            Err(_) if joined => {
                partial.restart()?;
                self.download(&mut partial, context)?;
                self.store(&mut partial, context)
            }
            done => done,
        }
    }
}

impl Fetch {
    fn in_store(&self, context: &BuildContext<'_>) -> Result<Option<Output>, Failure> {
        self.pin.as_ref().map_or(Ok(None), |pin| pin.in_store(context.store))
    }

    /// The name of what is under way: of the declaration and what it is to give.
    fn key(&self) -> String {
        let pinned = self.pin.as_ref().map_or(String::new(), Pin::expectation);
        let key = format!("{} {pinned}", self.declaration);
        Digest::derive("mediabuild 2026-11 fetch", key.as_bytes()).to_string()[..32].to_owned()
    }

    fn offline(&self) -> Failure {
        let message = format!("`{}` is not in the store, and --offline was said", self.url.shown());
        Failure::environment(message).help(match &self.pin {
            Some(pin) => format!(
                "get it on another machine, then: mediabuild store add --expect {} FILE",
                pin.expectation()
            ),
            None => "run it without --offline".into(),
        })
    }

    fn client(&self, context: &BuildContext<'_>) -> Result<Client, Failure> {
        let key = context.store.secret_key()?;
        let secret = self.authorization.as_ref();
        let secret = secret.map(|reference| secret::look_up(reference, &key)).transpose()?;
        Client::new(&self.url, secret)
    }

    /// Brings all bytes to `partial`.
    fn download(&self, partial: &mut Partial, context: &BuildContext<'_>) -> Result<(), Failure> {
        let client = self.client(context)?;
        let begun_bytes = partial.size_bytes();
        context.advance(begun_bytes)?;
        let mut tries = 0;
        while !partial.is_complete() {
            let before = partial.size_bytes();
            let trouble = match self.try_once(&client, partial, context) {
                Ok(()) => continue,
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing(failure)) => failure,
            };
            if partial.size_bytes() >= before + PROGRESS_BYTES {
                tries = 0;
            }
            let Some(wait_ms) = WAITS_MS.get(tries) else { return Err(trouble) };
            tracing::info!("{trouble}; once more in {wait_ms} ms");
            wait(Duration::from_millis(*wait_ms))?;
            tries += 1;
        }
        Ok(())
    }

    /// One request, from where the last one ended.
    fn try_once(
        &self,
        client: &Client,
        partial: &mut Partial,
        context: &BuildContext<'_>,
    ) -> Result<(), Trouble> {
        let begins = partial.resumable();
        if begins.is_none() {
            partial.restart()?;
        }
        let mut reply = client.get(begins.as_ref())?;
        match reply {
            Reply::Rest { .. } => {}
            Reply::Whole { .. } => partial.restart()?,
            Reply::Elsewhere => {
                partial.restart()?;
                return Err(Trouble::Passing(Failure::environment(format!(
                    "`{}` cannot be resumed",
                    self.url.shown()
                ))));
            }
        }
        let (Reply::Whole { body, of } | Reply::Rest { body, of }) = &mut reply else {
            return Ok(());
        };
        self.check_size(of.total_bytes)?;
        partial.note(of)?;
        self.copy(body, partial, context)?;
        partial.end_of_body().map_err(|missing| {
            Trouble::Passing(Failure::environment(format!(
                "`{}` ended {missing} bytes early",
                self.url.shown()
            )))
        })
    }

    /// What the server says it has can be wrong before a byte of it came.
    fn check_size(&self, total_bytes: Option<u64>) -> Result<(), Trouble> {
        let Some(pin) = &self.pin else { return Ok(()) };
        match total_bytes {
            Some(total) if total != pin.size_bytes() => Err(Trouble::Final(pin.wrong_size(total))),
            _ => Ok(()),
        }
    }

    fn copy(
        &self,
        body: &mut Body,
        partial: &mut Partial,
        context: &BuildContext<'_>,
    ) -> Result<(), Trouble> {
        let mut buffer = vec![0; 128 << 10];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) => return Err(http::interrupted(&self.url, &error)),
            };
            partial.write_all(&buffer[..count])?;
            context.advance(count as u64)?;
            let size_bytes = partial.size_bytes();
            if let Some(pin) = self.pin.as_ref().filter(|pin| size_bytes > pin.size_bytes()) {
                partial.restart()?;
                return Err(Trouble::Final(pin.wrong_size(size_bytes)));
            }
        }
    }

    /// Stores what was downloaded, if it is right; what is wrong is not kept.
    fn store(&self, partial: &mut Partial, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let stored = self.verify_and_commit(partial.file(), context);
        match stored {
            Ok(output) => {
                partial.remove();
                Ok(output)
            }
            Err(failure) => {
                partial.restart()?;
                Err(failure)
            }
        }
    }

    fn verify_and_commit(
        &self,
        file: &mut File,
        context: &BuildContext<'_>,
    ) -> Result<Output, Failure> {
        let rewound = file.seek(SeekFrom::Start(0));
        rewound.map_err(|error| Failure::environment(format!("cannot read again: {error}")))?;
        let mut sha256 = self.expected.iter().find_map(|(expected, _)| expected.hasher());
        let mut batch = context.store.batch()?;
        let content = batch.put_file(file, &mut |piece| {
            if let Some(sha256) = &mut sha256 {
                sha256.update(piece);
            }
            !cancel::is_cancelled()
        })?;
        let sha256: Option<[u8; 32]> = sha256.map(|sha256: Sha256| sha256.finalize().into());
        let output = Output::Content(content);
        for (expected, place) in &self.expected {
            if let Some(found) = expected.differs(&content, sha256) {
                return Err(self.unexpected(expected, place, &found));
            }
        }
        if let Some(pin) = &self.pin {
            pin.check(&output, || Ok(content.size_bytes))?;
        }
        if let Some(sha256) = sha256 {
            batch.put_memo(SHA256_MEMO, &content.digest, &sha256)?;
        }
        batch.commit()?;
        Ok(output)
    }

    fn unexpected(&self, expected: &Expected, place: &str, found: &Expected) -> Failure {
        let message = format!(
            "`{}` is not what {place} says, so it was not stored\n  expected: {expected}\n  found:    {found}",
            self.url.shown()
        );
        Failure::build(message).help(format!(
            "ask the vendor which is right; then change {place}, and run mediabuild lock"
        ))
    }
}

/// Sleeps, unless Ctrl-C is pressed.
fn wait(duration: Duration) -> Result<(), Failure> {
    let step = Duration::from_millis(50);
    let mut left = duration;
    while !left.is_zero() {
        cancel::check()?;
        std::thread::sleep(left.min(step));
        left = left.saturating_sub(step);
    }
    Ok(())
}
