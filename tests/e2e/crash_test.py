#!/usr/bin/env python3
"""The real server, killed with SIGKILL at random moments while it works, against a ledger kept outside of it.

    crash_test.py --program PROGRAM [--kills N] [--seed S]        10 kills in ctest (e2e.crash), 50 with ./dev crash

Four users publish numbered events, one after another each; meanwhile bank files are imported, overlapping ones among them. The ledger
notes what the server acknowledged, and never asks it. A client that gets no answer asks again, under the same id, as clients do.

After each restart no acknowledged event is missing. After the last: no event and no transaction is there twice, all
consumers are done, each user's events lie and were delivered in the order in which they were published, and the audit chain verifies.
"""

import argparse
import http.server
import itertools
import json
import random
import re
import sys
import threading
import time
from collections import Counter, defaultdict

from household import FOLDER, Household, cents
from main import PROGRAM
from server import Server

USERS = 4
WORK_SECONDS = (0.05, 1.5)  # the server works this long before it is killed
START_SECONDS = (0.0, 0.3)  # now and then it is killed again while it recovers
CHUNK_ROWS = 150  # of the household's own bank file, so that imports are many and overlap


class Receiver(http.server.ThreadingHTTPServer):
    """A webhook outside of the server: notes what arrives, in order."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiver.Handler)
        self.arrived = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with self.server.lock:
                self.server.arrived.append(event)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    def handle_error(self, *_):
        pass  # the peer was killed


class Ledger:
    """What was acknowledged. Owned by the test, never told by the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = []  # eventIds
        self.files = {}  # file id by name of the chunk

    def note_event(self, event_id):
        with self.lock:
            self.acknowledged.append(event_id)

    def note_file(self, chunk, file_id):
        with self.lock:
            before = self.files.setdefault(chunk, file_id)
        assert before == file_id, f"{chunk} was stored as {before}, and under the same key again as {file_id}"

    def events(self):
        with self.lock:
            return list(self.acknowledged)


class Load:
    """The clients. Each goes on until told to stop, through every death of the server."""

    def __init__(self, server, ledger, household, chunks):
        self.server, self.ledger, self.household = server, ledger, household
        self.chunks = list(chunks)
        self.stopping = threading.Event()
        self.failures = []
        jobs = [(self.publish, f"user-{number}") for number in range(USERS)] + [(self.upload,)]
        self.threads = [threading.Thread(target=self.guarded, args=job, daemon=True) for job in jobs]
        for thread in self.threads:
            thread.start()

    def guarded(self, job, *arguments):
        try:
            job(*arguments)
        except BaseException as error:
            self.failures.append(error)

    def ask(self, method, path, body, **more):
        """Repeats a request until it is answered: the connection may break, the server may be starting or busy.

        What was begun is finished, so the server must be up when the clients are stopped.
        """
        while True:
            try:
                answer = self.server.request(method, path, body, **more)
                if answer.status not in (429, 503):
                    return answer
            except ConnectionError:
                pass
            time.sleep(0.02)

    def publish(self, user):
        number = 0
        while not self.stopping.is_set():
            event = {"eventId": f"{user}-{number}", "eventType": "test.tick", "source": "crash_test", "userId": user, "data": {"number": number}}
            result = self.ask("POST", "/v1/events", event).expect(200)["results"][0]
            assert result["status"] in ("accepted", "duplicate"), result
            self.ledger.note_event(event["eventId"])
            number += 1

    def upload(self):
        """All chunks, and then all again: the second round must add nothing."""
        for number in itertools.count():
            if self.stopping.is_set():
                return
            chunk, data = self.chunks[number % len(self.chunks)]
            name = f"{number:04d}-{chunk}"
            answer = self.ask("POST", "/v1/files", data, headers={"Idempotency-Key": name}, fileName=name,
                              accountId=self.household.accounts["checking"])
            self.ledger.note_file(name, answer.expect(202)["id"])
            time.sleep(0.1)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        for failure in self.failures:
            raise failure


