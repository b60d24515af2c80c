//! Sources with `url=` through the command line, against a small HTTP server on this machine that
//! cuts, lies, redirects and changes its files.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use harness::{Run, TestSpace};

// ---- the server ----

/// What was asked.
#[derive(Debug, Clone, Default)]
struct Asked {
    path: String,
    /// By lower-case name.
    headers: BTreeMap<String, String>,
    /// How many requests came before.
    before: usize,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first byte of the range that is wanted.
    fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What is answered: a status, headers and a body, of which so many bytes are sent.
struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn whole(body: &[u8], tag: &str) -> Answer {
    let headers = vec![("Content-Length", body.len().to_string()), ("ETag", format!("\"{tag}\""))];
    Answer { status: "200 OK", headers, body: body.to_vec() }
}

fn part(body: &[u8], from: usize, tag: &str) -> Answer {
    let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
    let headers = vec![
        ("Content-Length", (body.len() - from).to_string()),
        ("Content-Range", range),
        ("ETag", format!("\"{tag}\"")),
    ];
    Answer { status: "206 Partial Content", headers, body: body[from..].to_vec() }
}

fn status(status: &'static str) -> Answer {
    Answer { status, headers: vec![("Content-Length", "0".into())], body: Vec::new() }
}

fn redirect(to: &str) -> Answer {
    let headers = vec![("Content-Length", "0".into()), ("Location", to.to_owned())];
    Answer { status: "302 Found", headers, body: Vec::new() }
}

impl Answer {
    /// Sends `count` bytes of the body, whatever was said of its length.
    fn cut(mut self, count: usize) -> Self {
        self.body.truncate(count);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| *header != name);
        self
    }
}

type Behaviour = dyn Fn(&Asked) -> Answer + Send + Sync;

/// A server that lives as long as the test's process.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    behaviour: Arc<Mutex<Arc<Behaviour>>>,
}

impl Server {
    fn new(behaviour: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let behaviour: Arc<Mutex<Arc<Behaviour>>> = Arc::new(Mutex::new(Arc::new(behaviour)));
        let server = Server {
            address: listener.local_addr().expect("an address"),
            asked: Arc::default(),
            behaviour,
        };
        let (asked, behaviour) = (Arc::clone(&server.asked), Arc::clone(&server.behaviour));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, behaviour) = (Arc::clone(&asked), Arc::clone(&behaviour));
                std::thread::spawn(move || serve(&stream, &asked, &behaviour));
            }
        });
        server
    }

    /// From now on it behaves so.
    fn becomes(&self, behaviour: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
        *self.behaviour.lock().expect("no panic") = Arc::new(behaviour);
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests until now, which are forgotten.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

fn serve(stream: &TcpStream, asked: &Mutex<Vec<Asked>>, behaviour: &Mutex<Arc<Behaviour>>) {
    let mut answering = stream;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(2))).expect("a time-out");
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(first)) = lines.next() else {
        // Whoever speaks TLS hears plain text.
        let _ = answering.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        return;
    };
    let mut request =
        Asked { path: first.split(' ').nth(1).unwrap_or_default().to_owned(), ..Asked::default() };
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(": ") {
            request.headers.insert(name.to_lowercase(), value.to_owned());
        }
    }
    {
        let mut asked = asked.lock().expect("no panic");
        request.before = asked.len();
        asked.push(request.clone());
    }
    let behaviour = Arc::clone(&behaviour.lock().expect("no panic"));
    let answer = behaviour(&request);
    let mut text = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        text += &format!("{name}: {value}\r\n");
    }
    let _ = answering.write_all(format!("{text}\r\n").as_bytes());
    let _ = answering.write_all(&answer.body);
}

// ---- projects ----

/// 300,000 bytes that compress badly and begin with a seed.
fn bytes(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..300_000).map(|_| next()).collect()
}

