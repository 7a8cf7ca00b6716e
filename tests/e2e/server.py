"""The real program as a test sees it: started on a free port with a data directory of its own, spoken to over REST."""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

# Ways in which an event can be settled, or stay, without having been handled.
NOT_HANDLED = ("skipped", "discarded", "superseded", "gap", "expired", "letters", "deferred", "queued", "waiting", "running")

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Answer:
    status: int
    headers: dict
    body: object  # decoded JSON, or text

    def expect(self, *statuses):
        """The body, if the status is one of these."""
        if self.status not in statuses:
            raise AssertionError(f"expected {' or '.join(map(str, statuses))}, got {self.status}: {self.body}")
        return self.body


class Server:
    """One `bascule serve`. Its output goes to DATA.log, which is shown when it does not start.

    A context manager: leaving it kills the process and deletes the data.
    """

    def __init__(self, program, config="", arguments=()):
        self.program = str(program)
        self.folder = tempfile.TemporaryDirectory(prefix="bascule-e2e-")
        self.data = Path(self.folder.name) / "data"
        self.log = Path(self.folder.name) / "log"
        self.arguments = list(arguments)
        if config:
            file = Path(self.folder.name) / "bascule.yaml"
            file.write_text(config)
            self.arguments += ["--config", str(file)]
        self.port = free_port()  # kept over restarts, as clients expect
        self.process = None
        self.token = None
        self.local = threading.local()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        self.forget_connection()
        self.folder.cleanup()

    # --- Life and death -----------------------------------------------------------------------------------------------

    def launch(self):
        """Starts the process and does not wait for it."""
        command = [self.program, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder.name)

    def start(self, patience=60):
        """Returns when the server takes publishes."""
        self.launch()
        self.wait_until(lambda: self.alive() and self.ready(), patience, "the server to be ready")
        self.token = self.wait_until(self.owner_token, patience, "the owner's token")

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
        return True

    def ready(self):
        try:
            return self.request("GET", "/readyz", token="").status == 200
        except OSError:
            return False

    def kill(self):
        """What a power switch does to a process."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, patience=30):
        """Asks it to end, as a service manager does; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)

    def log_tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_until(self, condition, patience, what):
        end = time.monotonic() + patience
        while not (result := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {patience} s for {what} in vain; the server's log ends:\n{self.log_tail()}")
            time.sleep(0.02)
        return result

    # --- Command line -------------------------------------------------------------------------------------------------

    def environment(self):
        return {**os.environ, "BASCULE_URL": f"http://127.0.0.1:{self.port}", "BASCULE_TOKEN": self.token or ""}

    def cli(self, *arguments, expect=0, text=None):
        """Runs `bascule …` against this server and returns what it prints on standard output."""
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, input=text, env=self.environment(), cwd=ROOT, timeout=120)
        if done.returncode != expect:
            raise AssertionError(f"bascule {' '.join(arguments)}: exit code {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def owner_token(self):
        """The owner's, which the command line finds by itself on the server's machine. None until it is there."""
        file = self.data / "secrets/cli.json"
        return json.loads(file.read_text())["token"] if file.exists() else None

    # --- REST ---------------------------------------------------------------------------------------------------------

    def request(self, method, path, body=None, token=None, headers=None, timeout=60, **query):
        """One request over this thread's connection. `body` is JSON unless it is bytes; `token` "" sends none."""
        query = {name: value for name, value in query.items() if value is not None}
        target = quote(path, safe="/:%") + (f"?{urlencode(query)}" if query else "")
        head = dict(headers or {})
        token = self.token if token is None else token
        if token:
            head["Authorization"] = f"Bearer {token}"
        if body is not None:
            head.setdefault("Content-Type", "application/octet-stream" if isinstance(body, bytes) else "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            return self.exchange(method, target, body, head, timeout)
        except (OSError, http.client.HTTPException) as error:
            self.forget_connection()
            raise ConnectionError(f"{method} {path}: {error}") from error

    def exchange(self, method, target, body, head, timeout):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request(method, target, body, head)
        response = connection.getresponse()
        data = response.read()
        if response.will_close:
            self.forget_connection()
        kind = response.headers.get("Content-Type", "")
        return Answer(response.status, dict(response.headers), json.loads(data) if "json" in kind else data.decode(errors="replace"))

    def forget_connection(self):
        if getattr(self.local, "connection", None) is not None:
            self.local.connection.close()
            self.local.connection = None

    def get(self, path, **query):
        return self.request("GET", path, **query).expect(200)

    def post(self, path, body=None, **query):
        return self.request("POST", path, body, **query).expect(200, 201, 202)

    def list(self, path, **query):
        """All items of a list, page by page; the total must be true on every page."""
        items, totals, cursor = [], set(), None
        while True:
            page = self.get(path, cursor=cursor, **{"limit": 1000, **query})
            items += page["items"]
            totals.add(page["total"])
            cursor = page["nextCursor"]
            if cursor is None:
                break
        if totals != {len(items)}:
            raise AssertionError(f"{path}: its pages say totals of {sorted(totals)} and hold {len(items)}")
        return items

    def stream(self, silence=10, **query):
        """Events straight from the log, as they stand there; ends when nothing came for `silence` seconds.

        The server closing the stream is a failure: a stream has no end.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=silence)
        try:
            connection.request("GET", f"/v1/stream?{urlencode({'from': 'earliest', **query})}", headers={"Authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            if response.status != 200:
                raise AssertionError(f"/v1/stream: {response.status} {response.read()}")
            while line := response.readline():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])
            raise AssertionError("/v1/stream: the server ended it")
        except TimeoutError:
            return
        finally:
            connection.close()

    # --- Waiting for the bus ------------------------------------------------------------------------------------------

    def consumer(self, name):
        return self.get(f"/v1/consumers/{name}")

    def metric(self, name):
        """A number of /metrics that has no labels."""
        text = self.request("GET", "/metrics", token="").expect(200)
        return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])

    def settle(self, patience=60, left_out=None):
        """Waits until every consumer has handled everything; windows are flushed rather than waited for.

        The relay and the consumers publish too, so being done once is not enough: what they committed must be in the log, and
        the log must not have grown meanwhile.
        Handled means handled: what was skipped, discarded, superseded, or lies as a letter must be what `left_out` names,
        {consumer: {kind: count}}, and by default nothing.
        """
        seen = None

        def quiet():
            nonlocal seen
            consumers = self.get("/v1/consumers")["items"]
            for consumer in consumers:
                if consumer["windows"]:
                    self.post(f"/v1/consumers/{consumer['name']}:flush")
            behind = self.metric("bascule_outbox_backlog")
            now = [(c["name"], c["lagEvents"], c["windows"]) for c in consumers] + [self.get("/v1/events", limit=1)["total"]]
            before, seen = seen, now
            done = behind == 0 and all(lag == 0 and windows == 0 for _, lag, windows in now[:-1])
            return consumers if done and now == before else None

        found = {}
        for consumer in self.wait_until(quiet, patience, "all consumers to be done"):
            counts = consumer["counts"]
            others = {kind: counts[kind] for kind in NOT_HANDLED if counts[kind]}
            if others:
                found[consumer["name"]] = others
            handled = counts["done"] + counts["coalesced"] + sum(others.values())
            if handled != counts["matched"]:
                raise AssertionError(f"{consumer['name']}: what it was sent and what became of it differ: {counts}")
        if found != (left_out or {}):
            raise AssertionError(f"left out by consumers: {found}, expected: {left_out or {}}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
