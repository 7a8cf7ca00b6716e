#!/usr/bin/env python3
"""HTTP consumers, letters, reload and operating, on the real program with real sockets."""

import hashlib
import hmac
import json
import subprocess
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from main import PROGRAM, run
from server import Server


class Receiver:
    """An endpoint that notes what it gets and answers as its script says; 204 where it says nothing."""

    def __init__(self):
        self.requests = []
        self.answers = {}  # (what `key` gives) -> status
        self.key = lambda body: body.get("eventId")
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((dict(self.headers), body))
                self.send_response(receiver.answers.get(receiver.key(json.loads(body)), 204))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def seen(self):
        return [json.loads(body)["eventId"] for _, body in list(self.requests)]

    def bodies(self):
        return [json.loads(body)["data"] for _, body in list(self.requests)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def signature_holds(headers, body, secret):
    parts = dict(part.split("=", 1) for part in headers["Bascule-Signature"].split(","))
    wanted = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts["v1"])


def event(number, user="anna", type="order.placed"):
    return {"eventId": f"e{number}", "eventType": type, "source": "shop", "userId": user, "data": {"number": number}}


class HttpConsumerTest(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.server = self.enterContext(Server(PROGRAM, config=f"""
consumers:
  shop:
    patterns: [{{source: [shop]}}]
    handler: {{http: {{url: "{self.receiver.url}", secret: s3cret, allow_private: true}}}}
    retry: {{initial: 100ms, max_attempts: 3}}
"""))

    def publish(self, *events):
        answer = self.server.post("/v1/events", {"events": list(events)})
        self.assertEqual(answer["accepted"], len(events), answer)

    def test_events_arrive_in_order_and_signed(self):
        self.publish(*(event(number) for number in range(20)))
        self.server.settle()
        self.assertEqual(self.receiver.seen(), [f"e{number}" for number in range(20)])
        for headers, body in self.receiver.requests:
            self.assertTrue(signature_holds(headers, body, "s3cret"))
            self.assertEqual(headers["Bascule-Consumer"], "shop")
        ids = [headers["Bascule-Delivery-Id"] for headers, _ in self.receiver.requests]
        self.assertEqual(len(set(ids)), 20)
        self.assertEqual({headers["Bascule-Attempt"] for headers, _ in self.receiver.requests}, {"1"})
        headers, body = self.receiver.requests[0]
        self.assertFalse(signature_holds(headers, body, "another secret"))
        self.assertFalse(signature_holds(headers, body + b" ", "s3cret"))

    def test_a_refused_event_parks_its_key_and_no_other_and_is_redriven_in_order(self):
        self.receiver.answers["e1"] = 422
        self.publish(event(1), event(2), event(3, "ben"))
        letters = self.server.wait_until(lambda: self.server.get("/v1/letters", consumer="shop")["items"], 20, "a letter")
        self.assertEqual([letter["eventId"] for letter in letters], ["e1"])
        self.assertIn("422", letters[0]["lastError"])
        self.server.wait_until(lambda: "e3" in self.receiver.seen(), 20, "the other key")
        self.assertEqual(sorted(self.receiver.seen()), ["e1", "e3"])
        self.assertEqual(self.server.post("/v1/consumers/shop:explain", {"eventId": "e2"})["state"], "deferred")

        # A letter survives the server's sudden end.
        self.server.kill()
        self.server.start()
        self.receiver.answers.clear()
        detail = self.server.get(f"/v1/letters/{letters[0]['id']}")
        self.assertEqual(detail["event"]["data"], {"number": 1})
        self.assertEqual(self.server.post("/v1/letters:redrive", {"ids": [letters[0]["id"]]})["count"], 1)
        self.server.settle()
        self.assertEqual([id for id in self.receiver.seen() if id != "e3"], ["e1", "e1", "e2"])
        self.assertEqual(self.server.get("/v1/letters")["total"], 0)
        self.assertEqual(self.server.get("/v1/letters", state="closed")["total"], 1)

    def test_transient_failures_are_tried_again_with_the_same_delivery_id(self):
        self.receiver.answers["e1"] = 503
        self.publish(event(1))
        self.server.wait_until(lambda: len(self.receiver.requests) >= 2, 20, "a second attempt")
        self.receiver.answers.clear()
        self.server.settle()
        ids = {headers["Bascule-Delivery-Id"] for headers, _ in self.receiver.requests}
        self.assertEqual(len(ids), 1)
        attempts = [int(headers["Bascule-Attempt"]) for headers, _ in self.receiver.requests]
        self.assertEqual(attempts, list(range(1, len(attempts) + 1)))

    def test_a_discard_needs_a_reason(self):
        self.receiver.answers["e1"] = 400
        self.publish(event(1), event(2))
        self.server.wait_until(lambda: self.server.get("/v1/letters")["total"], 20, "a letter")
        refused = self.server.request("POST", "/v1/letters:discard", {"consumer": "shop"})
        self.assertEqual(refused.status, 400)
        self.assertIn("reason", refused.body["error"]["message"])
        self.assertEqual(self.server.post("/v1/letters:discard", {"consumer": "shop", "reason": "test data"})["count"], 1)
        self.server.settle(left_out={"shop": {"discarded": 1}})
        self.assertEqual(self.receiver.seen(), ["e1", "e2"])

    def test_pause_and_resume_lose_nothing(self):
        self.assertEqual(self.server.post("/v1/consumers/shop:pause")["state"], "paused")
        self.publish(event(1), event(2))
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.consumer("shop")["state"], "paused")
        self.server.wait_until(lambda: self.server.consumer("audit")["counts"]["done"] == 3, 20, "the audit to have them and the pause")
        self.assertEqual(self.receiver.seen(), [])
        self.server.post("/v1/consumers/shop:resume")
        self.server.settle()
        self.assertEqual(self.receiver.seen(), ["e1", "e2"])

    def test_a_repeat_is_a_duplicate_and_a_reused_id_a_conflict_also_after_a_kill(self):
        first = self.server.post("/v1/events", event(1))["results"][0]
        self.assertEqual(first["status"], "accepted")
        for moment in ("at once", "after a kill"):
            with self.subTest(moment=moment):
                again = self.server.post("/v1/events", event(1))
                self.assertEqual(again["accepted"], 0, again)
                self.assertEqual([(result["status"], result["position"]) for result in again["results"]], [("duplicate", first["position"])])
                reused = self.server.request("POST", "/v1/events", {**event(1), "data": {"number": 2}})
                self.assertEqual((reused.status, reused.body["error"]["code"]), (409, "id_reused"))
                self.server.settle()
                self.assertEqual(self.receiver.bodies(), [{"number": 1}])
            self.server.kill()
            self.server.start()

    def test_an_idempotency_key_makes_a_repeat_a_duplicate(self):
        order = {"eventType": "order.placed", "source": "shop", "userId": "anna", "data": {}}
        first = self.server.post("/v1/events", order, headers={"Idempotency-Key": "k1"})["results"][0]
        second = self.server.post("/v1/events", order, headers={"Idempotency-Key": "k1"})["results"][0]
        self.assertEqual((first["status"], second["status"]), ("accepted", "duplicate"))
        self.assertEqual(first["eventId"], second["eventId"])
        other = self.server.post("/v1/events", order, headers={"Idempotency-Key": "k2"})["results"][0]
        self.assertEqual(other["status"], "accepted")
        self.server.settle()
        self.assertEqual(self.receiver.seen(), [first["eventId"], other["eventId"]])

    def test_bad_events_name_their_fault_and_change_nothing(self):
        bad = {"eventType": "account.deleted", "source": "account_service", "userId": "anna", "data": {"accountId": "a", "transactionCount": "3"}}
        refused = self.server.request("POST", "/v1/events", bad)
        self.assertEqual(refused.status, 422)
        self.assertIn("/data/transactionCount", refused.body["error"]["message"])
        atomic = self.server.post("/v1/events", {"atomic": True, "events": [event(1), bad]})
        self.assertEqual([result["code"] for result in atomic["results"]], ["atomic_batch_failed", "invalid_event"])
        for broken in (b"{", b"[]", b'{"events": 3}', b"\xff\xfe"):
            self.assertEqual(self.server.request("POST", "/v1/events", broken).status, 400, broken)
        self.publish(event(2))
        self.server.settle()
        self.assertEqual(self.receiver.seen(), ["e2"])
        self.assertEqual(self.server.get("/v1/events")["total"], 1)


