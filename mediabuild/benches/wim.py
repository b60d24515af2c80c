#!/usr/bin/env python3
"""The WIM engine beside wimlib: same files, same threads, one run; prints Markdown tables with the goals.

    cargo build --release --workspace --examples --bins && \\
        python3 mediabuild/benches/wim.py WORK_FOLDER [--runs 3] [--megabytes 600] [ROW…]

The corpus is made once, of what Debian packages installed here: PE files of libwine, ELF libraries and
programs, and texts, 12,000 files in all. Rows: fast default max xpress solid codecs compressed verify apply rebuild.

Of every pair both sides run in turns; the figures are medians. CPU is user + system time of the whole
process tree, memory the peak of its largest process. "Imported" means that the inputs are in the store, as
they are after the first build; no compressed resource is there.
"""
import argparse, os, re, shutil, statistics, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import PROGRAM, ROOT, remove, run, write  # noqa: E402

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
# Folder, at most so many MB of it, at most so many files.
CORPUS = [(f"{LIBRARIES}/wine", 260, 2500), (LIBRARIES, 230, 2500), ("/usr/bin", 100, 1500),
          ("/usr/include", 60, 5000), ("/usr/share", 140, 12000)]
CORPUS_FILES = 12_000
LARGEST_FILE = 40 << 20
SLOW = {"max", "solid"}


def files_of(folder):
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(path, name)
            if os.path.isfile(file) and not os.path.islink(file):
                yield file


def make_corpus(target):
    """Copies of installed files, the same on every machine with the same packages."""
    if os.path.exists(target):
        return
    count, names = 0, set()
    for folder, megabytes, files in CORPUS:
        left_bytes, left_files = megabytes << 20, files
        for file in files_of(folder):
            size, copy = os.path.getsize(file), target + ".new" + file
            # No two names on a Windows volume differ only in case.
            if size > min(LARGEST_FILE, left_bytes) or file.lower() in names:
                continue
            names.add(file.lower())
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(file, copy)
            count, left_bytes, left_files = count + 1, left_bytes - size, left_files - 1
            if left_files == 0 or count == CORPUS_FILES:
                break
    os.rename(target + ".new", target)


def make_sample(corpus, target, megabytes):
    """Every so many files, so that each kind has the same share."""
    total = sum(os.path.getsize(file) for file in files_of(corpus))
    if megabytes << 20 >= total:
        return corpus
    if not os.path.exists(target):
        seen = taken = 0
        for file in files_of(corpus):
            size = os.path.getsize(file)
            seen += size
            if taken * total < seen * (megabytes << 20) and size < 3 << 20:
                copy = target + file[len(corpus):]
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                shutil.copyfile(file, copy)
                taken += size
    return target


def describe(tree):
    sizes = [os.path.getsize(file) for file in files_of(tree)]
    return f"{len(sizes):,} files, {sum(sizes) / 1e6:.0f} MB", sum(sizes)


