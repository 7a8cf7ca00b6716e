#!/usr/bin/env python3
"""clang-tidy over our sources, but only over those about which nothing is known yet.

    tools/tidy.py --build build/dev [FILE…]        all sources under src and apps by default; exit code 1 if there are findings

A file that was clean stays clean until something that the answer hangs on changes: the file, a header of ours that it includes,
however indirectly, its compile command, .clang-tidy, clang-tidy itself, or the packages that the foreign headers are from. A hash
of all that names an empty file in build/tidy; keep the folder, and only what changed costs time. Findings are never kept, so they are shown again.
"""

import argparse
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "clang-tidy-19"
# The commands are GCC's, and so is the standard library, which uses what it deprecates itself.
OPTIONS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-deprecated-declarations"]
# A test takes what it expects to be there, and fails where it is not; what it copies costs nobody anything.
TEST_OPTIONS = ["--checks=-bugprone-unchecked-optional-access,-performance-unnecessary-value-param"]
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
FOLDERS = [ROOT / "src", ROOT / "include", ROOT / "apps/bascule"]
STAMPS_MAX = 5000


@functools.cache
def looked_into(path):
    """The hash of a file of ours, and the files of ours that it includes itself."""
    content = path.read_bytes()
    folders = [path.parent, *FOLDERS]
    named = [name.decode() for name in INCLUDE.findall(content)]
    found = [next((file.resolve() for folder in folders if (file := folder / name).is_file()), None) for name in named]
    return hashlib.sha256(content).hexdigest(), [file for file in found if file is not None]


def closure(path):
    """The file and all of ours that it sees."""
    seen, waiting = set(), [path]
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            waiting += looked_into(at)[1]
    return sorted(seen)


def surroundings():
    """What the answers for all files hang on. Without dpkg the foreign headers are taken to stay as they are."""
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, check=True).stdout
    try:
        packages = subprocess.run(["dpkg-query", "-W", "*-dev"], capture_output=True).stdout
    except FileNotFoundError:
        packages = b""
    return hashlib.sha256(version + packages + (ROOT / ".clang-tidy").read_bytes() + " ".join(OPTIONS + TEST_OPTIONS).encode()).hexdigest()


def stamp_name(path, command, around):
    parts = [around, command] + [f"{file.relative_to(ROOT)} {looked_into(file)[0]}" for file in closure(path)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def commands(build):
    """Compile commands by source; paths of this checkout are taken out, so that another's stamps serve as well."""
    entries = json.loads((build / "compile_commands.json").read_text())
    return {Path(entry["directory"], entry["file"]).resolve(): entry["command"].replace(str(ROOT), "") for entry in entries}


def forget_old(folder):
    by_age = sorted(folder.iterdir(), key=lambda stamp: stamp.stat().st_mtime, reverse=True)
    for stamp in by_age[STAMPS_MAX:]:
        stamp.unlink()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", type=Path, required=True, help="a configured build folder")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("files", nargs="*", type=Path)
    options = options.parse_args()
    listed = subprocess.run(["git", "ls-files", "src/*.cc", "apps/*.cc"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [file.resolve() for file in options.files] or [ROOT / name for name in listed.split()]

    stamps = ROOT / "build/tidy"
    stamps.mkdir(parents=True, exist_ok=True)
    around, known = surroundings(), commands(options.build)
    names = {file: stamp_name(file, known.get(file, ""), around) for file in files}
    unknown = [file for file in files if not (stamps / names[file]).exists()]
    for file in set(files) - set(unknown):
        (stamps / names[file]).touch()  # in use, so not old

    def look(file):
        begin = time.monotonic()
        eased = TEST_OPTIONS if file.stem.endswith(("_test", "_bench")) else []
        done = subprocess.run(["nice", PROGRAM, "-p", options.build, *OPTIONS, *eased, file], cwd=ROOT, capture_output=True, text=True)
        if done.returncode == 0:
            (stamps / names[file]).touch()
        else:
            print(f"{done.stdout}{done.stderr}", file=sys.stderr, flush=True)
        return done.returncode == 0, time.monotonic() - begin

    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(look, unknown))
    forget_old(stamps)
    bad = sum(not clean for clean, _ in results)
    print(f"clang-tidy: {len(files)} files, {len(files) - len(unknown)} known to be clean, {len(unknown)} looked at in "
          f"{sum(seconds for _, seconds in results):.0f} s of work, {bad} with findings", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
