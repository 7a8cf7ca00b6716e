#!/usr/bin/env python3
"""The README's first five minutes, typed as they stand there, against `./dev run`'s server."""

import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from main import PROGRAM, run
from server import ROOT, free_port


def shown_commands(heading):
    """The shell blocks of a section of the README, in order, as one script each."""
    section = re.search(rf"^## {heading}\n(.*?)^## ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


class ReadmeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="bascule-e2e-"))
        cls.log = Path(folder) / "log"
        cls.environment = {**os.environ, "XDG_DATA_HOME": folder, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
        with cls.log.open("wb") as log:
            cls.server = subprocess.Popen([ROOT / "examples/household/run", PROGRAM, "--listen", f"127.0.0.1:{free_port()}"],
                                          env=cls.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        end = time.monotonic() + 60
        while "address" not in cls.log.read_text():
            assert cls.server.poll() is None and time.monotonic() < end, cls.log.read_text()
            time.sleep(0.05)

    @classmethod
    def stop(cls):
        cls.server.send_signal(signal.SIGTERM)
        cls.server.wait(30)

    def type(self, script):
        script = re.sub(r"^export PATH=.*$", "", script, flags=re.MULTILINE)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f"{script}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_every_command_does_what_its_remark_says(self):
        household, own_event, no_server = map(self.type, shown_commands("The first five minutes"))
        self.assertIn("24311.13", household)
        self.assertRegex(household, r"2025-06 +EUR +5851\.51")
        self.assertRegex(household, r"processed +253 +82 +171")
        self.assertRegex(household, r"processed +253 +0 +253")
        self.assertIn("every link holds", household)
        self.assertRegex(own_event, r"accepted .*\n(.*\n)*yes\n")
        self.assertIn("DE65999900000012345602", no_server)

    def test_what_was_published_can_be_looked_at(self):
        """Searches are answered by the audit trail, which follows the log by moments: a person is slower, a test looks again."""
        block = next(block for block in shown_commands("The first five minutes") if "bascule publish" in block)
        self.type(block)
        look = re.search(r"^bascule tail .*$", block, re.MULTILINE)[0]
        end = time.monotonic() + 20
        while "lamp.switched" not in (told := self.type(look)):
            self.assertLess(time.monotonic(), end, told)

    def test_the_summary_says_what_was_loaded(self):
        self.assertIn("three accounts, 25 categories, 40 rules", self.log.read_text())
        self.assertIn("token     bsc_", self.log.read_text())


if __name__ == "__main__":
    run()