fn b3(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// A project with one package out of a URL; `more` are properties.
fn space_of(url: &str, more: &str) -> TestSpace {
    let space = TestSpace::new();
    define(&space, url, more);
    space
}

fn define(space: &TestSpace, url: &str, more: &str) {
    let text = format!(
        "project \"fetched\"\n\npackage \"agent\" {{\n    source url=\"{url}\" {more}\n}}\n"
    );
    space.write("mediabuild.kdl", text);
}

fn lock_text(space: &TestSpace) -> String {
    fs::read_to_string(space.project().join("mediabuild.lock")).unwrap_or_default()
}

/// Forgets all contents, not the lock.
fn lose_store(space: &TestSpace) {
    fs::remove_dir_all(space.store()).expect("removed");
    let _ = fs::remove_dir_all(space.project().join("result"));
}

fn built(space: &TestSpace, name: &str) -> Vec<u8> {
    fs::read(space.result("package/agent").join(name)).expect("a result")
}

/// Nothing that the server sent is a content of the store.
#[track_caller]
fn stores_nothing(space: &TestSpace) {
    let files = harness::tree(&space.store());
    let kept =
        files.iter().filter(|(name, _)| name.starts_with("objects/") || name.starts_with("packs/"));
    // Parsed definitions may be there; 300,000 bytes are not.
    let large = kept.filter(|(_, bytes)| bytes.len() > 100_000).count();
    assert_eq!(large, 0, "{:?}", files.keys());
}

// ---- what is right ----

#[test]
fn a_url_is_fetched_once_and_pinned() {
    let server = Server::new(|_| whole(&bytes(1), "one"));
    let url = server.url("/packs/agent%20x64.msi");
    let space = space_of(&url, "");
    let run = space.run(&["build", "agent"]);
    run.expect(2)
        .says("not-pinned")
        .says("is fetched, and no lock pins it")
        .says("mediabuild lock");
    assert!(server.asked().is_empty(), "without a pin nothing is fetched");

    let run = space.run(&["lock"]);
    run.expect(0).says("pinned").says("fetched without TLS");
    let line = format!("url \"{url}\" digest=\"blake3:{}\" size=300000 declared=\"", b3(&bytes(1)));
    assert!(lock_text(&space).contains(&line), "{}", lock_text(&space));
    assert_eq!(server.asked().len(), 1);
    space.run(&["lock"]).expect(0).says("nothing changed");
    space.run(&["build", "agent", "--locked"]).expect(0);
    space.run(&["build", "agent", "--offline"]).expect(0).says("(unchanged)");
    assert!(server.asked().is_empty(), "it is in the store");
    assert_eq!(built(&space, "agent x64.msi"), bytes(1));

    lose_store(&space);
    space.run(&["build", "agent"]).expect(0);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("accept-encoding"), Some("identity"));
    assert!(asked[0].header("user-agent").is_some_and(|agent| agent.starts_with("mediabuild/")));
    assert_eq!(harness::names(&space.store().join("unfinished")), Vec::<String>::new());
}

#[test]
fn a_definition_can_name_the_file_and_its_digests() {
    let server = Server::new(|_| whole(&bytes(2), "two"));
    let url = server.url("/download.php?id=7");
    let digest = b3(&bytes(2));
    let space = space_of(&url, &format!("blake3=\"{digest}\" file-name=\"agent.msi\""));
    let run = space.run(&["lock"]);
    run.expect(0);
    assert!(!run.stderr.contains("without TLS"), "the digest says what must come");
    space.run(&["build", "agent"]).expect(0);
    assert_eq!(built(&space, "agent.msi"), bytes(2));
}

// ---- what differs ----

#[test]
fn a_file_that_changed_is_refused_with_both_digests_and_the_line() {
    let server = Server::new(|_| whole(&bytes(1), "one"));
    let space = space_of(&server.url("/agent.msi"), "");
    space.run(&["lock"]).expect(0);
    lose_store(&space);
    server.becomes(|_| whole(&bytes(9), "nine"));
    let run = space.run(&["build", "agent"]);
    run.expect(1).says("is not what mediabuild.lock:4 pins");
    run.says(&format!("pinned: blake3:{}, 300000 bytes", b3(&bytes(1))));
    run.says(&format!("found:  blake3:{}, 300000 bytes", b3(&bytes(9))));
    run.says("mediabuild lock --update");
    stores_nothing(&space);
    assert!(!space.project().join("result").exists());
    space.run(&["build", "agent", "--locked"]).expect(2);

    // Another size shows before a byte of it is read, or as soon as it is too much.
    server.becomes(|_| whole(&[bytes(1), vec![0]].concat(), "longer"));
    space.run(&["build", "agent"]).expect(1).says("300001 bytes or more");
    server.becomes(|_| whole(&bytes(1).repeat(40), "endless").without("Content-Length"));
    space.run(&["build", "agent"]).expect(1).says("300000 bytes").says("bytes or more");
    stores_nothing(&space);

    server.becomes(|_| whole(&bytes(9), "nine"));
    let url = server.url("/agent.msi");
    space.run(&["lock", "--update", &url]).expect(0).says("pinned anew");
    space.run(&["build", "agent", "--locked"]).expect(0);
    assert_eq!(built(&space, "agent.msi"), bytes(9));
}

