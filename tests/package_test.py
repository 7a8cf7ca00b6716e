#!/usr/bin/env python3
"""Installs the libraries, builds examples/cpp/own_consumer against them as a stranger would, and runs it. ctest: package.embed.

    package_test.py BUILD_FOLDER
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def told(*command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        told("cmake", "--install", build, "--prefix", folder / "installed")
        told("cmake", "-S", ROOT / "examples/cpp/own_consumer", "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={folder / 'installed'}")
        told("cmake", "--build", folder / "build")
        run = (folder / "build/embed", folder / "events")
        assert sorted(told(*run).splitlines()) == ['anna: {"number": 1}', 'anna: {"number": 2}', 'ben: {"number": 1}']
        # The consumer keeps its position: what it handled before does not come again.
        assert len(told(*run).splitlines()) == 3
    print("embed: installed, built, run twice")


if __name__ == "__main__":
    main()
