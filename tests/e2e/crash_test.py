#!/usr/bin/env python3
"""The real server, killed with SIGKILL at random moments while it works, against a ledger kept outside of it.

    crash_test.py --program PROGRAM [--kills N] [--seed S]        10 kills in ctest (e2e.crash), 50 with ./dev crash

Four users publish numbered events, one after another each; meanwhile bank files are imported, overlapping ones among them. The ledger
notes what the server acknowledged, and never asks it. A client that gets no answer asks again, under the same id, as clients do.
Two webhooks, one ordered by user and one by log, note what they are sent, and now and then refuse it at first.

After each restart no acknowledged event is missing. After the last: the log holds what was acknowledged, once, in each user's order;
the webhooks got all of it in the log's order, with no repeat that the contract does not allow; what the household's own
consumers do, rows, derived events, notifications and audit entries, is there exactly once; and the audit chain verifies.
"""

import argparse
import itertools
import random
import re
import sys
import threading
import time
from collections import Counter, defaultdict

from deliveries import Endpoint, check_deliveries
from household import FOLDER, Household, cents, told_twice
from main import PROGRAM
from server import Server

USERS = 4
WORK_SECONDS = (0.05, 1.5)  # the server works this long before it is killed
START_SECONDS = (0.0, 0.3)  # now and then it is killed again while it recovers
CHUNK_ROWS = 150  # of the household's own bank file, so that imports are many and overlap


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
        stuck = [thread.name for thread in self.threads if thread.is_alive()]
        assert not stuck, f"clients that got no answer for a minute: {stuck}"


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


def all_ticks(server):
    """The same up to the log's end, once nobody publishes any more: a repetition may stand behind the last that is wanted."""
    return list(server.stream(silence=2, type="test.tick"))


def check_log(stored, acknowledged):
    """Exactly the acknowledged events, each once, and each user's in the order in which the client sent them."""
    check_nothing_twice(stored)
    strangers = {event["eventId"] for event in stored} - set(acknowledged)
    assert not strangers, f"never acknowledged, though no client gave up: {sorted(strangers)[:5]}"
    next_number = defaultdict(int)
    for event in stored:
        user, number = event["userId"], event["data"]["number"]
        assert number == next_number[user], f"in the log {user}'s event {number} stands where {next_number[user]} belongs"
        next_number[user] += 1


def check_nothing_twice(events):
    twice = repeated(event["eventId"] for event in events)
    assert not twice, f"{len(twice)} events are stored twice, among them {twice[:5]}"


def repeated(things):
    return [thing for thing, count in Counter(things).items() if count > 1]


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


def check_effects(server, household, ledger):
    """What the built-in consumers did beside the rows themselves: exactly once, though they were killed at any moment."""
    def data_of(type):
        events = [entry["event"] for entry in server.list("/v1/events", type=type)]
        check_nothing_twice(events)
        return [event["data"] for event in events]

    twice = told_twice(event for event in server.stream(silence=2) if event["eventType"] != "test.tick")
    assert not twice, f"told more than once, under different ids: {twice[:5]}"
    for type in ("file.uploaded", "file.processed"):
        told = Counter(data["fileId"] for data in data_of(type))
        assert told == Counter(set(ledger.files.values())), f"{type} is not there once for each file: {told}"
    rows = {row["id"]: row for row in household.transactions()}
    created = Counter(id for data in data_of("transactions.created") for id in data["transactionIds"])
    assert created == Counter(list(rows)), f"rows and the events that tell of them differ: {(created - Counter(list(rows)), Counter(list(rows)) - created)}"
    categorized = Counter(data["transactionId"] for data in data_of("transaction.categorized"))
    by_rule = Counter(id for id, row in rows.items() if row["category"])  # assigned or suggested
    assert by_rule and categorized == by_rule, f"categorized otherwise than told: {(categorized - by_rule, by_rule - categorized)}"
    notified = Counter(item["data"]["fileId"] for item in server.list("/v1/notifications"))
    assert notified == Counter(set(ledger.files.values())), f"not one notification a file: {notified}"


