#!/usr/bin/env python3
"""Faults: the program is killed, refused and starved at every point; then nothing may be lost.

    cargo build --release && tests/faults.py [--short] [kill] [error] [full] [soak]

kill    SIGKILL at every occurrence of every system call that changes something (by strace), of
        import, build, export, gc with compaction, repair and rebuild-index
error   the same calls fail, once with ENOSPC, once with EIO
full    a real disk of 200 MB that is full (needs root and a loop device)
soak    eight processes build, collect and verify over one store, and are killed now and then

After each point `store verify` must be clean and the next build must give the bytes that it always
gives. A run that was refused must either fail with a message or have done all that it says.
strace counts the calls of each thread apart, so programs run with one job and one leaf thread, and
a point stands for the thread that is first to make so many calls.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALLS = (
    "write pwrite64 fsync fdatasync syncfs sync_file_range rename renameat renameat2 link linkat "
    "unlink unlinkat mkdir mkdirat rmdir ftruncate fallocate chmod fchmod copy_file_range flock"
).split()
# A lock that cannot be taken and a mode that cannot be set are no faults of disks.
REFUSED = [call for call in CALLS if call not in ("flock", "chmod", "fchmod")]
WORKERS = os.cpu_count() or 2


class Program:
    def __init__(self, path):
        self.path = path

    def run(self, space, *arguments, strace=(), timeout=300):
        environment = dict(os.environ, MEDIABUILD_STORE=str(space / "store"))
        environment.update(RAYON_NUM_THREADS="1", RUST_BACKTRACE="0")
        command = [*strace, str(self.path), *arguments]
        return subprocess.run(
            command, cwd=space / "project", env=environment, timeout=timeout,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace",
        )

    def must(self, space, *arguments):
        run = self.run(space, *arguments)
        if run.returncode != 0:
            raise Fault(f"`{' '.join(arguments)}` gave {run.returncode}:\n{run.stdout}{run.stderr}")
        return run


class Fault(Exception):
    pass


def results(space):
    """Path and digest of each result that people would use."""
    folder = space / "project" / "result"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hidden = [path for path in files if path.name.startswith(".")]
    kept = [path for path in files if path not in hidden]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}


def noise(seed, size):
    return random.Random(seed).randbytes(size)


# ---- scenarios: a space that is ready, and a command that is hit ----


class Scenario:
    def __init__(self, name, arguments, prepare):
        self.name, self.arguments, self.prepare = name, arguments, prepare


# Results of the other kinds: a set of two discs, a folder that is replaced whole; and a disk image.
MEDIA = """
package "more" { source "more" }
media "set" type="bootable" {
    boot-image "winpe"
    package "branding" "more"
    output "set.iso" capacity="4MiB" mirror="joliet"
}
media "disk" type="bootable" { boot-image "winpe"; package "branding"; usb "disk.img" }
"""


def project(space):
    shutil.copytree(ROOT / "examples/quickstart", space / "project",
                    ignore=shutil.ignore_patterns("result"))
    with open(space / "project/mediabuild.kdl", "a") as file:
        file.write(MEDIA)
    (space / "project/more").mkdir()
    (space / "project/more/a.bin").write_bytes(noise(3, 1_100_000))
    large = space / "project/packages/branding/large.bin"
    large.write_bytes(noise(1, 1_300_000))
    (space / "project/extra.bin").write_bytes(noise(2, 1_200_000))


def fresh(program, space):
    program.must(space, "store", "roots")


def built(program, space):
    program.must(space, "build", "--jobs", "1")


def exported(program, space):
    built(program, space)
    shutil.rmtree(space / "project/result")


def garbage(program, space):
    """Versions of a project, all but the last of them dead, in packs that are mostly dead."""
    file = space / "project/packages/branding/version.txt"
    for version in range(3):
        file.write_text(f"version {version}")
        (space / "project/packages/branding/large.bin").write_bytes(noise(version, 1_300_000))
        built(program, space)
    program.must(space, "store", "add", "extra.bin")
    file.unlink()
    (space / "project/packages/branding/large.bin").write_bytes(noise(1, 1_300_000))
    built(program, space)


def damaged(program, space):
    built(program, space)
    packs = sorted((space / "store/packs").iterdir())
    objects = sorted(path for path in (space / "store/objects").rglob("*") if path.is_file())
    for path in packs[::2] + objects[:1]:
        changed = bytearray(path.read_bytes())
        changed[len(changed) // 3] ^= 1
        path.unlink()
        path.write_bytes(changed)


SCENARIOS = [
    Scenario("import", ("store", "add", "packages/branding/large.bin", "extra.bin"), fresh),
    Scenario("build", ("build", "--jobs", "1"), fresh),
    Scenario("export", ("build", "--jobs", "1"), exported),
    Scenario("gc", ("store", "gc"), garbage),
    Scenario("repair", ("store", "verify", "--repair"), damaged),
    Scenario("rebuild-index", ("store", "rebuild-index"), built),
]


# ---- points ----


class Points:
    """All points of the scenarios, each tried in a copy of its own."""

    def __init__(self, program, work, short):
        self.program, self.work, self.short = program, work, short
        reference = work / "reference"
        project_at(reference)
        program.must(reference, "build")
        self.expected = results(reference)
        assert self.expected, "the reference has no results"
        self.templates = {}
        for scenario in SCENARIOS:
            space = work / f"template-{scenario.name}"
            project_at(space)
            scenario.prepare(program, space)
            self.templates[scenario.name] = space
        self.copies = 0
        self.lock = threading.Lock()

    def copy(self, scenario):
        with self.lock:
            self.copies += 1
            space = self.work / f"copy-{self.copies}"
        # Same place, same times: the copy's results and stat cache count as the template's do.
        subprocess.run(["cp", "-a", self.templates[scenario.name], space], check=True)
        return space

    def count(self, scenario, calls):
        """For each call, how often the thread makes it that makes it most."""
        space = self.copy(scenario)
        log = space / "strace.log"
        trace = ("strace", "-f", "-qq", "-e", f"trace={','.join(calls)}", "-o", str(log))
        self.program.run(space, *scenario.arguments, strace=trace)
        seen = collections.Counter()
        for line in log.read_text(errors="replace").splitlines():
            if found := re.match(r"(\d+) +(\w+)\(", line):
                seen[found[1], found[2]] += 1
        shutil.rmtree(space)
        most = collections.Counter()
        for (_, call), count in seen.items():
            most[call] = max(most[call], count)
        return most, sum(seen.values())

    def all(self, kinds):
        points, calls_count = [], 0
        for scenario in SCENARIOS:
            for kind, calls in kinds:
                most, total = self.count(scenario, calls)
                calls_count += total
                points += [(scenario, kind, call, at)
                           for call, count in sorted(most.items()) for at in range(1, count + 1)]
        return points, calls_count

    def hit(self, point):
        """Tries one point; answers what became of the run."""
        scenario, kind, call, at = point
        space = self.copy(scenario)
        try:
            log = space / "strace.log"
            trace = ("strace", "-f", "-qq", "-e", f"trace={call}",
                     "-e", f"inject={call}:{kind}:when={at}", "-o", str(log))
            run = self.program.run(space, *scenario.arguments, strace=trace)
            outcome = self.judge(kind, run, log)
            self.heal(scenario, space)
            return outcome
        except (Fault, subprocess.TimeoutExpired) as fault:
            name = f"{scenario.name}: {kind} at {call} {at}"
            kept = self.work / re.sub(r"\W+", "-", name)
            shutil.rmtree(kept, ignore_errors=True)
            space.rename(kept)
            return f"FAULT {name}: {fault} (see {kept})"
        finally:
            shutil.rmtree(space, ignore_errors=True)

    def judge(self, kind, run, log):
        if "panicked" in run.stderr:
            raise Fault(f"it panicked:\n{run.stderr}")
        killed = run.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
        if kind.startswith("signal"):
            return "killed" if killed else "missed"
        hit = [line for line in log.read_text(errors="replace").splitlines() if "(INJECTED)" in line]
        if not hit:
            return "missed"
        if run.returncode == 0:
            if any(re.match(r"\d+ +write\(1,", line) for line in hit):
                raise Fault(f"success though stdout was refused: {hit}")
            # Which calls these are is printed: a flush that fails must be among them only where
            # what is flushed saves time and nothing else.
            return "tolerated " + re.match(r"\d+ +(\w+)\(", hit[0])[1]
        if not run.stderr.strip():
            raise Fault(f"exit {run.returncode} without a word: {hit}")
        return "refused"

    def heal(self, scenario, space):
        """What a user would do next; everything must be right."""
        if scenario.name == "repair":
            self.program.must(space, "store", "verify", "--repair")
            # What is lost comes back with the build.
            left = self.program.run(space, "store", "verify").stdout.splitlines()
            if wrong := [line for line in left if "missing, but" not in line and " read, " not in line]:
                raise Fault(f"not repaired: {wrong}")
        else:
            self.program.must(space, "store", "verify")
        self.program.must(space, "build")
        if (found := results(space)) != self.expected:
            raise Fault(f"other results: {found}")
        self.program.must(space, "store", "verify")

    def run(self, name, kinds, limit):
        points, calls = self.all(kinds)
        tried = points
        if self.short and len(points) > limit:
            tried = []
            for scenario in SCENARIOS:
                own = [point for point in points if point[0] is scenario]
                tried += random.Random(4).sample(own, min(len(own), limit // len(SCENARIOS)))
        outcomes = collections.Counter()
        faults = []
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for point, outcome in zip(tried, pool.map(self.hit, tried)):
                if outcome.startswith("FAULT"):
                    faults.append(outcome)
                    print(outcome, flush=True)
                else:
                    outcomes[point[0].name, outcome] += 1
        sums = collections.Counter()
        for (_, outcome), count in outcomes.items():
            sums[outcome.split()[0]] += count
        print(f"{name}: {len(tried)} of {len(points)} points ({calls} calls): "
              + ", ".join(f"{count} {outcome}" for outcome, count in sorted(sums.items()))
              + f", {len(faults)} faults")
        for (scenario, outcome), count in sorted(outcomes.items()):
            print(f"    {scenario:14} {outcome:22} {count}")
        return faults


def project_at(space):
    space.mkdir(parents=True)
    project(space)


# ---- a full disk ----

# The last ones have room for some of the results.
FREE_KIB = (0, 64, 256, 1024, 2048, 4096, 8192, 12_288, 16_384, 32_768)


def full(program, work, file_system):
    image, mount = work / f"{file_system}.image", work / f"{file_system}.mount"
    mount.mkdir()
    with open(image, "wb") as file:
        file.truncate((200 if file_system == "ext4" else 320) << 20)
    made = subprocess.run([f"mkfs.{file_system}", "-q", str(image)], capture_output=True)
    mounted = made.returncode == 0 and subprocess.run(
        ["mount", "-o", "loop", str(image), str(mount)], capture_output=True)
    if not mounted or mounted.returncode != 0:
        print(f"full: skipped {file_system}: it cannot be mounted here")
        return []
    try:
        return full_on(program, mount, file_system)
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def full_on(program, mount, file_system):
    space = mount / "space"
    project_at(space)
    program.must(space, "build")
    expected = results(space)
    faults, refused = [], 0
    ballast = mount / "ballast"
    big = space / "project/packages/branding/version.bin"
    for free_kib in FREE_KIB:
        big.write_bytes(noise(free_kib, 3_000_000))
        fill(ballast, free_kib << 10)
        run = program.run(space, "build")
        refused += run.returncode == 3
        if run.returncode not in (0, 3) or "panicked" in run.stderr:
            faults.append(f"FAULT {file_system}, {free_kib} KiB free: {run.returncode} {run.stderr}")
        big.unlink()
        shutil.rmtree(space / "project/result", ignore_errors=True)
        # Nothing but a collection makes room.
        collected = program.run(space, "store", "gc")
        if collected.returncode != 0:
            faults.append(f"FAULT {file_system}: gc on a full disk: {collected.stderr}")
        ballast.unlink()
        for arguments in (("store", "verify"), ("build",), ("store", "verify")):
            if (run := program.run(space, *arguments)).returncode != 0:
                faults.append(f"FAULT {file_system} afterwards: {arguments} {run.stdout}{run.stderr}")
        if results(space) != expected:
            faults.append(f"FAULT {file_system}: other results")
    for fault in faults:
        print(fault)
    print(f"full: {file_system}: {len(FREE_KIB)} full disks, {refused} builds refused, "
          f"{len(faults)} faults")
    return faults


def fill(path, free_bytes):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass
        size = file.tell()
        file.truncate(max(0, size - free_bytes))
        os.fsync(file.fileno())


# ---- eight at once ----

VERSIONS = 4


def write_version(space, version):
    (space / "project/packages/branding/version.txt").write_text(f"version {version}")
    (space / "project/packages/branding/large.bin").write_bytes(noise(version, 1_300_000))


def soak(program, work, seconds):
    expected = {}
    for version in range(VERSIONS):
        space = work / f"version-{version}"
        project_at(space)
        write_version(space, version)
        program.must(space, "build")
        expected[version] = results(space)
    shared = work / "shared-store"
    end = time.monotonic() + seconds
    counts, faults, lock = collections.Counter(), [], threading.Lock()

    def note(kind, fault=None):
        with lock:
            counts[kind] += 1
            if fault:
                faults.append(f"FAULT {fault}")
                print(f"FAULT {fault}", flush=True)

    def run(space, *arguments):
        return program.run(space, *arguments)

    def builder(number):
        chance = random.Random(number)
        space = work / f"builder-{number}"
        project_at(space)
        (space / "store").symlink_to(shared)
        while time.monotonic() < end and not faults:
            version = chance.randrange(VERSIONS)
            write_version(space, version)
            if chance.random() < 0.3:
                shutil.rmtree(space / "project/result", ignore_errors=True)
            if chance.random() < 0.15:
                killed(space, chance)
            done = run(space, "build")
            if done.returncode != 0:
                note("build", f"build gave {done.returncode}: {done.stdout}{done.stderr}")
            elif results(space) != expected[version]:
                note("build", f"version {version} became {results(space)}")
            else:
                note("build")

    def killed(space, chance):
        environment = dict(os.environ, MEDIABUILD_STORE=str(space / "store"))
        command = [str(program.path), *chance.choice([("build",), ("store", "gc")])]
        process = subprocess.Popen(command, cwd=space / "project", env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.3)
        process.kill()
        process.wait()
        note("killed")

    def keeper(number, *choices):
        chance = random.Random(100 + number)
        space = work / f"keeper-{number}"
        project_at(space)
        (space / "store").symlink_to(shared)
        while time.monotonic() < end and not faults:
            arguments = chance.choice(choices)
            done = run(space, *arguments)
            name = arguments[1]
            note(name, None if done.returncode == 0 else
                 f"{' '.join(arguments)} gave {done.returncode}: {done.stdout}{done.stderr}")
            time.sleep(chance.random() * 0.2)

    gc = [("store", "gc"), ("store", "gc", "--keep", "1s"), ("store", "gc", "--max", "1MiB")]
    shared.mkdir()
    program.must(work / "version-0", "--store", str(shared), "store", "roots")
    tasks = [lambda n=n: builder(n) for n in range(5)]
    tasks += [lambda n=n: keeper(n, *gc) for n in range(2)] + [lambda: keeper(2, ("store", "verify"))]
    with concurrent.futures.ThreadPoolExecutor(len(tasks)) as pool:
        for task in [pool.submit(task) for task in tasks]:
            task.result()
    space = work / "builder-0"
    for arguments in (("store", "verify"), ("store", "gc"), ("store", "verify"), ("build",)):
        program.must(space, *arguments)
    print(f"soak: {seconds} s, 8 processes: "
          + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
          + f", {len(faults)} faults")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["kill", "error", "full", "soak", []])
    parser.add_argument("--short", action="store_true", help="a sample, in two minutes")
    parser.add_argument("--seconds", type=int, help="how long the soak lasts [600, short: 20]")
    parser.add_argument("--program", type=pathlib.Path, help="the program to hit")
    arguments = parser.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = arguments.program or target / "release/mediabuild"
    program = Program(path.resolve())
    what = arguments.what or ["kill", "error", "full", "soak"]
    if {"kill", "error"} & set(what) and not shutil.which("strace"):
        sys.exit("faults: strace is not installed")
    faults = []
    work = pathlib.Path(tempfile.mkdtemp(prefix="mediabuild-faults-"))
    if "kill" in what or "error" in what:
        points = Points(program, work / "points", arguments.short)
    if "kill" in what:
        faults += points.run("kill", [("signal=SIGKILL", CALLS)], 70)
    if "error" in what:
        kinds = [("error=ENOSPC", REFUSED), ("error=EIO", REFUSED)]
        faults += points.run("error", kinds, 70)
    if "full" in what:
        for file_system in ("ext4", "xfs"):
            if os.geteuid() != 0 or not shutil.which(f"mkfs.{file_system}"):
                print(f"full: skipped {file_system}: no root, or no mkfs.{file_system}")
            else:
                faults += full(program, work, file_system)
    if "soak" in what:
        (work / "soak").mkdir()
        seconds = arguments.seconds or (20 if arguments.short else 600)
        faults += soak(program, work / "soak", seconds)
    if faults:
        sys.exit(f"faults: {len(faults)}; their folders are in {work}")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
