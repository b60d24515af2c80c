//! HTTP: one GET, and its reply held against what was asked for. Nothing a server says is trusted
//! with memory: headers are bounded, and bodies are streams.

use std::io::{self, Read};
use std::time::Duration;

use mediabuild_schema::definition::Url;
use ureq::http::{HeaderMap, Response, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use super::partial::{Begins, Whole};
use crate::failure::Failure;
use crate::secret::Secret;

/// To reach the server, and to hear its first word.
const CONNECT: Duration = Duration::from_secs(30);
const FIRST_WORD: Duration = Duration::from_secs(60);

/// Silence within a body: the next try goes on where this one ended.
const SILENCE: Duration = Duration::from_secs(20);

const REDIRECTS_MAX: u32 = 5;

/// Why a request failed.
pub(super) enum Trouble {
    /// Another try may help.
    Passing(Failure),
    Final(Failure),
}

impl From<Failure> for Trouble {
    /// What fails on this machine fails again.
    fn from(failure: Failure) -> Self {
        Trouble::Final(failure)
    }
}

/// The bytes of a reply.
pub(super) type Body = Box<dyn Read>;

/// What came back.
pub(super) enum Reply {
    /// The file from its first byte.
    Whole { body: Body, of: Whole },
    /// The bytes that were asked for, of the file they were asked of.
    Rest { body: Body, of: Whole },
    /// The server cannot go on where we were.
    Elsewhere,
}

/// A client for one URL.
pub(super) struct Client {
    agent: Agent,
    url: Url,
    authorization: Option<Secret>,
}

impl Client {
    pub(super) fn new(url: &Url, authorization: Option<Secret>) -> Result<Self, Failure> {
        let config = Agent::config_builder()
            .https_only(url.is_https())
            .http_status_as_error(false)
            .max_redirects(REDIRECTS_MAX)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(FIRST_WORD))
            .timeout_per_read(Some(SILENCE))
            .max_response_header_size(64 << 10)
            .user_agent(concat!("mediabuild/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots()?).build())
            .proxy(Proxy::try_from_env());
        Ok(Client { agent: config.build().new_agent(), url: url.clone(), authorization })
    }

    /// Asks for the file, from where it `begins` on.
    pub(super) fn get(&self, begins: Option<&Begins>) -> Result<Reply, Trouble> {
        // A compressed reply would be another file, and its ranges other ranges.
        let mut request = self.agent.get(self.url.reveal()).header("Accept-Encoding", "identity");
        if let Some(secret) = &self.authorization {
            request = request.header("Authorization", secret.reveal());
        }
        if let Some(begins) = begins {
            request = request
                .header("Range", format!("bytes={}-", begins.offset_bytes))
                .header("If-Range", &begins.validator);
        }
        let reply = request.call().map_err(|error| trouble(&self.url, &error))?;
        self.sort(reply, begins)
    }

    fn sort(&self, reply: Response<ureq::Body>, begins: Option<&Begins>) -> Result<Reply, Trouble> {
        let status = reply.status().as_u16();
        let headers = reply.headers();
        if headers.get("Content-Encoding").is_some_and(|encoding| encoding != "identity") {
            let message = format!("`{}` comes compressed, unasked", self.url.shown());
            return Err(Trouble::Final(Failure::build(message).help("name another URL")));
        }
        let validator = validator(headers);
        match (status, begins) {
            (200, _) => {
                let length = headers.get(header::CONTENT_LENGTH);
                let total_bytes = length.and_then(|length| length.to_str().ok()?.parse().ok());
                let is_open_ended =
                    total_bytes.is_none() && !headers.contains_key(header::TRANSFER_ENCODING);
                let of = Whole { validator, total_bytes, is_open_ended };
                Ok(Reply::Whole { body: body(reply), of })
            }
            (206, Some(begins)) => {
                let range =
                    headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
                let range = range.and_then(content_range);
                let same = range.is_some_and(|(offset_bytes, total_bytes)| {
                    offset_bytes == begins.offset_bytes
                        && begins.total_bytes.is_none_or(|total| Some(total) == total_bytes)
                });
                let same = same && validator.as_ref().is_none_or(|it| *it == begins.validator);
                let Some((_, total_bytes)) = range.filter(|_| same) else {
                    return Ok(Reply::Elsewhere);
                };
                let of = Whole {
                    validator: Some(begins.validator.clone()),
                    total_bytes,
                    is_open_ended: false,
                };
                Ok(Reply::Rest { body: body(reply), of })
            }
            (416, Some(_)) => Ok(Reply::Elsewhere),
            _ => Err(self.refused(status)),
        }
    }

    fn refused(&self, status: u16) -> Trouble {
        let failure =
            Failure::environment(format!("`{}`: the server says {status}", self.url.shown()));
        match status {
            408 | 425 | 429 | 500 | 502..=504 => Trouble::Passing(failure),
            401 | 403 | 407 => Trouble::Final(failure.help(
                "the server wants to know who asks: `authorization=(secret)\"env:NAME\"` in the \
                 source, or download it by hand and run `mediabuild store add`",
            )),
            404 | 410 => Trouble::Final(failure.help(
                "the file is not there any more: name another URL, or put a copy into the store \
                 with `mediabuild store add`",
            )),
            _ => Trouble::Final(failure),
        }
    }
}

fn body(reply: Response<ureq::Body>) -> Body {
    Box::new(reply.into_body().into_reader())
}

/// What tells two files at one URL apart: a weak `ETag` does not, byte for byte.
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let tag = text(header::ETAG).filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| text(header::LAST_MODIFIED))
}

