#!/usr/bin/env python3
"""Patterns from outside: what the command line says of them, and that the server and its bus say the same."""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from main import PROGRAM, run
from server import ROOT, Server

EVENTS = {
    "small": {"eventId": "small", "eventType": "order.placed", "source": "shop", "userId": "u", "data": {"lines": [{"sku": "a", "count": 1}, {"sku": "b", "count": 2}]}},
    "large": {"eventId": "large", "eventType": "order.placed", "source": "shop", "userId": "u", "data": {"lines": [{"sku": "a", "count": 5}], "note": "für später"}},
    "other": {"eventId": "other", "eventType": "order.paid", "source": "till", "userId": "u", "data": {}},
}
PATTERNS = {
    "lines": {"detail": {"data": {"lines": {"sku": ["a"], "count": [{"numeric": [">", 1]}]}}}},
    "note": {"detail": {"data": {"note": [{"wildcard": "f*r *"}]}}},
    "header": {"source": [{"prefix": "sh"}], "detail-type": [{"anything-but": "order.paid"}]},
    "either": {"$or": [{"source": ["till"]}, {"detail": {"data": {"note": [{"exists": True}]}}}]},
    "account": {"account": [{"exists": True}]},
    "absent": {"detail": {"data": {"note": [{"exists": False}]}}},
}
MATCHING = {"lines": ["large"], "note": ["large"], "header": ["small", "large"], "either": ["large", "other"], "account": [], "absent": ["small", "other"]}


def bascule(*words, text=None):
    return subprocess.run([PROGRAM, *words], input=text, capture_output=True, text=True, timeout=60)


class PatternVerbsTest(unittest.TestCase):
    def test_test_answers_by_its_exit_code(self):
        for name, pattern in PATTERNS.items():
            for event, content in EVENTS.items():
                with self.subTest(pattern=name, event=event):
                    done = bascule("pattern", "test", json.dumps(pattern), json.dumps(content))
                    matches = event in MATCHING[name]
                    self.assertEqual((done.returncode, done.stdout), (0, "yes\n") if matches else (1, "no\n"), done.stderr)

    def test_texts_come_from_files_and_standard_input(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pattern.json"
            file.write_text(json.dumps(PATTERNS["lines"]))
            done = bascule("pattern", "test", f"@{file}", "-", text=json.dumps(EVENTS["large"]))
            self.assertEqual((done.returncode, done.stdout), (0, "yes\n"), done.stderr)
            self.assertEqual(bascule("pattern", "test", f"@{file}.gone", "{}").returncode, 2)

    def test_explain_is_as_the_reference_shows_it(self):
        page = (ROOT / "docs/reference/patterns.md").read_text()
        command, shown = re.search(r"^\$ (bascule pattern explain .*?)\n(no\n.*?)^```", page, re.MULTILINE | re.DOTALL).groups()
        done = subprocess.run(["bash", "-c", command.replace("bascule", str(PROGRAM), 1)], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, shown), done.stderr)

    def test_check_tells_all_faults(self):
        done = bascule("pattern", "check", '{"a": [], "b": {"c": 1}, "d": [{"prefix": 5}]}')
        self.assertEqual(done.returncode, 1)
        reasons = re.findall(r"Event pattern is not valid\. Reason: (.*)", done.stderr)
        self.assertEqual(reasons, ["Empty arrays are not allowed", '"c" must be an object or an array', "prefix match pattern must be a string"])
        self.assertEqual(json.loads(bascule("pattern", "check", '{"a": [1]}', "-o", "json").stdout), {"valid": True, "faults": []})
        self.assertEqual(bascule("pattern", "check", '{"source": ["*"]}', "--dialect", "routing").returncode, 0)


class PatternServerTest(unittest.TestCase):
    """Each pattern is a rule of a consumer of its own: who gets what is decided by the bus."""

    @classmethod
    def setUpClass(cls):
        consumers = {name: {"handler": {"http": {"url": "http://127.0.0.1:9/", "allow_private": True}}, "patterns": [pattern]} for name, pattern in PATTERNS.items()}
        cls.server = cls.enterClassContext(Server(PROGRAM, config=json.dumps({"consumers": consumers, "bus": {"pattern_characters_max": 200}})))

    def test_the_endpoint_says_what_the_command_line_says(self):
        for name, pattern in PATTERNS.items():
            for event, content in EVENTS.items():
                with self.subTest(pattern=name, event=event):
                    answer = self.server.post("/v1/patterns:test", {"pattern": pattern, "event": content})
                    self.assertEqual(answer["matches"], event in MATCHING[name])
                    printed = bascule("pattern", "explain", json.dumps(pattern), json.dumps(content), "-o", "json").stdout
                    self.assertEqual(answer, json.loads(printed))

    def test_the_bus_decides_as_the_endpoint_says(self):
        for event, content in EVENTS.items():
            answer = self.server.post("/v1/events", {"events": [content], "dryRun": True})
            receivers = [name for name in answer["results"][0]["consumers"] if name in PATTERNS]
            self.assertEqual(sorted(receivers), sorted(name for name in PATTERNS if event in MATCHING[name]), event)

    def test_a_pattern_is_held_to_the_settings_of_the_bus(self):
        error = self.server.request("POST", "/v1/patterns:test", {"pattern": {"a": ["x" * 200]}, "event": {}}).expect(400)["error"]
        self.assertEqual(error["field"], "/pattern")
        self.assertIn("at most 200 are allowed", error["message"])


class PatternConfigurationTest(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "bascule.yaml"
            file.write_text(text)
            return bascule("config", "check", "--config", str(file))

    def test_rules_beyond_their_limits_are_named(self):
        rule = "event_rules:\n  mine:\n    event_patterns: [{detail: {data: {name: [{wildcard: '*a*a*'}]}}}]\n    target: audit\n"
        self.assertEqual(self.check(rule).returncode, 0)
        for setting, complaint in (
            ("pattern_characters_max: 20", r"bascule.yaml:4: event_rules.mine.event_patterns\[0\]: .* at most 20 are allowed"),
            ("pattern_complexity_max: 3", r"bascule.yaml:4: event_rules.mine.event_patterns\[0\]: .* too complex"),
            ("rules_bytes_max: 1KiB", r"rule 'default.*': with it the rules would take more than 1024 bytes"),
            ("pattern_complexity_max: 101", r"a whole number from 1 to 100 is allowed"),
        ):
            with self.subTest(setting=setting):
                done = self.check(f"bus: {{{setting}}}\n{rule}")
                self.assertEqual(done.returncode, 3)
                self.assertRegex(done.stderr, complaint)


if __name__ == "__main__":
    run()