class Bench:
    def __init__(self, work, corpus, runs):
        self.work, self.corpus, self.runs = work, corpus, runs
        self.text, self.bytes = describe(corpus)
        self.out, self.store = f"{work}/peer.wim", f"{work}/wim-engine-store"
        self.rows = []

    def project(self, name, compression):
        """A project whose only image is the corpus."""
        project = f"{self.work}/engine-{name}"
        remove(project)
        os.makedirs(project)
        os.symlink(self.corpus, f"{project}/tree")
        write(f"{project}/mediabuild.kdl", f"""project "bench"
os-image "os" arch="amd64" {{
    source "tree" {{ symlinks "follow" }}
    compression {compression}
}}
package "tree" {{ source "tree" {{ symlinks "follow" }} }}
""")
        return project

    def build(self, project, threads, target="os-image:os"):
        return f"MEDIABUILD_STORE={self.store} {PROGRAM} build --jobs {threads} {project}/ {target}"

    def turns(self, ours, theirs, runs=None):
        """Medians of (prepare, command) pairs that run in turns; a command may be a function that gives one."""
        figures = ([], [])
        for _ in range(runs or self.runs):
            for taken, (prepare, command) in zip(figures, (ours, theirs)):
                prepare()
                subprocess.run(["sync"])
                taken.append(run(command() if callable(command) else command))
        return [[statistics.median(column) for column in zip(*taken)] for taken in figures]

    def row(self, name, ours, theirs, size=None, goal=""):
        """One line: ratios are peer / ours for time (more is better), ours / peer for size."""
        size_text = f"{size:.4f}" if size else ""
        print(f"| {name} | {theirs[0]:.2f} | {ours[0]:.2f} | **{theirs[0] / ours[0]:.2f}** | {theirs[1]:.2f} | {ours[1]:.2f} "
              f"| **{theirs[1] / ours[1]:.2f}** | {size_text} | {theirs[2]:.0f} | {ours[2]:.0f} | {goal} |", flush=True)

    def head(self, title):
        print(f"\n### {title}\n\n| | wall s, wimlib | ours | × | CPU s, wimlib | ours | × | size, ours / wimlib "
              f"| peak MB, wimlib | ours | goal |\n|---|---|---|---|---|---|---|---|---|---|---|", flush=True)

    def import_inputs(self, project, threads):
        """A store with nothing but the inputs of `project`, kept aside for `imported`."""
        remove(self.store, self.store + ".imported", f"{project}/result")
        run(self.build(project, threads, "package:tree"))
        remove(f"{project}/result")
        os.rename(self.store, self.store + ".imported")

    def imported(self, project):
        """The state before a first build whose inputs are in the store."""
        remove(self.store, f"{project}/result")
        subprocess.run(["cp", "-a", self.store + ".imported", self.store], check=True)

    def capture(self, compression, threads, tree=None):
        return (f"wimlib-imagex capture {tree or self.corpus} {self.out} OS {compression} --threads={threads} "
                f"&& sync {self.out}")

    def engine(self, name, compression, peer, goal):
        """A whole build beside a whole capture."""
        project = self.project(name, compression)
        result = f"{project}/result"
        self.import_inputs(project, 2)
        runs = 1 if name in SLOW else self.runs
        clear = lambda: remove(self.out)  # noqa: E731
        for threads in (1, 2):
            command = self.build(project, threads)
            ours, theirs = self.turns((lambda: self.imported(project), command), (clear, self.capture(peer, threads)), runs)
            size = wim_bytes(result) / os.path.getsize(self.out)
            self.row(f"{name}, imported, {threads} threads", ours, theirs, size, goal)
        ours, theirs = self.turns((lambda: remove(self.store, result), command), (clear, self.capture(peer, 2)), 1)
        self.row(f"{name}, cold, 2 threads", ours, theirs)
        remove(self.store + ".imported", project)

    def codecs(self):
        """Encoders and decoders alone, one thread."""
        print("\n### Encoders and decoders alone, one thread\n\nMB of CPU time. Decoders: what `verify` of wimlib's WIM takes more than "
              "of an uncompressed one; wimlib's encoder: the same of `capture`.\n\n| | encode MB/s, wimlib | ours | × | decode MB/s, "
              "wimlib | ours | × |\n|---|---|---|---|---|---|---|", flush=True)
        floors = self.peer("--compress=none")
        for level, codec, compression in CODECS:
            speeds = [self.bytes / 1e6 / (taken - floor) for taken, floor in zip(self.peer(compression), floors)]
            capture, *decoders = speeds
            printed = subprocess.run([FIGURES, codec, level, "32768", self.corpus], check=True, capture_output=True, text=True)
            encoder = float(re.search(r"([0-9.]+) MB/s", printed.stdout)[1])
            pairs = " | ".join(f"{theirs:.0f} | {ours:.0f} | **{ours / theirs:.2f}**" for theirs, ours in ((capture, encoder), decoders))
            print(f"| {codec} {level}, {compression[2:]} | {pairs} |", flush=True)

    def peer(self, compression):
        """Least CPU seconds of wimlib's capture, its verify, and ours of the same WIM."""
        capture = f"wimlib-imagex capture {self.corpus} {self.out} OS {compression} --threads=1"
        verify = (f"wimlib-imagex verify {self.out}", f"{PROGRAM} verify --jobs 1 {self.out}")
        remove(self.out)
        captures = [run(capture)[1]]
        for _ in range(0 if "100" in compression else self.runs - 1):
            remove(self.out)
            captures.append(run(capture)[1])
        return [min(captures), *(min(run(command)[1] for _ in range(self.runs)) for command in verify)]


def nothing():
    pass


def wim_bytes(result):
    return sum(os.path.getsize(file) for file in files_of(result) if file.endswith((".wim", ".swm", ".esd")))


FIGURES = os.path.join(ROOT, "target/release/examples/codec_figures")
CODECS = [("fast", "lzx", "--compress=LZX:20"), ("default", "lzx", "--compress=LZX:50"), ("max", "lzx", "--compress=LZX:100"),
          ("default", "xpress", "--compress=XPRESS")]
ENGINE = {
    "fast": ('"lzx" level="fast"', "--compress=LZX:20", "size ≤ 1.005, time ≥ 1.2 ×"),
    "default": ('"lzx" level="default"', "--compress=LZX:50", "size ≤ 1.01, time ≥ 2.5 ×"),
    "max": ('"lzx" level="max"', "--compress=LZX:100", "size ≤ 1, time ≥ 1.3 ×"),
    "xpress": ('"xpress" level="default"', "--compress=XPRESS", "size ≤ 1, time ≥ 1 ×"),
    "solid": ('"lzms" level="default" solid=#true', "--solid", "size ≤ 1.02 at its memory, or ≤ 1.05 under half"),
}


