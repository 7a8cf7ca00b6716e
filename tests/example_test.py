#!/usr/bin/env python3
"""The example household agrees with itself: generator, bank files, expectation and a person's judgement. ctest: house.example."""

import csv
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HOUSEHOLD = Path(__file__).parent.parent / "examples/household"
sys.path.insert(0, str(HOUSEHOLD))
import expected


class ExampleHouseholdTest(unittest.TestCase):
    def test_generator_writes_the_committed_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, HOUSEHOLD / "generate.py", folder], check=True)
            made = sorted(Path(folder).iterdir())
            self.assertEqual(len(made), 4)
            for file in made:
                self.assertEqual(file.read_bytes(), (HOUSEHOLD / file.name).read_bytes(), file.name)

    def test_expectation_is_what_the_bank_files_say(self):
        subprocess.run([sys.executable, HOUSEHOLD / "expected.py", "--check"], check=True)

    def test_closing_balances_are_those_the_banks_state(self):
        accounts = expected.expectation()["accounts"]
        checking = (HOUSEHOLD / "checking.csv").read_text("cp1252").splitlines()[2]
        self.assertIn(accounts["checking"]["closing"], checking.replace(".", "").replace(",", "."))
        self.assertIn(f"<BALAMT>{accounts['savings']['closing']}<", (HOUSEHOLD / "savings.ofx").read_text("cp1252"))

    def test_overlap_repeats_its_two_months_whole(self):
        both = [row for row in expected.read_checking("checking.csv", "cp1252") if row.day >= "2025-11-01"]
        self.assertEqual(expected.expectation()["overlap"]["known"], len(both))

    def test_rules_decide_as_a_person_did(self):
        rules = expected.json.loads((HOUSEHOLD / "rules.json").read_text())
        rows = {}
        for row in [*expected.read_checking("checking.csv", "cp1252"), *expected.read_card("card.csv"), *expected.read_savings("savings.ofx")]:
            rows[row.account, row.day, expected.text(row.minor), row.payee] = row
        with (HOUSEHOLD / "handchecked.csv").open(newline="") as file:
            for hand in csv.DictReader(file):
                with self.subTest(**hand):
                    rule = expected.deciding_rule(rows[hand["account"], hand["date"], hand["amount"], hand["payee"]], rules)
                    self.assertEqual(rule["categoryId"] if rule and rule["autoApply"] else "", hand["category"])


if __name__ == "__main__":
    unittest.main()