class IdempotencyTest(unittest.TestCase):
    """What the OpenAPI document says of Idempotency-Key, operation by operation."""

    # What an operation wants of its body before it looks at anything else.
    BODIES = {
        "createAccount": {"name": "Giro", "type": "checking", "currency": "EUR"}, "updateAccount": {"name": "Spar"},
        "uploadFile": b"Date;Payee;Amount\n", "associateFile": {"accountId": "a"}, "processFile": {},
        "createTransaction": {"accountId": "a", "date": "2026-01-02", "amount": "1.00"}, "updateTransaction": {"notes": "n"},
        "deleteTransactions": {"ids": ["t"]}, "createCategory": {"name": "Food", "type": "EXPENSE"}, "updateCategory": {"name": "Food"},
        "createCategoryRule": {"categoryId": "c", "conditions": {"field": "payee", "operator": "contains", "value": "x"}},
        "updateCategoryRule": {"enabled": False}, "putPreferences": {"locale": "de"},
        "createUser": {"name": "Ada"}, "createToken": {"role": "publisher"},
        "deleteAccount": None, "deleteFile": None, "deleteTransaction": None, "deleteCategory": None, "deleteCategoryRule": None,
        "readNotification": None, "deleteUser": None, "revokeToken": None,
    }
    # They look, or do what is done by then: their descriptions say why a repeat needs no key.
    WITHOUT = {
        "explainEvent", "explainConsumer", "testPattern", "verifyAudit", "pauseConsumer", "resumeConsumer", "flushConsumer",
        "redriveLetters", "discardLetters", "skipLetters", "stopLetters", "refreshAnalytics",
    }

    def test_a_key_that_is_listed_counts_and_all_writes_but_some_verbs_list_it(self):
        server = self.enterContext(Server(PROGRAM))
        key = {"Idempotency-Key": "taken"}
        server.request("POST", "/v1/accounts", {**self.BODIES["createAccount"], "name": "first"}, headers=key).expect(201)
        without = set()
        for path, methods in server.get("/v1/openapi.json")["paths"].items():
            for method, operation in methods.items():
                if method not in ("post", "put", "patch", "delete"):
                    continue
                name = operation["operationId"]
                if not any(each.get("$ref", "").endswith("/idempotencyKey") for each in operation.get("parameters", [])):
                    without.add(name)
                elif name != "publishEvents":  # a test of its own above
                    with self.subTest(operation=name):
                        query = {"fileName": "a.csv"} if name == "uploadFile" else {}
                        answer = server.request(method.upper(), path.replace("{id}", "x"), self.BODIES[name], headers=key, **query)
                        self.assertEqual(answer.status, 409, answer.body)
                        self.assertIn("Idempotency-Key", answer.body["error"]["message"])
        self.assertEqual(without, self.WITHOUT)


