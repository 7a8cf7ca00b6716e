#!/usr/bin/env python3
"""Types the commands of docs/guide/embedding.md as a stranger would: install, build examples/cpp/own_consumer, run it. ctest: package.embed.

    package_test.py BUILD_FOLDER
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def shown_commands():
    """The shell blocks of the guide, in order, as one script each."""
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/guide/embedding.md").read_text(), re.MULTILINE | re.DOTALL)


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as home:
        # A checkout in which only the build folder has another name, and where nothing of the true one is written.
        (Path(home) / "examples").symlink_to(ROOT / "examples")
        (Path(home) / "build").mkdir()
        (Path(home) / "build/release").symlink_to(build)
        environment = {**os.environ, "HOME": home, "CMAKE_GENERATOR": "Ninja"}

        def told(script):
            return subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True, stdout=subprocess.PIPE, text=True, cwd=home, env=environment).stdout

        install, use = shown_commands()
        told(install.replace("./dev build release && ", ""))  # it is built: this test is part of it
        first = sorted(line for line in told(use).splitlines() if line.startswith(("anna", "ben")))
        assert first == ['anna: {"number": 1}', 'anna: {"number": 2}', 'ben: {"number": 1}'], first
        # The consumer keeps its position: what it handled before does not come again.
        assert len(told(use.splitlines()[-1]).splitlines()) == 3
    print("embed: installed, built, run twice")


if __name__ == "__main__":
    main()