def check_audit(server, ticks):
    """The chain holds the whole log, in its order."""
    trail = [item["event"]["eventId"] for item in server.list("/v1/audit", type="test.tick")][::-1]  # newest first
    assert trail == [event["eventId"] for event in ticks], "the audit trail is not the log, or not in its order"
    verdict = server.post("/v1/audit:verify")
    assert verdict["ok"], verdict
    assert verdict["entries"] == server.get("/v1/events", limit=1)["total"] == server.consumer("audit")["counts"]["matched"], verdict


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options = options.parse_args()
    print(f"crash_test: {options.kills} kills, seed {options.seed}", flush=True)
    chance = random.Random(options.seed)

    # Every 20th event is refused at first, so that others of its key wait behind it.
    by_user = Endpoint(lambda event, attempt: 503 if attempt == 1 and event["data"]["number"] % 20 == 7 else 200)
    by_log = Endpoint(lambda event, attempt: 503 if attempt == 1 and event["data"]["number"] % 100 == 50 else 200)
    ledger = Ledger()
    consumer = """
    patterns: [{{"detail-type": ["test.tick"]}}]
    handler: {{http: {{url: "{}", allow_private: true}}}}
    retry: {{initial: 20ms, max_interval: 200ms}}
    ordering: {}"""
    config = f"consumers:\n  by_user:{consumer.format(by_user.url, 'key')}\n  by_log:{consumer.format(by_log.url, 'log')}\n"
    recoveries = []
    with Server(PROGRAM, config) as server:
        household = Household(server)
        household.create_accounts()
        household.create_categories()
        household.create_rules()
        parts = list(chunks())

        def die():
            server.kill()
            for endpoint in (by_user, by_log):
                endpoint.begin_life()

        load = Load(server, ledger, household, parts)
        for kill in range(options.kills):
            time.sleep(chance.uniform(*WORK_SECONDS))
            die()
            acknowledged = ledger.events()
            if chance.random() < 0.3:
                server.launch()
                time.sleep(chance.uniform(*START_SECONDS))
                die()
            begin = time.monotonic()
            server.start()
            recoveries.append(time.monotonic() - begin)
            check_nothing_twice(ticks(server, acknowledged))
            print(f"  kill {kill + 1}: {len(acknowledged)} acknowledged, {len(ledger.files)} files, ready after {recoveries[-1]:.2f} s", flush=True)
        load.stop()
        server.settle(patience=120)

        stored = all_ticks(server)
        assert not (gone := set(ledger.events()) - {event["eventId"] for event in stored}), f"acknowledged and gone: {sorted(gone)[:5]}"
        check_log(stored, ledger.events())
        check_deliveries(by_user.arrivals, stored, lambda event: event["userId"], "ordered by user")
        check_deliveries(by_log.arrivals, stored, lambda event: "the log", "ordered by log")
        for name in ("by_user", "by_log"):
            counts = server.consumer(name)["counts"]
            assert counts["matched"] == counts["done"] == len(stored), (name, counts)
        check_transactions(household, ledger, parts)
        check_effects(server, household, ledger)
        check_audit(server, stored)
        assert server.stop() == 0

    repeats = sum(len(endpoint.arrivals) - len(stored) for endpoint in (by_user, by_log))
    refused = sum(arrival.status >= 500 for endpoint in (by_user, by_log) for arrival in endpoint.arrivals)
    print(f"crash_test: {options.kills} kills, {len(ledger.acknowledged)} events and {len(ledger.files)} files acknowledged, none missing, "
          f"none twice; {refused} deliveries refused, {repeats} repeated; ready again after {max(recoveries, default=0):.2f} s at most")


if __name__ == "__main__":
    sys.exit(main())