class ReadYourWritesTest(unittest.TestCase):
    def test_an_acknowledged_event_is_found_though_the_audit_trail_is_behind(self):
        with Server(PROGRAM) as server:
            server.post("/v1/consumers/audit:pause")
            event = {"eventId": "new", "eventType": "lamp.switched", "source": "kitchen", "userId": "robin", "data": {"on": True}}
            position = server.post("/v1/events", event)["results"][0]["position"]
            found = server.get("/v1/events/new")
            self.assertEqual((found["position"], found["event"]["data"]), (position, {"on": True}))
            self.assertEqual(server.post("/v1/events:explain", {"eventId": "new", "consumer": "audit"})["position"], position)
            self.assertEqual(server.request("GET", "/v1/events/other").status, 404)
            server.post("/v1/consumers/audit:resume")


class ReloadTest(unittest.TestCase):
    def test_a_changed_routing_file_is_taken_whole_or_not_at_all(self):
        server = self.enterContext(Server(PROGRAM, config="{}\n"))
        routing = Path(server.folder.name) / "config" / "event_routing.yaml"
        routing.parent.mkdir()
        routing.write_text('event_rules:\n  orders:\n    event_patterns: [{source: ["shop"]}]\n    target: notification\n')
        server.stop()
        server.start()
        self.assertIn("orders", [rule["name"] for rule in server.get("/v1/rules")["items"]])

        routing.write_text('event_rules:\n  invoices:\n    event_patterns: [{source: ["billing"]}]\n    target: notification\n')
        names = lambda: [rule["name"] for rule in server.get("/v1/rules")["items"]]
        server.wait_until(lambda: "invoices" in names() and "orders" not in names(), 20, "the new rule")

        routing.write_text('event_rules:\n  broken:\n    event_patterns: [{source: "billing"}]\n    target: nobody\n')
        server.wait_until(lambda: "stays in force" in server.log.read_text(), 20, "the complaint")
        complaint = server.log_tail()
        self.assertIn("event_routing.yaml:3", complaint)
        self.assertIn("target 'nobody' is not a consumer", complaint)
        self.assertIn("invoices", names())


