#!/usr/bin/env python3
"""The example household, imported by the real program, against an oracle that shares no code with it."""

import csv
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from household import EXPECTED, FILES, FOLDER, Household, cents, text, told_twice
from main import PROGRAM, run
from server import Server


class ImportTest(unittest.TestCase):
    """One household, imported once; the tests only look."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(PROGRAM))
        cls.household = Household(cls.server)
        cls.files = cls.household.load()

    def test_every_file_is_taken_whole(self):
        for account, file in self.files.items():
            with self.subTest(account=account):
                self.assertEqual(file["status"], "processed", file)
                self.assertEqual(file["transactionCount"], EXPECTED["accounts"][account]["transactions"])
                self.assertEqual((file["duplicateCount"], file["rejectedCount"]), (0, 0))
                self.assertEqual((file["dateFrom"], file["dateTo"]), (EXPECTED["accounts"][account]["first"], EXPECTED["accounts"][account]["last"]))

    def test_rows_and_sums_are_the_banks(self):
        for account, expected in EXPECTED["accounts"].items():
            with self.subTest(account=account):
                rows = self.household.transactions(account)
                self.assertEqual(len(rows), expected["transactions"])
                self.assertEqual(text(sum(cents(row["amount"]) for row in rows)), expected["sum"])
                self.assertEqual({row["currency"] for row in rows}, {expected["currency"]})

    def test_balances_end_where_the_banks_say(self):
        for account, expected in EXPECTED["accounts"].items():
            told = self.server.get(f"/v1/accounts/{self.household.accounts[account]}")
            self.assertEqual(told["balance"], expected["closing"], account)

    def test_equal_coffees_stay_apart(self):
        for account, expected in EXPECTED["accounts"].items():
            keys = [(row["date"], row["amount"], row["payee"], row["memo"]) for row in self.household.transactions(account)]
            self.assertEqual(len(keys) - len(set(keys)), expected["equalRows"], account)

    def test_umlauts_survive(self):
        payees = {row["payee"] for row in self.household.transactions("checking")}
        self.assertIn("Café Größenwahn", payees)
        self.assertIn("Modehaus Zwirn & Söhne", payees)

    def test_categories_are_those_of_the_rules(self):
        categories, uncategorised = self.household.by_category()
        self.assertEqual(categories, EXPECTED["categories"])
        self.assertEqual(uncategorised, EXPECTED["uncategorised"])

    def test_categories_are_those_a_person_gave(self):
        names = {id: name for name, id in self.household.categories.items()}
        rows = {(account, row["date"], row["amount"], row["payee"] or ""): row for account in FILES for row in self.household.transactions(account)}
        with (FOLDER / "handchecked.csv").open(newline="") as file:
            for hand in csv.DictReader(file):
                with self.subTest(**hand):
                    row = rows[hand["account"], hand["date"], hand["amount"], hand["payee"]]
                    self.assertEqual(names.get(row["categoryId"], ""), hand["category"])

    def test_cash_flow_adds_up_without_transfers(self):
        answer, flow = self.household.cash_flow()
        self.assertFalse(answer["stale"])
        self.assertEqual(flow, EXPECTED["cashFlow"])

    def test_each_assignment_says_why(self):
        rules = {rule["id"]: rule["categoryId"] for rule in self.server.list("/v1/category-rules")}
        assigned = [row for row in self.household.transactions("card") if row["categoryId"]]
        self.assertTrue(assigned)
        for row in assigned:
            self.assertEqual(row["category"]["assignmentType"], "rule_based")
            self.assertEqual(rules[row["category"]["ruleId"]], row["categoryId"])

    def test_the_journey_of_a_file_is_one_chain(self):
        for account, file in self.files.items():
            with self.subTest(account=account):
                chain = self.server.get(f"/v1/chains/{file['correlationId']}")
                nodes = {node["event"]["eventId"]: node for node in chain["events"]}
                types = {node["event"]["eventType"] for node in nodes.values()}
                self.assertLessEqual({"file.uploaded", "file.processed", "transactions.created", "transaction.categorized"}, types)
                roots = [node["event"]["eventType"] for node in nodes.values() if node["parent"] not in nodes]
                self.assertEqual(roots, ["file.uploaded"])
                created = [node["event"]["data"] for node in nodes.values() if node["event"]["eventType"] == "transactions.created"]
                self.assertTrue(all(len(data["transactionIds"]) <= 1000 for data in created))
                ids = sorted(id for data in created for id in data["transactionIds"])
                self.assertEqual(ids, sorted(row["id"] for row in self.household.transactions(account)))

    def test_the_audit_trail_holds_every_event_and_verifies(self):
        verdict = self.server.post("/v1/audit:verify")
        self.assertTrue(verdict["ok"], verdict)
        events = self.server.list("/v1/events")
        self.assertEqual(verdict["entries"], len(events))
        trail = [(entry["position"], entry["event"]["eventId"]) for entry in self.server.list("/v1/audit")][::-1]  # newest first
        self.assertEqual(len({position for position, _ in trail}), len(trail))
        self.assertEqual(trail, sorted(trail, key=lambda entry: int(entry[0].partition(":")[2])), "not in the log's order")
        self.assertEqual({id for _, id in trail}, {event["eventId"] for event in self.server.stream(silence=2)}, "not what the log holds")

    def test_everything_is_told_once(self):
        told = list(self.server.stream(silence=2))
        self.assertGreater(len(told), EXPECTED["accounts"]["card"]["transactions"])
        self.assertEqual(told_twice(told), [])

    def test_notifications_are_grouped_by_cause(self):
        raised = self.server.list("/v1/notifications")
        imports = [n for n in raised if n["data"].get("fileId") or n["kind"].startswith("file")]
        self.assertEqual(sorted(n["data"]["fileId"] for n in imports), sorted(file["id"] for file in self.files.values()), raised)


class ReimportTest(unittest.TestCase):
    """The same and overlapping files again: nothing twice, nothing lost."""

    def setUp(self):
        self.server = self.enterContext(Server(PROGRAM))
        self.household = Household(self.server)
        self.household.load()

    def test_same_and_overlapping_files_add_only_what_is_new(self):
        known = {account: EXPECTED["accounts"][account]["transactions"] for account in FILES}
        before = self.household.transactions()

        for account, name in FILES.items():
            again = self.household.upload(account, name)
            self.assertEqual(again["status"], "processed", again)
            self.assertEqual((again["transactionCount"], again["duplicateCount"]), (0, known[account]), account)
        self.server.settle()
        self.assertEqual(self.household.transactions(), before, "importing a file again changed something")

        overlap = self.household.upload("checking", "checking-overlap.csv")
        self.assertEqual((overlap["transactionCount"], overlap["duplicateCount"]), (EXPECTED["overlap"]["new"], EXPECTED["overlap"]["known"]))
        self.server.settle()
        after = self.household.transactions("checking")
        self.assertEqual(len(after), known["checking"] + EXPECTED["overlap"]["new"])
        added = [row for row in after if row["fileId"] == overlap["id"]]
        self.assertEqual(len(added), EXPECTED["overlap"]["new"])
        self.assertTrue(all(row["date"] >= "2026-01-01" for row in added))

        self.server.request("DELETE", f"/v1/files/{overlap['id']}").expect(200)
        self.server.settle()
        self.assertEqual(self.household.transactions(), before, "deleting the overlapping file did not restore the state before it")
        once_more = self.household.upload("checking", "checking-overlap.csv")
        self.assertEqual(once_more["transactionCount"], EXPECTED["overlap"]["new"])

    def test_a_repeated_request_repeats_its_answer_not_its_effect(self):
        first = self.household.upload("checking", "checking-overlap.csv", key="february")
        second = self.household.upload("checking", "checking-overlap.csv", key="february")
        self.assertEqual(first["id"], second["id"])
        self.assertEqual((first["transactionCount"], first["duplicateCount"]), (EXPECTED["overlap"]["new"], EXPECTED["overlap"]["known"]))
        self.assertEqual(second, first)
        self.assertEqual(len(self.server.list("/v1/files")), len(FILES) + 1)


class RulesAfterImportTest(unittest.TestCase):
    def test_rules_made_later_reach_the_rows_that_are_there(self):
        with Server(PROGRAM) as server:
            household = Household(server)
            household.create_accounts()
            household.create_categories()
            for account, name in FILES.items():
                household.upload(account, name)
            household.create_rules()
            server.settle()
            categories, uncategorised = household.by_category()
            self.assertEqual(categories, EXPECTED["categories"])
            self.assertEqual(uncategorised, EXPECTED["uncategorised"])


class CommandLineTest(unittest.TestCase):
    """What a script is told about a file that asks: by exit code and in words."""

    def run_cli(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=self.server.environment(), timeout=60)
        return done.returncode, done.stdout, done.stderr

    def write(self, text):
        file = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bascule-e2e-"))) / "a.csv"
        file.write_text(text)
        return str(file)

    def setUp(self):
        self.server = self.enterContext(Server(PROGRAM))
        self.server.cli("accounts", "create", "Giro", "--type", "checking", "--currency", "EUR")

    def test_a_file_that_asks_is_answered_step_by_step(self):
        code, out, told = self.run_cli("import", self.write("bookingDate,transactionAmount\n01/02/2026,-1.00\n02/02/2026,-2.00\n"), "-o", "jsonl")
        self.assertEqual(code, 1, told)
        file = json.loads(out)["id"]
        code, _, told = self.run_cli("files", "associate", file, "--account", "Giro")
        self.assertEqual(code, 0, told)
        self.assertIn(f"bascule files process {file} --mapping", told)
        code, out, told = self.run_cli("files", "process", file, "-o", "json")
        self.assertEqual((code, json.loads(out)["status"]), (1, "needs_mapping"), told)
        code, out, told = self.run_cli("files", "process", file, "--mapping", '{"date_format": "DMY"}', "-o", "json")
        self.assertEqual((code, json.loads(out)["status"], json.loads(out)["dateTo"]), (0, "processed", "2026-02-02"), told)
        code, out, told = self.run_cli("files", "process", file, "--mapping", '{"date_format": 5}')
        self.assertEqual((code, out), (2, ""))
        self.assertIn("--mapping", told)
        code, out, told = self.run_cli("files", "process", file, "--no-wait", "-o", "json")
        self.assertEqual((code, json.loads(out)["status"]), (0, "pending"), told)

    def test_a_suggestion_is_seen_and_taken_or_declined(self):
        self.server.cli("categories", "create", "Food", "--type", "EXPENSE")
        self.server.cli("categories", "rule-create", "--category", "Food", "--auto-apply", "false", "--conditions", '{"field": "payee", "operator": "contains", "value": "Lidl"}')
        self.server.cli("import", self.write("Date,Payee,Amount\n2026-02-13,Lidl A,-1.00\n2026-02-14,Lidl B,-2.00\n2026-02-15,Other,-3.00\n"), "--account", "Giro")
        self.server.settle()

        def rows(*arguments):
            return [json.loads(line) for line in self.server.cli("transactions", "list", "-o", "jsonl", *arguments).splitlines()]

        suggested = rows("--suggested", "--category", "Food")
        self.assertEqual([row["payee"] for row in suggested], ["Lidl B", "Lidl A"])
        self.assertRegex(self.server.cli("transactions", "list", "--suggested"), r"Lidl B +Food +[0-9a-f-]{36}\n")
        self.assertEqual(rows("--category", "Food"), [], "what is only suggested does not count")
        self.server.cli("transactions", "update", suggested[0]["id"], "--category", "Food")
        self.server.cli("transactions", "update", suggested[1]["id"], "--category", "")
        self.assertEqual(rows("--suggested"), [])
        self.assertEqual([row["payee"] for row in rows("--category", "Food")], ["Lidl B"])

    def test_a_header_alone_is_told(self):
        code, _, told = self.run_cli("import", self.write("Date,Payee,Amount\n"), "--account", "Giro")
        self.assertEqual(code, 0)
        self.assertIn("0 rows", told)


class SavedProfileTest(unittest.TestCase):
    def test_a_profile_that_contradicts_a_file_is_not_used_for_it(self):
        server = self.enterContext(Server(PROGRAM))
        account = server.post("/v1/accounts", {"name": "Giro", "type": "checking", "currency": "EUR"})["id"]

        def upload(content, **more):
            stored = server.request("POST", "/v1/files", content.encode(), fileName="a.csv", accountId=account, **more).expect(202)
            return server.wait_until(lambda: (f := server.get(f"/v1/files/{stored['id']}"))["status"] != "pending" and f, 60, "the file")

        self.assertEqual(upload("Date;Payee;Amount\n01/02/2026;A;-1,00\n")["status"], "needs_mapping")
        taught = upload("Date;Payee;Amount\n01/02/2026;A;-1,00\n", mapping='{"date_format":"MDY"}')
        self.assertEqual((taught["dateFrom"], taught["profile"]), ("2026-01-02", None))
        by_profile = upload("Date;Payee;Amount\n01/03/2026;C;-3,00\n")
        self.assertEqual((by_profile["dateFrom"], by_profile["profile"]), ("2026-01-03", "a.csv"))
        self.assertIn("profile           a.csv\n", server.cli("files", "show", by_profile["id"]))
        other = upload("Date;Payee;Amount\n13/02/2026;B;-2,00\n03/02/2026;D;-4,00\n")
        self.assertEqual((other["status"], other["rejectedCount"], other["dateFrom"], other["profile"]), ("processed", 0, "2026-02-03", None))


if __name__ == "__main__":
    run()