def chunks():
    """The current account's rows in overlapping files: each repeats the last third of the one before.

    Cut between days, since a bank's export never tears a day apart.
    """
    lines = (FOLDER / "checking.csv").read_bytes().splitlines(keepends=True)
    head, rows = lines[4:5], lines[5:][::-1]  # oldest first
    begin = 0
    while begin < len(rows):
        end = next_day(rows, begin + CHUNK_ROWS)
        yield f"chunk-{begin:04d}.csv", b"".join(head + rows[begin:end][::-1])
        if end == len(rows):
            return
        begin = next_day(rows, begin + CHUNK_ROWS * 2 // 3)


def next_day(rows, at):
    """The first row at or after `at` that begins a new day."""
    while 0 < at < len(rows) and rows[at][:12] == rows[at - 1][:12]:
        at += 1
    return min(at, len(rows))


def ticks(server, wanted):
    """The ticks in the log, in its order, up to the last of `wanted`; looks at the log itself, which nothing follows late."""
    wanted, found = set(wanted), []
    for event in server.stream(type="test.tick"):
        found.append(event)
        wanted.discard(event["eventId"])
        if not wanted:
            break
    assert not wanted, f"{len(wanted)} acknowledged events are gone, among them {sorted(wanted)[:5]}"
    return found


def check_nothing_twice(events):
    twice = [id for id, count in Counter(event["eventId"] for event in events).items() if count > 1]
    assert not twice, f"{len(twice)} events are stored twice, among them {twice[:5]}"


def check_order(events, what):
    """Per user the first appearance of each number is in order and without a gap; a repeat is of a number that was seen."""
    next_number = defaultdict(int)
    for event in events:
        user, number = event["userId"], event["data"]["number"]
        assert number <= next_number[user], f"{what}: {user}'s event {number} came before {next_number[user]}"
        next_number[user] = max(next_number[user], number + 1)


def day_and_cents(line):
    """Of a row of the bank's file."""
    cells = line.decode("cp1252").split('";"')
    return "-".join(reversed(cells[0].strip('"').split("."))), int(re.sub(r"[^\d-]", "", cells[6]))


def check_transactions(household, ledger, parts):
    """Each row of the files that were stored is there once."""
    wanted = Counter()
    for name, data in parts:
        if not any(stored.endswith(name) for stored in ledger.files):
            continue
        wanted |= Counter(day_and_cents(line) for line in data.splitlines()[1:])  # overlapping files repeat rows
    there = Counter((row["date"], cents(row["amount"])) for row in household.transactions("checking"))
    assert there == wanted, f"missing {list((wanted - there).items())[:5]}, too many {list((there - wanted).items())[:5]}"
    for name, file_id in ledger.files.items():
        file = household.server.get(f"/v1/files/{file_id}")
        assert file["status"] == "processed", f"{name}: {file}"


def check_consumers(server):
    for consumer in server.get("/v1/consumers")["items"]:
        assert consumer["lagEvents"] == 0 and not consumer.get("letters"), consumer


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options = options.parse_args()
    print(f"crash_test: {options.kills} kills, seed {options.seed}", flush=True)
    chance = random.Random(options.seed)

    receiver, ledger = Receiver(), Ledger()
    config = f"""
consumers:
  receiver:
    patterns: [{{"detail-type": ["test.tick"]}}]
    handler: {{http: {{url: "http://127.0.0.1:{receiver.server_port}/", allow_private: true}}}}
"""
    recoveries = []
    with Server(PROGRAM, config) as server:
        household = Household(server)
        household.create_accounts()
        household.create_categories()
        household.create_rules()
        parts = list(chunks())
        load = Load(server, ledger, household, parts)
        for kill in range(options.kills):
            time.sleep(chance.uniform(*WORK_SECONDS))
            server.kill()
            acknowledged = ledger.events()
            if chance.random() < 0.3:
                server.launch()
                time.sleep(chance.uniform(*START_SECONDS))
                server.kill()
            begin = time.monotonic()
            server.start()
            recoveries.append(time.monotonic() - begin)
            check_nothing_twice(ticks(server, acknowledged))
            print(f"  kill {kill + 1}: {len(acknowledged)} acknowledged, {len(ledger.files)} files, ready after {recoveries[-1]:.2f} s", flush=True)
        load.stop()
        server.settle(patience=120)

        stored = ticks(server, ledger.events())
        check_nothing_twice(stored)
        check_order(stored, "in the log")
        check_order(receiver.arrived, "at the receiver")
        delivered = Counter(event["eventId"] for event in receiver.arrived)
        undelivered = set(ledger.events()) - set(delivered)
        assert not undelivered, f"{len(undelivered)} acknowledged events never reached the receiver"
        check_transactions(household, ledger, parts)
        check_consumers(server)
        audited = Counter(item["event"]["eventId"] for item in server.list("/v1/audit", type="test.tick"))
        assert audited == Counter(ledger.acknowledged), "the audit trail holds other events than were acknowledged"
        verdict = server.post("/v1/audit:verify")
        assert verdict["ok"], verdict
        assert verdict["entries"] == server.get("/v1/events", limit=1)["total"], verdict
        assert server.stop() == 0

    repeats = delivered.total() - len(delivered)
    print(f"crash_test: {options.kills} kills, {len(ledger.acknowledged)} events and {len(ledger.files)} files acknowledged, none missing, "
          f"none twice; {repeats} deliveries repeated; ready again after {max(recoveries, default=0):.2f} s at most")


if __name__ == "__main__":
    sys.exit(main())
