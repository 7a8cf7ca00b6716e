#!/usr/bin/env python3
"""What holds from the first moment on: the owner's token, and that nobody who only connects keeps others out."""

import contextlib
import json
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from main import PROGRAM, run
from server import Server


class StartTest(unittest.TestCase):
    def test_the_token_is_there_before_anybody_is_answered(self):
        with Server(PROGRAM) as server:
            server.kill()
            (server.data / "secrets/cli.json").unlink()
            server.forget_connection()
            server.launch()
            server.wait_until(lambda: server.alive() and server.ready(), 60, "the first answer")
            self.assertIsNotNone(server.owner_token())

    def test_a_start_that_was_cut_short_leaves_no_user_without_a_token(self):
        """The user and its token were committed, and the machine went down before the token was written where it can be found."""
        for left in (None, "", '{"url":"x","token":""}'):
            with self.subTest(left=left), Server(PROGRAM) as server:
                lost = server.token
                server.kill()
                file = server.data / "secrets/cli.json"
                file.unlink()
                if left is not None:
                    file.write_text(left)
                server.start()
                self.assertNotEqual(server.token, lost)
                self.assertEqual(server.request("GET", "/v1/me").expect(200)["role"], "owner")
                self.assertEqual(server.request("GET", "/v1/me", token=lost).status, 401)
                self.assertEqual(len(server.request("GET", "/v1/users").expect(200)["items"]), 1)

    def test_a_token_that_is_there_stays(self):
        with Server(PROGRAM) as server:
            token = server.token
            server.kill()
            server.start()
            self.assertEqual(server.token, token)
            self.assertEqual(json.loads((server.data / "secrets/cli.json").read_text())["url"], f"http://127.0.0.1:{server.port}")


class ListenTest(unittest.TestCase):
    def refused(self, *arguments):
        """What a start says that fails, and its exit code."""
        with tempfile.TemporaryDirectory(prefix="bascule-e2e-") as folder:
            done = subprocess.run([PROGRAM, "serve", "--data", f"{folder}/data: [1]", *arguments], capture_output=True, text=True, timeout=60)
            self.assertFalse((Path(folder) / "data").exists())
            return done.returncode, done.stdout + done.stderr

    def test_an_address_is_taken_as_it_is_typed(self):
        for typed in ("4010", "[::1", "$HOST:4010", "{a: b}", "it's:1"):
            with self.subTest(typed=typed):
                code, text = self.refused("--listen", typed)
                self.assertEqual(code, 3, text)
                self.assertIn(f"server.listen (--listen) is '{typed}'; ADDRESS:PORT is allowed", text)

    def test_a_port_in_use_says_what_to_do(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            code, text = self.refused("--listen", f"localhost:{port}")
            self.assertEqual(code, 7, text)
            self.assertIn(f"listen on 127.0.0.1:{port}: ", text)
            self.assertIn("another port with --listen ADDRESS:PORT", text)


class ConnectionsTest(unittest.TestCase):
    def test_half_open_connections_lock_nobody_out(self):
        with Server(PROGRAM, arguments=["--set", "server.connections_max=50"]) as server:
            half_open = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
            try:
                for number, each in enumerate(half_open):
                    if number % 2:
                        try:
                            each.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
                        except OSError:
                            pass  # it made room already
                for path in ("/healthz", "/readyz", "/v1/me"):
                    server.forget_connection()
                    self.assertEqual(server.request("GET", path, timeout=5).status, 200, path)
            finally:
                for each in half_open:
                    each.close()


@contextlib.contextmanager
def small_disk(mebibytes):
    """A folder with so much room, or a skipped test where nothing may be mounted."""
    with tempfile.TemporaryDirectory(prefix="bascule-e2e-") as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder], capture_output=True).returncode != 0:
            raise unittest.SkipTest("needs the right to mount a file system")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


class FullDiskTest(unittest.TestCase):
    def test_it_is_told_once_with_what_to_do_and_is_over_when_there_is_room(self):
        event = {"eventType": "lamp.switched", "source": "kitchen", "userId": "robin", "data": {"text": "x" * 100_000}}
        with small_disk(48) as disk, Server(PROGRAM) as server:
            server.kill()
            server.data = disk / "data"
            server.start()
            filler = disk / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(65536))
            refused = server.wait_until(lambda: (answer := server.request("POST", "/v1/events", event)).status != 200 and answer, 60, "a refusal")
            self.assertEqual((refused.status, refused.body["error"]["code"]), (429, "exhausted"))
            ready = server.request("GET", "/readyz", token="")
            self.assertEqual(ready.status, 503)
            self.assertIn("no space", ready.body["reasons"][0])
            self.assertNotIn(str(disk), str(ready.body), "who is not signed in learns no path")
            filler.unlink()
            server.wait_until(server.ready, 60, "room to be noticed")
            server.request("POST", "/v1/events", event).expect(200)
            log = server.log.read_text()
            self.assertEqual(log.count("publishes are refused"), 1, log)
            self.assertRegex(log, rf"publishes are refused, the log is full: .*{disk}.*free space on that disk")
            self.assertEqual(log.count("publishes are taken again"), 1, log)


if __name__ == "__main__":
    run()
