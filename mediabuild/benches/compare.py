#!/usr/bin/env python3
"""Runs mediabuild beside its peers on the same inputs, in turns, and prints Markdown tables.

    cargo build --release && python3 mediabuild/benches/compare.py WORK_FOLDER [--runs 5] [wim] [iso] [large] [usb]

WORK_FOLDER needs about 25 GB; inputs are made there once. Each row is the median of the runs; CPU is
user + system time of the whole process tree, memory the peak of its largest process. Machines are
noisy: CPU is the steadier column.
"""
import argparse, os, random, shutil, statistics, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("MEDIABUILD", os.path.join(ROOT, "target/release/mediabuild"))
PE_FILES = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows"


def run(command, **environment):
    """Wall seconds, CPU seconds and peak MB of a shell command."""
    started = time.monotonic()
    process = subprocess.Popen(["bash", "-c", "set -o pipefail; " + command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env={**os.environ, **environment})
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {command}\n{error.decode(errors='replace')[-2000:]}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def table(title, rows, runs, reference):
    """Runs rows (name, prepare, command) in turns; prints medians and ratios to `reference`."""
    figures = {name: [] for name, _, _ in rows}
    for _ in range(runs):
        for name, prepare, command in rows:
            prepare()
            subprocess.run(["sync"])
            figures[name].append(run(command))
    median = {name: [statistics.median(column) for column in zip(*taken)] for name, taken in figures.items()}
    print(f"\n### {title}\n")
    print(f"| | wall s | CPU s | peak MB | wall / {reference} | CPU / {reference} |\n|---|---|---|---|---|---|")
    for name, _, _ in rows:
        wall, cpu, memory = median[name]
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {wall / median[reference][0]:.2f} "
              f"| {cpu / median[reference][1]:.2f} |")
    sys.stdout.flush()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def random_files(folder, count, largest, per_folder):
    """`count` files of random bytes, 1 KB to `largest`, the same in every run of this script."""
    source = random.Random(1)
    for at in range(count):
        name = os.path.join(folder, f"d{at % per_folder}", f"f{at}.dat")
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "wb") as file:
            file.write(source.randbytes(source.randint(1000, largest)))


