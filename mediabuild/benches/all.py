#!/usr/bin/env python3
"""Every table of BENCHMARKS.md, one after the other.

    cargo build --release && python3 mediabuild/benches/all.py WORK_FOLDER [noop] [import] [store] [media] [wim]

WORK_FOLDER needs about 60 GB; about an hour and a half on two cores. Each script can be run alone, with more
runs; a name here picks some of them. Nothing else should run on the machine meanwhile.
"""
import argparse, os, subprocess, sys

BENCHES = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(BENCHES))


def script(name, *arguments):
    return [sys.executable, os.path.join(BENCHES, name), *arguments]


def example(name, work):
    return ["cargo", "run", "--quiet", "--release", "--package", "mediabuild-store", "--example", name, "--", work]


def commands(work):
    return {
        "noop": [script("noop.py", work)],
        "import": [script("import.py", work)],
        "store": [example("gc_figures", work), example("verify_figures", work)],
        "media": [script("compare.py", work)],
        "wim": [script("wim.py", work)],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("which", nargs="*", metavar="noop|import|store|media|wim")
    arguments = parser.parse_args()
    work = os.path.abspath(arguments.work)
    os.makedirs(work, exist_ok=True)
    all_commands = commands(work)
    for name in arguments.which or all_commands:
        print(f"\n## {name}", flush=True)
        for command in all_commands[name]:
            subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