#[test]
fn a_changed_url_is_never_built_from_the_old_content() {
    let server = Server::new(|asked| whole(&bytes(asked.path.len() as u8), "x"));
    let space = space_of(&server.url("/agent-1.msi"), "");
    space.run(&["lock"]).expect(0);
    space.run(&["build", "agent"]).expect(0);
    define(&space, &server.url("/agent-10.msi"), "");
    let run = space.run(&["build", "agent"]);
    run.expect(2).says("not-pinned").says("this pins what nothing declares any more");
    space.run(&["lock"]).expect(0).says("dropped").says("pinned");
    // A query is shown without its values; that it changed is seen all the same.
    for (more, code) in [("?v=1", "not-pinned"), ("?v=2", "stale-pin")] {
        define(&space, &server.url(&format!("/agent.msi{more}")), "");
        space.run(&["build", "agent"]).expect(2).says(code);
        space.run(&["lock"]).expect(0);
        space.run(&["build", "agent"]).expect(0);
    }
}

#[test]
fn what_a_vendor_publishes_is_held_against_what_comes() {
    let server = Server::new(|_| whole(&bytes(3), "three"));
    let wrong = "00".repeat(32);
    let url = server.url("/agent.msi");
    let space = space_of(&url, &format!("sha256=\"{wrong}\""));
    let run = space.run(&["lock"]);
    run.expect(1)
        .says("is not what mediabuild.kdl:4 says")
        .says(&format!("expected: sha256:{wrong}"));
    let found = run.stderr.split("found:    sha256:").nth(1).expect("a digest");
    let found = found[..64].to_owned();
    stores_nothing(&space);
    assert_eq!(lock_text(&space), "");
    define(&space, &url, &format!("sha256=\"{}\"", found.to_uppercase()));
    space.run(&["lock"]).expect(0);
    // The pin in the definition is part of what was declared.
    define(&space, &url, &format!("sha256=\"{wrong}\""));
    space.run(&["build", "agent"]).expect(2).says("stale-pin");
}

// ---- without a network ----

#[test]
fn offline_says_what_to_supply_and_takes_it() {
    let server = Server::new(|_| whole(&bytes(4), "four"));
    let url = server.url("/agent.msi");
    let space = space_of(&url, "");
    space.run(&["lock", "--offline"]).expect(3).says("--offline was said");
    space.run(&["lock"]).expect(0);
    lose_store(&space);
    server.asked();
    let run = space.run(&["build", "agent", "--offline"]);
    let expect = format!("blake3:{}", b3(&bytes(4)));
    run.expect(3).says(&url).says(&format!("mediabuild store add --expect {expect} FILE"));
    let file = space.path().join("by-hand");
    fs::write(&file, bytes(4)).expect("written");
    let file = file.to_str().expect("UTF-8");
    space.run(&["store", "add", "--expect", &expect, file]).expect(0).says("names it");
    space.run(&["build", "agent", "--offline"]).expect(0);
    assert!(server.asked().is_empty());
}

#[test]
fn what_fails_is_named() {
    let server = Server::new(|_| status("404 Not Found"));
    let space = space_of(&server.url("/agent.msi"), "");
    let run = space.run(&["lock"]);
    run.expect(3).says("the server says 404").says("name another URL");
    assert_eq!(server.asked().len(), 1, "there is no use in asking again");
    server.becomes(|_| status("401 Unauthorized"));
    space.run(&["lock"]).expect(3).says("the server says 401").says("authorization=");
    server.becomes(|_| redirect("/again"));
    space.run(&["lock"]).expect(3).says("redirects more than 5 times");
    assert!(server.asked().len() < 10);
    server.becomes(|_| {
        let mut answer = whole(&bytes(1), "x");
        answer.headers.push(("Content-Encoding", "gzip".into()));
        answer
    });
    space.run(&["lock"]).expect(1).says("comes compressed, unasked");
    // A server that speaks no TLS.
    define(&space, &server.url("/agent.msi").replace("http:", "https:"), "");
    space.run(&["lock"]).expect(3).says("TLS").says("SSL_CERT_FILE");
    let mut bad = space.command();
    let bad = Run::of(bad.arg("lock").env("SSL_CERT_FILE", space.project().join("mediabuild.kdl")));
    bad.expect(2).says("holds no certificate");
}