def remove(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        if os.path.isfile(path):
            os.remove(path)


def ours(project, store):
    return f"MEDIABUILD_STORE={store} {PROGRAM} build {project}"


def wim(work, runs):
    """Prestaged WIM: an uncompressed base of over 500 MB and 2,000 new files."""
    project, store, out = f"{work}/wim", f"{work}/wim-store", f"{work}/peer.wim"
    if not os.path.exists(f"{project}/mediabuild.kdl"):
        os.makedirs(project, exist_ok=True)
        subprocess.run(["wimlib-imagex", "capture", PE_FILES, f"{project}/base.wim", "OS", "--compress=none"],
                       check=True, stdout=subprocess.DEVNULL)
        random_files(f"{project}/new", 2000, 40000, 40)
        write(f"{project}/pe/readme.txt", "stands in for a boot image\n")
        write(f"{project}/mediabuild.kdl", """project "bench"
boot-image "pe" arch="amd64" { source "pe" }
os-image "os" arch="amd64" { wim "base.wim" }
package "new" { source "new" }
media "m" type="prestaged" { boot-image "pe"; os-image "os"; package "new"; output "m.wim" }
""")
    remove(store, f"{project}/result")
    run(ours(project, store))
    update = f'wimlib-imagex update {out} 1 --command="add {project}/new /SMS/PKG/new"'
    peer = f"wimlib-imagex export {project}/base.wim 1 {out} && {update} && sync {out}"
    result = f"{project}/result"

    table("Prestaged WIM: 667 MB uncompressed base + 2,000 new files (43 MB)", [
        ("wimlib export + update + fsync", lambda: remove(out), peer),
        ("mediabuild, inputs imported", lambda: forget(store, result), ours(project, store)),
        ("mediabuild, cold (import included)", lambda: remove(store, result), ours(project, store)),
        ("mediabuild, nothing changed", lambda: None, ours(project, store)),
    ], runs, "wimlib export + update + fsync")
    remove(out)


def forget(store, result):
    """Leaves the imported inputs and takes away a result, or a folder of them, and every realisation."""
    remove(result)
    import sqlite3
    index = sqlite3.connect(f"{store}/index.sqlite")
    index.execute("DELETE FROM realisation")
    index.execute("DELETE FROM root WHERE name LIKE ?", [f"%{result}%"])
    index.commit()
    index.close()


def iso(work, runs):
    """Bootable ISO of a 2 GB tree with 20,000 files."""
    project = f"{work}/iso"
    if not os.path.exists(f"{project}/mediabuild.kdl"):
        random_files(f"{project}/tree", 20000, 40000, 1000)
        for name, size in (("large1.bin", 1200), ("large2.bin", 400)):
            random_file(f"{project}/tree/{name}", size)
        iso_project(project)
    discs("ISO: 2 GB in 20,000 files", project, work, runs)


def large(work, runs):
    """Bootable ISO of one file of 5 GB, which no directory record of ISO 9660 can hold."""
    project = f"{work}/large"
    if not os.path.exists(f"{project}/mediabuild.kdl"):
        os.makedirs(f"{project}/tree", exist_ok=True)
        random_file(f"{project}/tree/large.bin", 4800)
        iso_project(project)
    discs("ISO: one file of 5 GB", project, work, runs)


def usb(work, runs):
    """A disk image of 3 GB with the same 2 GB tree as the ISO, and what the store takes for both."""
    project = f"{work}/usb"
    if not os.path.exists(f"{project}/mediabuild.kdl"):
        random_files(f"{project}/tree", 20000, 40000, 1000)
        for name, size in (("large1.bin", 1200), ("large2.bin", 400)):
            random_file(f"{project}/tree/{name}", size)
        write(f"{project}/pe/readme.txt", "stands in for a boot image\n")
        write(f"{project}/mediabuild.kdl", """project "bench"
boot-image "pe" arch="amd64" { source "pe" }
package "tree" { source "tree" }
media "m" type="bootable" { boot-image "pe"; package "tree"; output "m.iso" }
media "u" type="bootable" { boot-image "pe"; package "tree"; usb "u.img" size="3072MiB" }
""")
    store, out, tree, result = f"{work}/usb-store", f"{work}/peer.img", f"{project}/tree", f"{project}/result"
    remove(store, result)
    run(ours(project, store) + " m")
    iso_only = folder_bytes(store)
    run(ours(project, store) + " u")
    both = folder_bytes(store)
    floor = f"find {tree} -type f | sort | xargs cat > {out} && sync {out}"
    peer = (f"truncate -s 3G {out} && mkfs.fat -F 32 --invariant {out} && mcopy -s -m -i {out} {tree} ::/tree && sync {out}")
    table("FAT32 disk image of 3 GB with 2 GB in 20,000 files", [
        ("cat + fsync", lambda: remove(out), floor),
        ("mkfs.fat + mcopy + fsync", lambda: remove(out), peer),
        # Its ISO stays where it is, so it is not written again.
        ("mediabuild, inputs imported", lambda: forget(store, f"{result}/u.img"), ours(project, store) + " u"),
        ("mediabuild, nothing changed", lambda: None, ours(project, store) + " u"),
    ], runs, "cat + fsync")
    print(f"\nThe store has {iso_only / 1e6:.1f} MB with an ISO of the tree, {both / 1e6:.1f} MB with a disk image too.")
    remove(out)


def random_file(path, megabytes):
    with open(path, "wb") as file:
        source = random.Random(megabytes)
        for _ in range(megabytes):
            file.write(source.randbytes(1 << 20))


def iso_project(project):
    write(f"{project}/pe/readme.txt", "stands in for a boot image\n")
    write(f"{project}/mediabuild.kdl", """project "bench"
boot-image "pe" arch="amd64" { source "pe" }
package "tree" { source "tree" }
media "m" type="bootable" { boot-image "pe"; package "tree"; output "m.iso" }
media "mirrored" type="bootable" { boot-image "pe"; package "tree"; output "mirrored.iso" mirror="joliet" }
""")


def discs(title, project, work, runs):
    """The makers of ISOs in turns, over the same tree; all but `cat` may leave equal files out."""
    store, out, tree = f"{project}-store", f"{work}/peer.iso", f"{project}/tree"
    remove(store, f"{project}/result")
    run(ours(project, store) + " m")
    one = folder_bytes(store)
    run(ours(project, store) + " mirrored")
    both = folder_bytes(store)
    result = f"{project}/result"
    floor = f"find {tree} -type f | sort | xargs cat > {out} && sync {out}"
    table(title, [
        ("cat + fsync", lambda: remove(out), floor),
        ("xorriso -as mkisofs + fsync", lambda: remove(out),
         f"xorriso -as mkisofs -quiet -iso-level 3 -J -joliet-long -V L -o {out} {tree} && sync {out}"),
        ("genisoimage -udf + fsync", lambda: remove(out),
         f"genisoimage -quiet -udf -allow-limited-size -iso-level 3 -J -joliet-long -V L -o {out} {tree} && sync {out}"),
        ("mediabuild, inputs imported", lambda: forget(store, result), ours(project, store) + " m"),
        ("mediabuild, Joliet too", lambda: forget(store, result), ours(project, store) + " mirrored"),
        ("mediabuild, cold (import included)", lambda: remove(store, result), ours(project, store) + " m"),
        ("mediabuild, nothing changed", lambda: None, ours(project, store) + " m"),
    ], runs, "cat + fsync")
    print(f"\nThe store has {one / 1e6:.1f} MB with one ISO of the tree, {both / 1e6:.1f} MB with both.")
    remove(out)


def folder_bytes(folder):
    """What a folder takes on the disk."""
    blocks = (os.lstat(os.path.join(path, name)).st_blocks for path, _, names in os.walk(folder) for name in names)
    return 512 * sum(blocks)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("which", nargs="*", metavar="wim|iso|large|usb")
    arguments = parser.parse_intermixed_args()
    work = os.path.abspath(arguments.work)
    os.makedirs(work, exist_ok=True)
    for name in arguments.which or ["wim", "iso", "large", "usb"]:
        {"wim": wim, "iso": iso, "large": large, "usb": usb}[name](work, arguments.runs)


if __name__ == "__main__":
    main()
