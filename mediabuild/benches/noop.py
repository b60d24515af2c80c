#!/usr/bin/env python3
"""What nothing costs: builds with nothing to do and steps that do nothing, beside ninja, in turns.

    cargo build --release && python3 mediabuild/benches/noop.py WORK_FOLDER [--runs 21] [noop] [check] [steps]

WORK_FOLDER needs about 1 GB; projects are made there once. N applications with 8 small files each are
10 N nodes: files, imports and packages; all lie on one bootable medium. Their definitions are 50 to a
file. ninja gets two graphs of the same files: one with an edge for each node (it keeps and compares a
record of each file, as we do), and a smaller one where files are bare inputs of two edges an
application. A row has the median and the least of its runs; CPU is user + system time of the process,
the steadier column on a busy machine.
"""
import argparse, os, shutil, statistics, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("MEDIABUILD", os.path.join(ROOT, "target/release/mediabuild"))
FILES, DEFINITIONS = 8, 50
# Files this young are read again in the next run: their stats prove nothing.
SETTLED_SECONDS = 2.5


def timed(command, folder, store=None):
    """Wall and CPU milliseconds of one process, which must succeed."""
    os.chdir(folder)
    environment = {**os.environ, "MEDIABUILD_STORE": store} if store else dict(os.environ)
    null = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, environment, file_actions=null)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    if status != 0:
        sys.exit(f"failed: {' '.join(command)} in {folder}")
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def table(title, rows, runs, unit=1, what="ms"):
    """Runs rows (name, prepare, command, folder, store) in turns; the first is the reference."""
    figures = {row[0]: [] for row in rows}
    for _ in range(runs):
        for name, prepare, command, folder, store in rows:
            prepare()
            figures[name].append([value / unit for value in timed(command, folder, store)])
    print(f"\n### {title}\n\n| | median {what} | least {what} | median CPU {what} | least CPU {what} | median / {rows[0][0]} |\n|---|---|---|---|---|---|")
    reference = statistics.median(wall for wall, _ in figures[rows[0][0]])
    for name, taken in figures.items():
        wall, cpu = zip(*taken)
        median = statistics.median(wall)
        print(f"| {name} | {median:.1f} | {min(wall):.1f} | {statistics.median(cpu):.1f} | {min(cpu):.1f} | {median / reference:.2f} |")
    sys.stdout.flush()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def applications(project, count):
    """Definitions and files of `count` applications and a medium that has them all."""
    for at in range(count):
        for file in range(FILES):
            write(f"{project}/apps/app{at:05}/file{file}.txt", f"file {file} of application {at}\n")
    names = [f"app{at:05}" for at in range(count)]
    for first in range(0, count, DEFINITIONS):
        text = "".join(definition(name) for name in names[first:first + DEFINITIONS])
        write(f"{project}/definitions/apps{first // DEFINITIONS:03}.kdl", text)
    write(f"{project}/pe/readme.txt", "stands in for a boot image\n")
    listed = " ".join(f'"{name}"' for name in names)
    write(f"{project}/mediabuild.kdl", f"""project "noop" {{ include "definitions/*.kdl" }}
boot-image "pe" arch="amd64" {{ source "pe" }}
media "all" type="bootable" {{ boot-image "pe"; application {listed}; output "all.iso" }}
""")


def definition(name):
    return f"""
// What people call it, and how it is installed without questions.
application "{name}" version="4.2.1" {{
    source "../apps/{name}"
    install "setup.exe /quiet /norestart"
}}
"""


def ninja_graph(project, count):
    """The same files; an edge for each import and each package, and one for the medium."""
    lines = ["rule cat\n  command = cat $in > $out\n"]
    for at in range(count):
        inputs = " ".join(f"apps/app{at:05}/file{file}.txt" for file in range(FILES))
        lines.append(f"build out/{at}.import: cat {inputs}\nbuild out/{at}.package: cat out/{at}.import\n")
    lines.append("build out/all: cat " + " ".join(f"out/{at}.package" for at in range(min(count, 1000))) + " | "
                 + " ".join(f"out/{at}.package" for at in range(count)) + "\n")
    write(f"{project}/build.ninja", "".join(lines))


