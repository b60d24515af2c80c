//! URLs of sources: what may be fetched, and how one is shown without what may be secret in it.

use crate::definition::Url;
use crate::problem::Problem;

/// Longer ones are refused by servers, too.
const BYTES_MAX: usize = 8192;

impl Url {
    /// The URL as it is sent. Never to be printed: a query may hold a token.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The URL for people, logs and the lock: of a query, only the names.
    pub fn shown(&self) -> String {
        let Some((path, query)) = self.text.split_once('?') else { return self.text.clone() };
        let hide = |pair: &str| match pair.split_once('=') {
            Some((name, _)) => format!("{name}=***"),
            None => "***".into(),
        };
        let pairs: Vec<String> = query.split('&').map(hide).collect();
        format!("{path}?{}", pairs.join("&"))
    }

    /// Whether nobody on the way can change what is fetched.
    pub fn is_https(&self) -> bool {
        self.text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// The last part of the path, as a file would be called.
    pub fn file_name(&self) -> Option<String> {
        let path = self.text.split('?').next()?;
        let (_, path) = path.split_once("://")?.1.split_once('/')?;
        let name = decoded(path.rsplit('/').next()?)?;
        check_file_name(&name).is_ok().then_some(name)
    }
}

/// `%20` as a space; `None` if that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// The URL that is written, if it is one that can be fetched.
pub(crate) fn parse(written: &str) -> Result<Url, Problem> {
    let wrong =
        |label, message: &str, help: &str| Err(Problem::new("invalid-url", label, message, help));
    let example = "write it like `\"https://vendor.example/pack.cab\"`";
    let Some((scheme, rest)) = written.split_once("://") else {
        return wrong("not a URL", "this is not a URL", example);
    };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        let help = match scheme.eq_ignore_ascii_case("file") {
            true => "name a file of the project by its path: `source \"inputs/pack.cab\"`",
            false => "name a file at an `https://` URL, or download it and name it by its path",
        };
        return wrong("not fetched", "only `https://` and `http://` are fetched", help);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Problem::new(
            "secret-in-url",
            "may hold a password",
            "a URL in a definition holds no user and no password",
            "leave them out, and say where the secret is: `authorization=(secret)\"env:TOKEN\"`, \
             whose value is sent as the `Authorization` header, such as `Bearer …`",
        ));
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    if host.is_empty() {
        return wrong("no host", "the URL has no host", example);
    }
    if rest.contains('#') {
        return wrong(
            "never sent",
            "what stands behind `#` is not sent to a server",
            "leave it out",
        );
    }
    if written.len() > BYTES_MAX {
        return wrong("too long", "the URL is longer than servers take", "name a shorter one");
    }
    let is_plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    if !written.bytes().all(is_plain) {
        let help = "write other characters as `%` and two digits, such as `%20` for a space";
        return wrong("not allowed", "the URL holds a character that URLs cannot have", help);
    }
    Ok(Url { text: written.to_owned() })
}

/// The name that a fetched file gets.
pub(crate) fn check_file_name(name: &str) -> Result<(), Problem> {
    let name_is_one = !name.contains(['/', '\\']) && !name.contains(char::is_control);
    if name_is_one && super::output::can_be_made(name) && !name.is_empty() && name != ".." {
        return Ok(());
    }
    let message = format!("`{}` cannot be a file name on Windows", name.escape_debug());
    let help = "write letters, digits, `-`, `_` and `.`, such as `\"agent.msi\"`";
    Err(Problem::new("invalid-path", "cannot be made", message, help))
}

/// 64 hexadecimal digits, in lower case.
pub(crate) fn digest(written: &str) -> Result<String, Problem> {
    if written.len() == 64 && written.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(written.to_lowercase());
    }
    let message = format!(
        "a digest has 64 hexadecimal digits, this has {} characters",
        written.chars().count()
    );
    Err(Problem::new("invalid-digest", "not a digest", message, "copy all of it, without a prefix"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for (url, shown, name) in [
            (
                "https://v.example/a/pack%201.cab",
                "https://v.example/a/pack%201.cab",
                Some("pack 1.cab"),
            ),
            (
                "https://v.example/get.php?id=7&sig=abc&x",
                "https://v.example/get.php?id=***&sig=***&***",
                Some("get.php"),
            ),
            ("http://v.example:8080/", "http://v.example:8080/", None),
            ("http://v.example", "http://v.example", None),
            ("https://v.example/nul.cab", "https://v.example/nul.cab", None),
            ("https://v.example/%2e%2e", "https://v.example/%2e%2e", None),
            ("https://v.example/a%2Fb", "https://v.example/a%2Fb", None),
            ("https://v.example/%zz", "https://v.example/%zz", None),
        ] {
            let parsed = parse(url).expect(url);
            assert_eq!((parsed.shown().as_str(), parsed.file_name().as_deref()), (shown, name));
            assert_eq!(format!("{parsed:?}"), format!("Url({shown})"));
        }
    }

    #[test]
    fn only_what_can_be_fetched_is_taken() {
        for url in [
            "",
            "vendor.example/a",
            "file:///etc/passwd",
            "ftp://v.example/a",
            "https:///a",
            "https://:80/a",
            "https://u:p@v.example/a",
            "https://u@v.example",
            "https://v.example/a b",
            "https://v.example/ä",
            "https://v.example/a#b",
            "https://v.example/\u{7}",
            "https://v.example/\"",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