def compressed(bench):
    """An input that is compressed already: a WIM as a file."""
    tree = f"{bench.work}/compressed"
    if not os.path.exists(tree):
        os.makedirs(tree)
        captured = f"{tree}/part.wim"
        run(f"wimlib-imagex capture {bench.corpus} {captured} OS --compress=LZX:20")
        # 1 GB of it: no part repeats within a chunk, and that is all a codec sees.
        repeated = " ".join([captured] * 4)
        run(f"cat {repeated} > {tree}/install.wim && truncate -s 1000000000 {tree}/install.wim && rm {captured}")
    inner = Bench(bench.work, tree, bench.runs)
    inner.head("Already compressed: 1 GB of an LZX WIM as a file, encoded again")
    inner.engine("compressed", ENGINE["default"][0], ENGINE["default"][1], "time ≥ 10 ×")


def captured(bench, compression):
    name = f"{bench.work}/captured-{re.sub('[^a-z0-9]', '', compression.lower())}.wim"
    if not os.path.exists(name):
        run(f"wimlib-imagex capture {bench.corpus} {name} OS {compression}")
    return name


def verify(bench):
    bench.head(f"Verify: {bench.text}")
    for compression in ("--compress=XPRESS", "--compress=LZX:20", "--solid"):
        name = captured(bench, compression)
        for threads in (1, 2):
            ours, theirs = bench.turns((nothing, f"{PROGRAM} verify --jobs {threads} {name}"),
                                       (nothing, f"wimlib-imagex verify {name}"))
            bench.row(f"{compression[2:]}, {threads} threads", ours, theirs, None, "≥ 2 × (2 threads)" if threads == 2 else "")


def apply(bench):
    """Each run writes a folder of its own, and all are removed at the end: ext4 does not give out the number of a file
    that was deleted a minute ago, and looks for another past all of them, for longer than an extraction takes. That is
    18 copies of the corpus, 15 GB."""
    bench.head(f"Extract: {bench.text}")
    all_of_them = f"{bench.work}/applied"
    remove(all_of_them)
    os.makedirs(all_of_them)
    folders = (f"{all_of_them}/{number}" for number in range(1_000_000))
    for compression in ("--compress=XPRESS", "--compress=LZX:20", "--solid"):
        name = captured(bench, compression)
        ours, theirs = bench.turns((nothing, lambda: f"{PROGRAM} extract --jobs 2 {name} --to {next(folders)}"),
                                   (nothing, lambda: f"wimlib-imagex apply {name} {next(folders)}"))
        bench.row(f"{compression[2:]}, 2 threads", ours, theirs, None, "≥ 1.5 × (2 threads)")
    remove(all_of_them)


def rebuild(bench):
    """One file of 12,000 changed; the WIM is exported again."""
    project = bench.project("rebuild", ENGINE["default"][0])
    os.remove(f"{project}/tree")
    shutil.copytree(bench.corpus, f"{project}/tree")
    tree, result = f"{project}/tree", f"{project}/result"
    changed = next(file for file in files_of(tree) if 10_000 < os.path.getsize(file) < 40_000)
    remove(bench.store)
    command = bench.build(project, 2)
    run(command)
    base, out, floor = f"{bench.work}/base.wim", bench.out, f"{bench.work}/floor.wim"
    remove(base)
    run(f"wimlib-imagex capture {tree} {base} OS --compress=LZX:50")
    built = next(file for file in files_of(result) if file.endswith(".wim"))
    turn = iter(range(1_000_000))

    def change():
        with open(changed, "r+b") as file:
            file.write(b"changed %d\n" % next(turn))

    def change_peer():
        change()
        shutil.copyfile(base, out)

    bench.head(f"Rebuild after one file of {bench.text} changed")
    ours, theirs = bench.turns((change, command), (lambda: remove(floor), f"cp {built} {floor} && sync {floor}"))
    bench.row("against cp + fsync of the output", ours, theirs, None, "≥ 0.77 × (≤ 1.3 × its time)")
    append = f"wimlib-imagex append {tree} {out} OS2 --update-of={out}:1 && sync {out}"
    ours, theirs = bench.turns((change, command), (change_peer, append))
    bench.row("against append --update-of", ours, theirs, None, "> 1 ×")
    remove(base, floor)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=1 << 20, help="a sample of the corpus instead of all of it")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    arguments = parser.parse_intermixed_args()
    work = os.path.abspath(arguments.work)
    os.makedirs(work, exist_ok=True)
    make_corpus(f"{work}/corpus")
    corpus = make_sample(f"{work}/corpus", f"{work}/corpus-{arguments.megabytes}", arguments.megabytes)
    bench = Bench(work, corpus, arguments.runs)
    print(f"Corpus: {bench.text}.")
    wanted = arguments.rows or [*ENGINE, "codecs", "compressed", "verify", "apply", "rebuild"]
    if set(wanted) & set(ENGINE):
        bench.head(f"Capture: {bench.text}")
    for name in [name for name in wanted if name in ENGINE]:
        bench.engine(name, *ENGINE[name])
    for name, work in (("codecs", Bench.codecs), ("compressed", compressed), ("verify", verify), ("apply", apply), ("rebuild", rebuild)):
        if name in wanted:
            work(bench)
    remove(bench.out)


if __name__ == "__main__":
    main()