#[test]
fn a_server_that_is_not_there_is_named_after_a_few_tries() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/agent.msi", closed.local_addr().expect("an address"));
    drop(closed);
    let space = space_of(&url, "");
    space.run(&["lock"]).expect(3).says(&url).says("the connection is refused");
    assert_eq!(lock_text(&space), "");
}

#[test]
fn a_busy_server_is_asked_again() {
    let server = Server::new(|asked| match asked.before {
        0 => status("503 Service Unavailable"),
        1 => redirect("/moved/agent.msi"),
        _ => whole(&bytes(5), "five"),
    });
    let space = space_of(&server.url("/agent.msi"), "");
    space.run(&["lock"]).expect(0);
    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/agent.msi", "/agent.msi", "/moved/agent.msi"]);
}

// ---- broken off ----

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let server = Server::new(|asked| match asked.from() {
        None => whole(&bytes(6), "six").cut(123_456),
        Some(from) => part(&bytes(6), from, "six"),
    });
    let space = space_of(&server.url("/agent.msi"), "");
    space.run(&["lock"]).expect(0);
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].header("range"), Some("bytes=123456-"));
    assert_eq!(asked[1].header("if-range"), Some("\"six\""));
    assert!(lock_text(&space).contains(&b3(&bytes(6))));
}

#[test]
fn a_download_goes_on_in_another_process() {
    let server = Server::new(|asked| match asked.from() {
        None => whole(&bytes(7), "seven").cut(200_000),
        Some(from) => part(&bytes(7), from, "seven").cut(0),
    });
    let space = space_of(&server.url("/agent.msi"), "");
    space.run(&["lock"]).expect(3).says("cannot fetch");
    stores_nothing(&space);
    server.asked();
    server.becomes(|asked| part(&bytes(7), asked.from().expect("a range"), "seven"));
    space.run(&["lock"]).expect(0);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].from(), Some(200_000));
    space.run(&["build", "agent"]).expect(0);
    assert_eq!(built(&space, "agent.msi"), bytes(7));
}

#[test]
fn a_file_that_changes_between_two_ranges_is_never_a_mixture() {
    // An honest server sends the new file whole, a dishonest one its rest under the old tag.
    let honest: Box<Behaviour> = Box::new(|asked: &Asked| match asked.before {
        0 => whole(&bytes(8), "old").cut(100_000),
        _ => whole(&bytes(9), "new"),
    });
    let dishonest: Box<Behaviour> = Box::new(|asked: &Asked| match (asked.before, asked.from()) {
        (0, _) => whole(&bytes(8), "old").cut(100_000),
        (1, Some(from)) => part(&bytes(9), from, "old"),
        _ => whole(&bytes(9), "new"),
    });
    let elsewhere: Box<Behaviour> = Box::new(|asked: &Asked| match (asked.before, asked.from()) {
        (0, _) => whole(&bytes(8), "old").cut(100_000),
        (1, Some(from)) => part(&bytes(9), from - 5, "old"),
        _ => whole(&bytes(9), "new"),
    });
    for behaviour in [honest, dishonest, elsewhere] {
        let server = Server::new(|_| whole(&bytes(9), "new"));
        let space = space_of(&server.url("/agent.msi"), "");
        space.run(&["lock"]).expect(0);
        lose_store(&space);
        server.asked();
        server.becomes(behaviour);
        space.run(&["build", "agent"]).expect(0);
        assert!((2..=3).contains(&server.asked().len()));
        assert_eq!(built(&space, "agent.msi"), bytes(9));
    }
}

#[test]
fn a_server_that_lies_about_the_length_gives_no_pin() {
    let server = Server::new(|_| {
        let mut answer = whole(&bytes(1), "liar");
        answer.headers[0].1 = "400000".into();
        answer
    });
    let space = space_of(&server.url("/agent.msi"), "");
    // Each try begins at the start again, for it says that it has the rest, and has not.
    space.run(&["lock"]).expect(3);
    assert_eq!(lock_text(&space), "");
    stores_nothing(&space);
    assert!(server.asked().len() <= 6);
    // One that says nothing of it may have sent half.
    server.becomes(|_| whole(&bytes(1), "mute").without("Content-Length"));
    space.run(&["lock"]).expect(0).says("does not say how long it is");
}

// ---- secrets ----

