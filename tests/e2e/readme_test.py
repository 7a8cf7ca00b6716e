#!/usr/bin/env python3
"""The README's first five minutes, typed as they stand there, against `./dev run`'s server."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from household import EXPECTED
from main import PROGRAM, run
from server import ROOT, free_port


def shown_commands(heading):
    """The shell blocks of a section of the README, in order, as one script each."""
    section = re.search(rf"^## {heading}\n(.*?)^## ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


class Example:
    """`./dev run` after its build: the server with the example household, in a home of its own."""

    def __init__(self, folder, port):
        self.folder, self.port, self.log = folder, port, Path(folder) / "log"
        self.environment = {**os.environ, "XDG_DATA_HOME": str(folder), "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
        self.process = None

    def launch(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([ROOT / "examples/household/run", PROGRAM, "--listen", f"127.0.0.1:{self.port}"],
                                            env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def await_line(self, text):
        end = time.monotonic() + 60
        while text not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def stop(self, how=signal.SIGTERM):
        """Tells the script alone; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(30)

    def counts(self):
        def lines(*verb):
            command = [PROGRAM, *verb, "--all", "-o", "jsonl"]
            return len(subprocess.run(command, env=self.environment, capture_output=True, check=True, timeout=60).stdout.splitlines())

        return {" ".join(verb): lines(*verb) for verb in (("accounts", "list"), ("categories", "list"), ("categories", "rules"), ("transactions", "list"))}


class ReadmeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="bascule-e2e-"))
        cls.example = Example(folder, free_port())
        cls.log, cls.environment = cls.example.log, cls.example.environment
        cls.example.launch()
        cls.addClassCleanup(cls.example.stop)
        cls.example.await_line("address")

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


class InterruptedTest(unittest.TestCase):
    """The first run is cut short: the next one has the whole household all the same."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="bascule-e2e-"))
        self.example = Example(folder, free_port())

    def assert_next_run_is_whole(self):
        self.example.launch()
        self.example.await_line("address")
        counts = self.example.counts()
        self.assertEqual(self.example.stop(), 0)
        rows = sum(account["transactions"] for account in EXPECTED["accounts"].values())
        self.assertEqual(counts, {"accounts list": 3, "categories list": 25, "categories rules": 40, "transactions list": rows})

    def test_by_ctrl_c_while_it_loads(self):
        self.example.launch()
        self.example.await_line("Loading the example household")
        time.sleep(0.7)
        self.assertNotEqual(self.example.stop(signal.SIGINT), 0)
        told = self.example.log.read_text()
        self.assertIn("not whole yet", told)
        self.assertIn("info stopped", told)
        self.assert_next_run_is_whole()

    def test_by_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", self.example.port)):
            self.example.launch()
            self.assertNotEqual(self.example.process.wait(60), 0)
        self.assert_next_run_is_whole()


if __name__ == "__main__":
    run()