class NotificationWebhookTest(unittest.TestCase):
    def test_a_user_who_switches_it_on_gets_signed_notifications(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        server = self.enterContext(Server(PROGRAM, arguments=["--set", "server.private_hosts_allowed=[127.0.0.1]"]))
        server.request("PUT", "/v1/preferences", {"webhook": {"url": receiver.url, "secret": "k", "enabled": True}}).expect(200)
        account = server.post("/v1/accounts", {"name": "Giro", "type": "checking", "currency": "EUR"})["id"]
        server.request("POST", "/v1/files", b"Date;Payee;Amount\n2026-01-31;Shop;-1,00\n", fileName="a.csv", accountId=account).expect(202)
        server.settle()
        self.assertEqual(len(receiver.requests), 1, receiver.requests)
        headers, body = receiver.requests[0]
        self.assertTrue(signature_holds(headers, body, "k"))
        self.assertFalse(signature_holds(headers, body, "another secret"))
        self.assertEqual(json.loads(body)["eventType"], "notification.raised")
        shown = server.get("/v1/preferences")
        self.assertEqual(shown["webhook"]["url"], receiver.url)
        self.assertNotIn("secret", json.dumps(shown))


class ProcessTest(unittest.TestCase):
    def test_a_second_server_on_the_same_data_is_refused(self):
        server = self.enterContext(Server(PROGRAM))
        second = subprocess.run([PROGRAM, "serve", "--data", server.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
        self.assertEqual(second.returncode, 7, second.stderr)
        self.assertIn("LOCK", second.stderr)
        self.assertTrue(server.ready())

    def test_a_wrong_configuration_names_file_line_and_remedy(self):
        server = self.enterContext(Server(PROGRAM))
        file = Path(server.folder.name) / "wrong.yaml"
        file.write_text("server:\n  lisen: 127.0.0.1:1\n")
        checked = subprocess.run([PROGRAM, "config", "check", "--config", file], capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 3)
        self.assertIn("wrong.yaml:2", checked.stderr)
        self.assertIn("did you mean 'listen'", checked.stderr)

    def test_it_refuses_to_listen_openly_without_tls(self):
        server = self.enterContext(Server(PROGRAM))
        opened = subprocess.run([PROGRAM, "serve", "--data", server.data / "other", "--listen", "0.0.0.0:0"], capture_output=True, text=True, timeout=60)
        self.assertEqual(opened.returncode, 3, opened.stderr)
        self.assertIn("behind_proxy", opened.stderr)
        (server.data / "open.yaml").write_text('server: {listen: "0.0.0.0:4010"}\n')
        checked = subprocess.run([PROGRAM, "config", "check", "--config", server.data / "open.yaml"], capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 3, checked.stderr)
        self.assertIn("behind_proxy", checked.stderr)

    def test_sigterm_ends_it_in_peace(self):
        server = self.enterContext(Server(PROGRAM))
        server.post("/v1/events", event(1))
        begin = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - begin, 15)
        server.start()
        self.assertEqual(server.get("/v1/events/e1")["event"]["data"], {"number": 1})


if __name__ == "__main__":
    run()
