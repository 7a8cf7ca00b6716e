"""What an HTTP consumer's endpoint saw of the real program, and whether the delivery contract allows it."""

import http.server
import json
import socket
import threading
import time
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class Arrival:
    life: int  # of the server: how often it had been started
    event: dict
    delivery_id: str
    attempt: int
    status: int  # what it was answered

    @property
    def event_id(self):
        return self.event["eventId"]


class Endpoint(http.server.ThreadingHTTPServer):
    """A webhook outside of the server: notes what arrives, in order, and answers what `answer(event, attempt)` says."""

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Endpoint.Handler)
        self.answer = answer
        self.arrivals = []
        self.life = 0
        self.lock = threading.Lock()
        self.open = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def begin_life(self):
        """The server was killed and is not started yet. What it sent before it died is still noted as that life's."""
        with socket.create_connection(self.server_address) as last:
            last.sendall(b"GET / HTTP/1.0\r\n\r\n")  # connections are accepted in order: its answer says that all are
            while last.recv(4096):
                pass
        end = time.monotonic() + 30
        while self.open:
            assert time.monotonic() < end, "a connection of the killed server does not end"
            time.sleep(0.001)
        self.life += 1

    def process_request(self, *arguments):
        with self.lock:
            self.open += 1
        super().process_request(*arguments)

    def process_request_thread(self, *arguments):
        try:
            super().process_request_thread(*arguments)
        finally:
            with self.lock:
                self.open -= 1

    def handle_error(self, *_):
        pass  # the peer was killed

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            attempt = int(self.headers["Bascule-Attempt"])
            with self.server.lock:
                status = self.server.answer(event, attempt)
                self.server.arrivals.append(Arrival(self.server.life, event, self.headers["Bascule-Delivery-Id"], attempt, status))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass


def check_deliveries(arrivals, log, key, what):
    """`arrivals` against the events of the log, in its order: none is missing, and per key each is begun after the one before it was done.

    An event comes again only when it was refused, or when the server died and may not have seen the answer; then as the same
    delivery with a higher attempt, and never when a later event of its key had begun: that one's start proves this one settled.
    """
    wanted = defaultdict(list)
    for event in log:
        wanted[key(event)].append(event["eventId"])
    seen = defaultdict(list)
    for arrival in arrivals:
        seen[key(arrival.event)].append(arrival)
    for name, ids in wanted.items():
        done = 0  # of ids: how many have arrived
        before = None
        for arrival in seen.pop(name, []):
            place = f"{what}: {arrival} after {before}"
            if before is not None and arrival.event_id == before.event_id:
                assert before.status >= 500 or before.life < arrival.life, f"repeated without need: {place}"
                assert arrival.delivery_id == before.delivery_id, f"another delivery of the same work: {place}"
                assert arrival.attempt > before.attempt, f"a start was forgotten: {place}"
            else:
                assert before is None or before.status < 300, f"the key went on though its event was refused: {place}"
                assert done < len(ids), f"not in the log, or long done: {place}"
                assert arrival.event_id == ids[done], f"{ids[done]} was due: {place}"
                done += 1
            before = arrival
        assert done == len(ids), f"{what}: {len(ids) - done} events of {name} never arrived, the first is {ids[done]}"
        assert before.status < 300, f"{what}: {before} was refused and never tried again"
    assert not seen, f"{what}: events of {list(seen)[:5]} are not in the log"