#[test]
fn ctrl_c_does_not_wait_for_a_silent_server() {
    let server = Server::new(|_| {
        std::thread::sleep(std::time::Duration::from_secs(15));
        status("200 OK")
    });
    let space = space_of(&server.url("/agent.msi"), "");
    let mut lock = space.command();
    let lock = lock.arg("lock").stderr(std::process::Stdio::piped());
    let mut child = lock.spawn().expect("the program starts");
    while server.asked().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let pressed = std::time::Instant::now();
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill").success(), "it was over already");
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    assert!(pressed.elapsed().as_secs() < 3, "it took {:?} to stop", pressed.elapsed());
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("piped"), &mut said)
        .expect("text");
    assert!(said.contains("stopped") && !said.contains("panicked"), "{said}");
    assert_eq!(lock_text(&space), "", "nothing is pinned");
}

#[test]
fn what_may_be_secret_is_said_nowhere() {
    let server = Server::new(|asked| match asked.path.contains("moved") {
        false => redirect("/moved/agent.msi?key=TOKEN2"),
        true => whole(&bytes(1), "x"),
    });
    let url = server.url("/agent.msi?sig=TOKEN1");
    let space = space_of(&url, "authorization=(secret)\"env:VENDOR\"");
    let mut said = String::new();
    let mut run = |arguments: &[&str]| {
        let mut command = space.command();
        let run = Run::of(command.args(arguments).env("VENDOR", "Bearer TOKEN3"));
        said += &format!("{}{}", run.stdout, run.stderr);
        run.code
    };
    assert_eq!(run(&["lock", "-vv"]), Some(0));
    assert_eq!(run(&["build", "agent", "-v", "--format", "json"]), Some(0));
    assert_eq!(run(&["plan", "agent", "-v", "--format", "json"]), Some(0));
    assert_eq!(run(&["graph", "agent"]), Some(0));
    assert_eq!(run(&["check", "-v"]), Some(0));
    assert_eq!(run(&["store", "roots"]), Some(0));
    server.becomes(|_| status("500 Broken"));
    assert_eq!(run(&["lock", "--update"]), Some(3));
    said += &lock_text(&space);
    assert!(said.contains("sig=***"), "{said}");
    let spoken: Vec<&str> = said.lines().filter(|line| line.contains("TOKEN")).collect();
    assert!(spoken.is_empty(), "{spoken:#?}");
    let asked = server.asked();
    assert_eq!(asked[0].header("authorization"), Some("Bearer TOKEN3"));
    assert_eq!(asked[1].header("authorization"), None, "a redirect gets no secret");
    // It is looked up only when something is fetched.
    space.run(&["build", "agent"]).expect(0);
    space.run(&["lock", "--update"]).expect(2).says("`env:VENDOR` is not set");
}

// ---- the example ----

/// What the README of `examples/locked` tells users to do.
#[test]
fn the_example_builds_once_its_files_are_supplied() {
    let space = TestSpace::new();
    harness::copy_tree(&harness::root().join("examples/locked"), &space.project());
    let _ = fs::remove_dir_all(space.project().join("inputs"));
    space.run(&["check"]).expect(0).says("not here, to be found in the store: inputs/setup.exe");
    let run = space.run(&["build", "licensed-tool"]);
    run.expect(1).says("`inputs/setup.exe` is not here").says("mediabuild store add --expect");
    space.run(&["build", "agent", "--offline"]).expect(3).says("--offline was said");
    let readme = fs::read_to_string(space.project().join("README.md")).expect("a README");
    let expected: Vec<&str> = readme.split("--expect ").skip(1).map(|rest| &rest[..71]).collect();
    let texts =
        ["stands for a licensed installer\n", "stands for an agent that its vendor serves\n"];
    assert_eq!(expected.len(), texts.len());
    for (expect, text) in expected.into_iter().zip(texts) {
        let file = space.path().join("by-hand");
        fs::write(&file, text).expect("written");
        let file = file.to_str().expect("UTF-8");
        space.run(&["store", "add", "--expect", expect, file]).expect(0).says("names it");
    }
    space.run(&["store", "gc"]).expect(0);
    space.run(&["build", "--locked", "--offline", "agent", "licensed-tool"]).expect(0);
    let lock = lock_text(&space);
    space.run(&["lock", "--offline"]).expect(0).says("2 pinned inputs, nothing changed");
    assert_eq!(lock_text(&space), lock);
}
