#!/usr/bin/env python3
"""Verifies and extracts WIMs beside wimlib, in turns, and prints Markdown tables.

    cargo build --release && python3 mediabuild/benches/read.py WORK_FOLDER [--runs 5] [--corpus FOLDER]

WORK_FOLDER needs three times the corpus, and some; WIMs of it are captured there once, with wimlib. A
figure is the median of the runs, CPU is user + system time, memory the peak. Extracted trees are written
into WORK_FOLDER: on a disk the wall time is the disk's, so put it on tmpfs to see the programs.
"""
import argparse, os, subprocess

from compare import PE_FILES, PROGRAM, remove, table

VARIANTS = {
    "LZX": ["--compress=LZX:20"],
    "XPRESS": ["--compress=XPRESS"],
    "uncompressed": ["--compress=none"],
    "solid LZMS": ["--solid", "--solid-chunk-size=1M"],
}


def capture(corpus, wim, options):
    if not os.path.exists(wim):
        subprocess.run(["wimlib-imagex", "capture", corpus, wim, "corpus", *options], check=True,
                       stdout=subprocess.DEVNULL)


def nothing():
    pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--corpus", default=PE_FILES)
    parser.add_argument("variants", nargs="*", metavar="|".join(VARIANTS))
    arguments = parser.parse_args()
    work = os.path.abspath(arguments.work)
    os.makedirs(work, exist_ok=True)
    for name in arguments.variants or VARIANTS:
        wim, out = f"{work}/{name.replace(' ', '-')}.wim", f"{work}/out"
        capture(arguments.corpus, wim, VARIANTS[name])
        table(f"verify, {name}", [
            ("wimlib", nothing, f"wimlib-imagex verify {wim}"),
            ("mediabuild, 1 thread", nothing, f"{PROGRAM} verify --jobs 1 {wim}"),
            ("mediabuild, 2 threads", nothing, f"{PROGRAM} verify --jobs 2 {wim}"),
        ], arguments.runs, "wimlib")
        clear = lambda: remove(out)
        table(f"extract, {name}", [
            ("wimlib", clear, f"wimlib-imagex apply {wim} 1 {out}"),
            ("mediabuild, 1 thread", clear, f"{PROGRAM} extract --jobs 1 {wim} --to {out}"),
            ("mediabuild, 2 threads", clear, f"{PROGRAM} extract --jobs 2 {wim} --to {out}"),
        ], arguments.runs, "wimlib")
        remove(out)


if __name__ == "__main__":
    main()