def ninja_graph_of_nodes(project, count):
    """An edge for each node: each file is imported by one of its own."""
    lines = ["builddir = nodes\nrule cp\n  command = cp $in $out\nrule cat\n  command = cat $in > $out\n"]
    for at in range(count):
        for file in range(FILES):
            lines.append(f"build nodes/{at}.{file}: cp apps/app{at:05}/file{file}.txt\n")
        inputs = " ".join(f"nodes/{at}.{file}" for file in range(FILES))
        lines.append(f"build nodes/{at}.import: cat {inputs}\nbuild nodes/{at}.package: cat nodes/{at}.import\n")
    lines.append("build nodes/all: cat nodes/0.package | " + " ".join(f"nodes/{at}.package" for at in range(count)) + "\n")
    write(f"{project}/nodes.ninja", "".join(lines))


def project_of(work, count):
    """A project and ninja's graph of that size, both built once."""
    project, store = f"{work}/noop-{count}", f"{work}/noop-{count}-store"
    if not os.path.exists(f"{project}/nodes.ninja"):
        applications(project, count)
        ninja_graph(project, count)
        ninja_graph_of_nodes(project, count)
        time.sleep(SETTLED_SECONDS)
    timed(["ninja", "-j2"], project)
    timed(["ninja", "-j2", "-f", "nodes.ninja"], project)
    timed([PROGRAM, "build"], project, store)
    return project, store


def noop(work, runs):
    for count in (30, 300, 3000):
        project, store = project_of(work, count)
        table(f"Nothing to do, {count * (FILES + 2):,} nodes", [
            ("ninja, an edge a node", nothing, ["ninja", "-f", "nodes.ninja"], project, None),
            ("ninja, two edges an application", nothing, ["ninja"], project, None),
            ("mediabuild build", nothing, [PROGRAM, "build"], project, store),
        ], runs)


def nothing():
    pass


def check(work, runs):
    """300 definitions: without a store, so without a cache, and with one that knows them."""
    project, store = project_of(work, 300)
    table("check of 300 definitions and 2,400 inputs", [
        ("cold", lambda: shutil.rmtree(f"{work}/none", ignore_errors=True), [PROGRAM, "check"], project, f"{work}/none"),
        ("warm", nothing, [PROGRAM, "check"], project, store),
    ], runs)


def steps(work, runs):
    """3,000 packages of one file: what an executed step costs when it does next to nothing."""
    count, project, store = 3000, f"{work}/steps", f"{work}/steps-store"
    write(f"{project}/file.txt", "the one input\n")
    definitions = "".join(f'package "p{at}" {{ source "file.txt" }}\n' for at in range(count))
    listed = " ".join(f'"p{at}"' for at in range(count))
    write(f"{project}/pe/readme.txt", "stands in for a boot image\n")
    write(f"{project}/mediabuild.kdl", f"""project "steps"
boot-image "pe" arch="amd64" {{ source "pe" }}
media "all" type="bootable" {{ boot-image "pe"; package {listed}; output "all.iso" }}
{definitions}""")
    write(f"{project}/build.ninja", "rule true\n  command = true\nrule cp\n  command = cp $in $out\n"
          + "".join(f"build t{at}: true file.txt\nbuild out/{at}: cp file.txt\n" for at in range(count))
          + "build trues: phony " + " ".join(f"t{at}" for at in range(count)) + "\n"
          + "build copies: phony " + " ".join(f"out/{at}" for at in range(count)) + "\n")

    def forget():
        for path in (store, f"{project}/result", f"{project}/out"):
            shutil.rmtree(path, ignore_errors=True)
        for name in (".ninja_log", ".ninja_deps"):
            if os.path.exists(f"{project}/{name}"):
                os.remove(f"{project}/{name}")

    table(f"{count:,} steps that do next to nothing, per step", [
        ("ninja cp", forget, ["ninja", "-j2", "copies"], project, None),
        ("ninja true", forget, ["ninja", "-j2", "trues"], project, None),
        ("mediabuild build", forget, [PROGRAM, "build"], project, store),
    ], max(3, runs // 7), unit=count)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("which", nargs="*", metavar="noop|check|steps")
    arguments = parser.parse_args()
    work = os.path.abspath(arguments.work)
    os.makedirs(work, exist_ok=True)
    for name in arguments.which or ["noop", "check", "steps"]:
        {"noop": noop, "check": check, "steps": steps}[name](work, arguments.runs)


if __name__ == "__main__":
    main()