/// `bytes 100-199/200`: where the range begins, and how large the whole is, if that is known.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    let is_sane = first <= last && total.is_none_or(|total| last < total);
    is_sane.then_some((first, total))
}

/// A body that broke off.
pub(super) fn interrupted(url: &Url, error: &io::Error) -> Trouble {
    match error.get_ref().and_then(|error| error.downcast_ref::<ureq::Error>()) {
        Some(error) => trouble(url, error),
        None => Trouble::Passing(said(url, &error.to_string())),
    }
}

fn said(url: &Url, what: &str) -> Failure {
    Failure::environment(format!("cannot fetch `{}`: {what}", url.shown()))
}

/// The client's errors in the user's words; its own hold URLs, which may hold secrets.
fn trouble(url: &Url, error: &ureq::Error) -> Trouble {
    use ureq::Error;
    match error {
        Error::HostNotFound => {
            Trouble::Passing(said(url, "its host is not found").help(OFFLINE_HELP))
        }
        Error::Timeout(_) => Trouble::Passing(said(url, "the server is silent")),
        Error::TooManyRedirects | Error::RedirectFailed => Trouble::Final(
            said(url, &format!("it redirects more than {REDIRECTS_MAX} times"))
                .help("name the URL that it leads to in the end"),
        ),
        Error::RequireHttpsOnly(_) => Trouble::Final(
            said(url, "it redirects from https to http, which anybody on the way could change")
                .help("name another URL"),
        ),
        Error::Rustls(error) => Trouble::Final(tls(url, &error.to_string())),
        Error::Tls(what) => Trouble::Final(tls(url, what)),
        Error::Io(error) => in_io(url, error),
        Error::ConnectionFailed => Trouble::Passing(said(url, "no connection").help(OFFLINE_HELP)),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => Trouble::Final(
            said(url, "the proxy refuses").help("look at HTTPS_PROXY, ALL_PROXY and NO_PROXY"),
        ),
        Error::LargeResponseHeader(..) => Trouble::Final(said(url, "its headers are too large")),
        Error::Protocol(error) => {
            Trouble::Passing(said(url, &format!("the reply is not HTTP: {error}")))
        }
        Error::BadUri(_) | Error::Http(_) => Trouble::Final(said(url, "it leads to no valid URL")),
        _ => Trouble::Passing(said(url, "the connection broke")),
    }
}

const OFFLINE_HELP: &str = "look at the network and at HTTPS_PROXY; or get the file on another machine, and \
                            put it into the store: mediabuild store add FILE";

fn in_io(url: &Url, error: &io::Error) -> Trouble {
    let inner = error.get_ref().map(ToString::to_string);
    match (error.kind(), inner) {
        (io::ErrorKind::InvalidData, Some(inner)) => Trouble::Final(tls(url, &inner)),
        (io::ErrorKind::ConnectionRefused, _) => {
            Trouble::Passing(said(url, "the connection is refused").help(OFFLINE_HELP))
        }
        _ => Trouble::Passing(said(url, &format!("the connection broke: {error}"))),
    }
}

fn tls(url: &Url, what: &str) -> Failure {
    said(url, &format!("TLS: {what}")).help(
        "look at this machine's clock; where a proxy reads what passes by, name its certificate: \
         SSL_CERT_FILE=/path/ca.pem",
    )
}

/// Where Linux distributions keep the certificate authorities that an administrator chose.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whom to trust: `SSL_CERT_FILE`, else the machine's bundle, else Mozilla's as of this build.
fn roots() -> Result<RootCerts, Failure> {
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
        let path = std::path::PathBuf::from(path);
        let pem = std::fs::read(&path).map_err(|error| Failure::io("read", &path, &error))?;
        let found = certificates(&pem);
        if found.is_empty() {
            return Err(Failure::usage(format!("`{}` holds no certificate", path.display()))
                .help("SSL_CERT_FILE names a PEM file"));
        }
        return Ok(RootCerts::new_with_certs(&found));
    }
    let bundle = BUNDLES.iter().find_map(|path| std::fs::read(path).ok());
    let found = bundle.map(|pem| certificates(&pem)).unwrap_or_default();
    Ok(if found.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&found) })
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let items = parse_pem(pem).filter_map(Result::ok);
    items
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn ranges_are_read_with_distrust() {
        assert_eq!(content_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(content_range("bytes 100-199/*"), Some((100, None)));
        for bad in [
            "",
            "bytes",
            "bytes */200",
            "bytes 5-4/200",
            "bytes 0-200/200",
            "items 0-1/2",
            "bytes 0-1/99999999999999999999999",
            "bytes -1-2/3",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
