#!/usr/bin/env python3
"""Imports beside the peers on the same inputs, in turns, and peak memory with a file of 20 GB, as Markdown tables.

    cargo build --release && python3 mediabuild/benches/import.py WORK_FOLDER [--runs 5] [file] [folder] [memory]

Every row includes making what it wrote durable. WORK_FOLDER needs 4 GB, and 2 GB more for each row and run of
`folder`: what a run wrote is removed after the last one only, because ext4 takes up to a millisecond for a new
file where many were removed in the last minutes (run it once, or wait five minutes). CPU is user + system time of
the process (not of the kernel's threads that write back), memory its peak. Needs nix-bin and casync.

A build's import ends with its event, which comes after the commit; what the build would do then is not waited for.
"""
import argparse, json, os, shutil, signal, statistics, subprocess, sys, time

from compare import PROGRAM, random_files, remove, run, write

FILE_BYTES = 1 << 30
SPARSE_BYTES = 20 << 30
# What goes into a WIM needs its SHA-1.
DEFINITIONS = """project "bench"
package "p" {{ source "{source}" }}
boot-image "b" arch="amd64" {{ source "{source}" }}
"""
NIX = "NIX_REMOTE= nix-store --store {out} --add {source}"
CASYNC = "casync make --store={out}.castr {out}.ca{x} {source} && sync -f {out}.castr"


def sample(process):
    """CPU seconds and peak MB so far of a running process."""
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{process.pid}/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) / 1024


def import_only(project, target, store):
    """Wall seconds, CPU seconds and peak MB of a build's start to the end of its only import."""
    command = [PROGRAM, "build", project, target, "--format", "json", "--store", store]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "finished" and event["job"].startswith("import"):
            wall, used = time.monotonic() - started, sample(process)
            process.send_signal(signal.SIGKILL)
            process.wait()
            return (wall, *used)
    sys.exit(f"failed: {' '.join(command)}\n{process.stderr.read()[-2000:]}")


def table(title, work, rows, runs):
    """Runs rows (name, what runs with an output path) in turns; prints medians, and ratios to the first row."""
    figures, made = {name: [] for name, _ in rows}, []
    for turn in range(runs):
        for at, (name, action) in enumerate(rows):
            made.append(f"{work}/out-{time.time_ns()}-{turn}-{at}")
            subprocess.run(["sync"])
            figures[name].append(action(made[-1]))
    print(f"\n### {title}\n\n| | wall s (least) | CPU s | peak MB | wall / first (of the least) | CPU / first |")
    print("|---|---|---|---|---|---|")
    median = {name: [statistics.median(column) for column in zip(*taken)] for name, taken in figures.items()}
    least = {name: min(wall for wall, _, _ in taken) for name, taken in figures.items()}
    first = rows[0][0]
    for name, _ in rows:
        wall, cpu, memory = median[name]
        print(f"| {name} | {wall:.2f} ({least[name]:.2f}) | {cpu:.2f} | {memory:.0f} | {wall / median[first][0]:.2f} "
              f"({least[name] / least[first]:.2f}) | {cpu / median[first][1]:.2f} |")
    sys.stdout.flush()
    for out in made:
        remove(out, f"{out}.castr", f"{out}.caibx", f"{out}.caidx")


def file(work, runs):
    """One file of 1 GiB."""
    project = f"{work}/file"
    source = f"{project}/large/large.bin"
    if not os.path.exists(source):
        write(f"{project}/mediabuild.kdl", DEFINITIONS.format(source="large"))
        os.makedirs(f"{project}/large", exist_ok=True)
        subprocess.run(f"head -c {FILE_BYTES} /dev/urandom > {source}", shell=True, check=True)
    table("Import of a file of 1 GiB", work, [
        ("cp + fsync", lambda out: run(f"cp {source} {out} && sync {out}")),
        ("nix-store --add", lambda out: run(NIX.format(out=out, source=source))),
        ("casync make + sync", lambda out: run(CASYNC.format(out=out, source=source, x="ibx"))),
        ("mediabuild store add (BLAKE3)", lambda out: run(f"{PROGRAM} --store {out} store add {source}")),
        ("mediabuild build (BLAKE3)", lambda out: import_only(project, "package:p", out)),
        ("mediabuild build (BLAKE3, SHA-1)", lambda out: import_only(project, "boot-image:b", out)),
    ], runs)


def folder(work, runs):
    """20,000 files, 2 GB in all."""
    project = f"{work}/folder"
    source = f"{project}/tree"
    if not os.path.exists(f"{project}/mediabuild.kdl"):
        random_files(source, 20000, 199000, 1000)
        write(f"{project}/mediabuild.kdl", DEFINITIONS.format(source="tree"))
    rows = [
        ("cp -r + sync", lambda out: run(f"cp -r {source} {out} && sync -f {out}")),
        ("nix-store --add", lambda out: run(NIX.format(out=out, source=source))),
        ("casync make + sync", lambda out: run(CASYNC.format(out=out, source=source, x="idx"))),
        ("mediabuild build (BLAKE3)", lambda out: import_only(project, "package:p", out)),
        ("mediabuild build (BLAKE3, SHA-1)", lambda out: import_only(project, "boot-image:b", out)),
    ]
    needed, free = 2 * len(rows) * runs, shutil.disk_usage(work).free >> 30
    if free < needed:
        sys.exit(f"{needed} GB are needed in {work}, and {free} are free: fewer --runs, or another folder")
    table("Import of 20,000 files, 2 GB", work, rows, runs)


def memory(work, _):
    """A sparse file of 20 GB in, verified, and out again."""
    project, store = f"{work}/memory", f"{work}/memory-store"
    remove(store, f"{project}/result")
    write(f"{project}/mediabuild.kdl", DEFINITIONS.format(source="sparse"))
    os.makedirs(f"{project}/sparse", exist_ok=True)
    with open(f"{project}/sparse/sparse.bin", "wb") as sparse:
        sparse.truncate(SPARSE_BYTES)
    print("\n### A file of 20 GB: peak memory, at most 64 MiB\n\n| | wall s | CPU s | peak MiB |\n|---|---|---|---|")
    ours = f"{PROGRAM} --store {store}"
    for name, command in [
        ("store add", f"{ours} store add {project}/sparse/sparse.bin"),
        ("store verify", f"{ours} store verify"),
        ("build of a package: import, export", f"{ours} build {project} package:p"),
        ("build of a boot image: import with SHA-1, export", f"{ours} build {project} boot-image:b --paranoid"),
    ]:
        wall, cpu, peak = run(command)
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")
        if peak > 64:
            sys.exit(f"{name} took {peak:.0f} MiB")
    remove(store, project)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("which", nargs="*", metavar="file|folder|memory")
    arguments = parser.parse_intermixed_args()
    work = os.path.abspath(arguments.work)
    os.makedirs(work, exist_ok=True)
    for name in arguments.which or ["file", "folder", "memory"]:
        {"file": file, "folder": folder, "memory": memory}[name](work, arguments.runs)


if __name__ == "__main__":
    main()
