#!/usr/bin/env python3
"""Types the commands of docs/guide/embedding.md and patterns.md as a stranger would: install, build the examples, run them. ctest: package.embed.

    package_test.py BUILD_FOLDER
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def blocks(page, language):
    """The blocks of a guide that are in a language, in order."""
    all_blocks = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / "docs/guide" / page).read_text(), re.MULTILINE | re.DOTALL)
    return [text for name, text in all_blocks if name == language]


def check_own_consumer(told, use):
    first = sorted(line for line in told(use).splitlines() if line.startswith(("anna", "ben")))
    assert first == ['anna: {"number": 1}', 'anna: {"number": 2}', 'ben: {"number": 1}'], first
    # The consumer keeps its position: what it handled before does not come again.
    assert len(told(use.splitlines()[-1]).splitlines()) == 3


def check_match_patterns(told, home):
    source = (ROOT / "examples/cpp/match_patterns/main.cc").read_text()
    for shown in blocks("patterns.md", "cpp"):
        assert shown in source, f"the guide shows what the example does not say:\n{shown}"
    for commands, answer in zip(blocks("patterns.md", "sh"), blocks("patterns.md", ""), strict=True):
        assert told(commands).endswith(answer), f"{commands}\nshould end with\n{answer}"
    # Its libraries are the matcher's: of a room that was not asked for, nothing is looked for.
    cache = (Path(home) / "build/match_patterns/CMakeCache.txt").read_text()
    assert "simdjson_DIR" in cache and "yaml-cpp_DIR" not in cache, cache


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as home:
        # A checkout in which only the build folder has another name, and where nothing of the true one is written.
        (Path(home) / "examples").symlink_to(ROOT / "examples")
        (Path(home) / "build").mkdir()
        (Path(home) / "build/release").symlink_to(build)
        environment = {**os.environ, "HOME": home}

        def told(script):
            return subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True, stdout=subprocess.PIPE, text=True, cwd=home, env=environment).stdout

        install, use = blocks("embedding.md", "sh")
        told(install.replace("./dev build release && ", ""))  # it is built: this test is part of it
        check_own_consumer(told, use)
        check_match_patterns(told, home)
    print("package: installed, examples built and run")


if __name__ == "__main__":
    main()
