#!/usr/bin/env python3
"""A data directory that lost something is refused with its name and what to do; nothing is begun anew in silence."""

import contextlib
import unittest

from main import PROGRAM, run
from server import Server

EVENT = {"eventType": "lamp.switched", "source": "kitchen", "userId": "robin", "data": {"on": True}}


class LostFileTest(unittest.TestCase):
    def refused(self, server):
        """Starts the server, which must end by itself; returns its exit code and its last words."""
        server.forget_connection()
        server.launch()
        code = server.process.wait(60)
        return code, server.log_tail(1)

    def test_a_lost_file_beside_the_log_is_named_and_the_rest_is_left_alone(self):
        with Server(PROGRAM) as server:
            server.post("/v1/events", EVENT)
            server.settle()
            self.assertEqual(server.stop(), 0)
            for name in ("bascule.db", "audit.db", "VERSION"):
                for loss in ("missing", "empty"):
                    with self.subTest(name=name, loss=loss):
                        path = server.data / name
                        content = path.read_bytes()
                        path.unlink() if loss == "missing" else path.write_bytes(b"")
                        code, words = self.refused(server)
                        self.assertEqual(code, 9, words)
                        self.assertIn(f"{path} is {loss}", words)
                        self.assertIn("restore it from a backup", words)
                        self.assertEqual(path.exists(), loss == "empty", "something was made in its place")
                        path.write_bytes(content)
            server.start()
            self.assertEqual(server.request("GET", "/v1/me").expect(200)["role"], "owner")
            self.assertEqual(len(server.list("/v1/events", type="lamp.switched")), 1)

    def test_a_second_server_is_refused_whatever_becomes_of_the_lock_file(self):
        with Server(PROGRAM) as server, contextlib.ExitStack() as after:
            second = after.enter_context(contextlib.closing(server_beside(server)))
            code, words = self.refused(second)
            self.assertEqual(code, 7, words)
            self.assertIn(f"LOCK is locked by process {server.process.pid}", words)
            (server.data / "LOCK").unlink()
            code, words = self.refused(second)
            self.assertEqual(code, 7, words)
            self.assertIn("LOCK was removed", words)
            server.post("/v1/events", EVENT)


def server_beside(other):
    """A server that wants the other's data directory, on a port of its own."""
    server = Server(PROGRAM)
    server.data = other.data
    server.close = server.__exit__
    return server


class DamagedAuditTest(unittest.TestCase):
    def test_a_damaged_page_is_a_verdict(self):
        with Server(PROGRAM) as server:
            for start in range(0, 1000, 100):
                server.post("/v1/events", {"events": [{**EVENT, "eventId": f"e{start + number}"} for number in range(100)]})
            server.settle()
            self.assertEqual(server.stop(), 0)
            with (server.data / "audit.db").open("r+b") as file:
                file.seek(0, 2)
                size = file.tell()
                file.seek(size // 2)
                file.write(b"\xff" * (size // 8))
            server.start()
            verdict = server.request("POST", "/v1/audit:verify").expect(200)
            self.assertFalse(verdict["ok"], verdict)
            self.assertIn("damaged at entry", verdict["message"])
            self.assertEqual(verdict["firstBroken"], str(verdict["entries"] + 1))
            self.assertIn("damaged at entry", server.cli("audit", "verify", expect=1))


class ImpossibleImportTest(unittest.TestCase):
    def test_a_file_that_can_never_be_imported_fails_and_the_next_one_goes_on(self):
        with Server(PROGRAM) as server:
            account = server.post("/v1/accounts", {"name": "Giro", "type": "checking", "currency": "EUR"})["id"]
            head = "Date;Payee;Amount\n"
            vast = f"{head}2026-01-31;X;92233720368547758,07\n2026-02-13;Y;92233720368547758,07\n"
            plain = f"{head}2026-01-31;X;-1,00\n2026-02-13;Y;-2,00\n"
            files = [
                server.request("POST", "/v1/files", text.encode(), fileName=f"{number}.csv", accountId=account).expect(202)["id"]
                for number, text in enumerate((vast, plain))
            ]
            server.settle()
            failed, taken = (server.get(f"/v1/files/{each}") for each in files)
            self.assertEqual(failed["status"], "failed")
            self.assertIn("would no longer fit in 64 bits", failed["message"])
            self.assertEqual((taken["status"], taken["transactionCount"]), ("processed", 2))
            self.assertEqual(len(server.list("/v1/transactions")), 2)
            self.assertEqual(server.get("/v1/letters")["total"], 0)
            self.assertIn("import_failed", [each["kind"] for each in server.list("/v1/notifications")])


if __name__ == "__main__":
    run()
