//! UDF readers beside those of `matrix.rs`: udfclient with its udfdump, and libudfread, which players
//! use. Every file of every kind of disc we write comes out of both as it went in.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use mediabuild_formats::iso::{Options, Tree};

use crate::content::{Content, layout};
use crate::images::peer::{Scratch, find, run, skip, told};
use crate::images::to_file;
use crate::matrix::{files_of, for_each_kind, kinds};
use crate::read::folder_listing;

/// Writes all files of a disc into a folder. libudfread is a library; it needs no compiler this way.
const LIBUDFREAD_EXTRACT: &str = r"
import ctypes, os, sys
lib = ctypes.CDLL('libudfread.so.0')
class Entry(ctypes.Structure):
    _fields_ = [('kind', ctypes.c_uint), ('name', ctypes.c_char_p)]
for name in ('udfread_init', 'udfread_opendir', 'udfread_file_open'):
    getattr(lib, name).restype = ctypes.c_void_p
lib.udfread_readdir.restype = ctypes.c_void_p
lib.udfread_file_size.restype = ctypes.c_int64
lib.udfread_file_read.restype = ctypes.c_ssize_t
pointer, size_t = ctypes.c_void_p, ctypes.c_size_t
disc, out = pointer(lib.udfread_init()), os.fsencode(sys.argv[2])
assert lib.udfread_open(disc, os.fsencode(sys.argv[1])) == 0
def proper(path):
    # Each half of a surrogate pair comes out by itself.
    halves = path.decode('utf-8', 'surrogatepass').encode('utf-16-le', 'surrogatepass')
    return halves.decode('utf-16-le').encode('utf-8')
def entries(path):
    folder, entry, found = pointer(lib.udfread_opendir(disc, path)), Entry(), []
    assert folder.value, path
    while lib.udfread_readdir(folder, ctypes.byref(entry)):
        if entry.name not in (b'.', b'..'):
            found.append((path.rstrip(b'/') + b'/' + entry.name, entry.kind))
    lib.udfread_closedir(folder)
    return found
def extract(path):
    file = pointer(lib.udfread_file_open(disc, path))
    assert file.value, path
    size = lib.udfread_file_size(file)
    buffer = ctypes.create_string_buffer(size + 1)
    assert size == 0 or lib.udfread_file_read(file, buffer, size_t(size)) == size, path
    lib.udfread_file_close(file)
    with open(out + proper(path), 'wb') as written:
        written.write(buffer.raw[:size])
waiting = [b'/']
while waiting:
    folder = waiting.pop()
    os.makedirs(out + proper(folder), exist_ok=True)
    for path, kind in entries(folder):
        waiting.append(path) if kind == 1 else extract(path)
";

/// A Python that has libudfread.
fn libudfread() -> Option<Command> {
    let is_there = |python: &&str| {
        let load = "import ctypes; ctypes.CDLL('libudfread.so.0')";
        Command::new(python).args(["-c", load]).output().is_ok_and(|it| it.status.success())
    };
    let python = ["python3", "/usr/bin/python3"].into_iter().find(is_there);
    python.map(Command::new).or_else(|| skip("libudfread"))
}

#[test]
fn libudfread_reads_every_file_of_every_disc() {
    let Some(_) = libudfread() else { return };
    for_each_kind(|name, disc, tree, _| {
        let scratch = Scratch::new();
        let out = scratch.path("out");
        let mut python = libudfread().expect("found above");
        run(python.args(["-c", LIBUDFREAD_EXTRACT]).arg(disc).arg(&out));
        let found = folder_listing(&out).into_iter();
        let found: BTreeMap<_, _> =
            found.filter_map(|(path, bytes)| Some((path, bytes?))).collect();
        let names = || found.keys().collect::<Vec<_>>();
        assert!(found == files_of(tree), "{name}: {:?}", names());
    });
}

#[test]
fn udfclient_reads_every_file_of_every_disc() {
    let (Some(_), Some(_)) = (find("udfclient"), find("udfdump")) else { return };
    // It mostly waits for its own threads.
    std::thread::scope(|scope| {
        for (name, mut tree, options) in kinds() {
            // It takes no disc of fewer than 300 sectors or so.
            let filler = vec![0xF1; 100_000];
            tree.insert("filler", Content::Bytes(filler), 100_000).expect("a good path");
            scope.spawn(move || udfclient_reads(&name, &tree, options));
        }
    });
}

fn udfclient_reads(name: &str, tree: &Tree<Content>, mut options: Options<Content>) {
    let scratch = Scratch::new();
    let disc = scratch.path("disc.iso");
    // Its commands are of 7 bits, and have the label.
    options.label = "LABEL".to_owned();
    to_file(&layout(tree, &options).0, &disc);
    let dump = run(Command::new("udfdump").args(["-b", "2048"]).arg(&disc));
    let dump = String::from_utf8_lossy(&dump).into_owned();
    assert!(dump.contains("marked closed at  (2026 11 01 at 00:00:00"), "{name}: {dump}");
    for trouble in ["rror", "arning", "nvalid", "mismatch", "bad "] {
        assert!(!dump.contains(trouble), "{name}: {dump}");
    }
    let said = commands(&disc, &scratch.path(""), "get \"0123456789ABCDEF:LABEL:LABEL:LABEL\" out");
    let (mut found, mut wanted) = (contents(&scratch.path("out")), Vec::new());
    for (path, bytes) in files_of(tree) {
        // Other names come out in ways of its own.
        if path.is_ascii() {
            let read = std::fs::read(scratch.path("out").join(&path));
            assert!(read.is_ok_and(|read| read == bytes), "{name}: {path}: {said}");
        }
        wanted.push(bytes);
    }
    found.sort_unstable();
    wanted.sort_unstable();
    assert!(found == wanted, "{name}: {} files, not {}: {said}", found.len(), wanted.len());
}

/// Gives udfclient a command; what it says.
fn commands(disc: &Path, folder: &Path, command: &str) -> String {
    let mut udfclient = Command::new("timeout");
    udfclient.args(["100", "udfclient", "-b", "2048"]).arg(disc).current_dir(folder);
    let streams = udfclient.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = streams.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(format!("{command}\nquit\n").as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    said
}

/// The bytes of all files below a folder, which may not be there.
fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => waiting.push(path),
                path => found.push(std::fs::read(path).expect("readable")),
            }
        }
    }
    found
}
