"""The example household, loaded over REST, and what a server says of it in the words of expected.json."""

import json
from collections import Counter, defaultdict
from pathlib import Path

from server import ROOT

FOLDER = ROOT / "examples/household"
FILES = {"checking": "checking.csv", "card": "card.csv", "savings": "savings.ofx"}
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def told_twice(events):
    """What is told more than once under different ids: no two events of the household say the same of the same."""
    said = Counter((event["eventType"], event["userId"], json.dumps(event["data"], sort_keys=True)) for event in events)
    return [(type, data) for (type, _, data), count in said.items() if count > 1]


def cents(text):
    """ "-12.5" -> -1250; amounts never pass through floating point, here neither."""
    whole, _, fraction = text.lstrip("-").partition(".")
    assert len(fraction) <= 2, f"{text} has more digits than cents"
    value = int(whole) * 100 + int(fraction.ljust(2, "0") or 0)
    return -value if text.startswith("-") else value


class Household:
    """Accounts, categories and rules of the example on one server; ids by the names used in the example's files."""

    def __init__(self, server):
        self.server = server
        self.accounts = {}
        self.categories = {}

    def create_accounts(self):
        for account in json.loads((FOLDER / "accounts.json").read_text()):
            self.accounts[account["name"]] = self.server.post("/v1/accounts", account)["id"]

    def create_categories(self):
        for category in json.loads((FOLDER / "categories.json").read_text()):
            body = {**category, "parentId": self.categories.get(category["parentId"])}
            name = body.pop("id")
            if body["parentId"] is None:
                del body["parentId"]
            self.categories[name] = self.server.post("/v1/categories", body)["id"]

    def create_rules(self):
        for rule in json.loads((FOLDER / "rules.json").read_text()):
            self.server.post("/v1/category-rules", {**rule, "categoryId": self.categories[rule["categoryId"]]})

    def upload(self, account, name, key=None):
        """Stores a file and waits until it is processed; returns what the server says of it."""
        headers = {"Idempotency-Key": key} if key else {}
        stored = self.server.request("POST", "/v1/files", (FOLDER / name).read_bytes(), headers=headers,
                                     fileName=name, accountId=self.accounts[account]).expect(202)
        return self.await_file(stored["id"])

    def await_file(self, file_id):
        def done():
            file = self.server.get(f"/v1/files/{file_id}")
            return file if file["status"] not in ("pending", "preview") else None

        return self.server.wait_until(done, 60, f"file {file_id} to be processed")

    def load(self):
        self.create_accounts()
        self.create_categories()
        self.create_rules()
        files = {account: self.upload(account, name) for account, name in FILES.items()}
        self.server.settle()
        return files

    # --- What the server says ---------------------------------------------------------------------------------------

    def transactions(self, account=None):
        return self.server.list("/v1/transactions", accountId=self.accounts[account] if account else None)

    def by_category(self):
        """categories and uncategorised as in expected.json, from the transactions themselves."""
        names = {id: name for name, id in self.categories.items()}
        groups = defaultdict(lambda: defaultdict(list))
        for row in self.transactions():
            groups[names[row["categoryId"]] if row["categoryId"] else None][row["currency"]].append(cents(row["amount"]))
        told = {
            name: {currency: {"count": len(rows), "sum": text(sum(rows))} for currency, rows in sorted(own.items())}
            for name, own in groups.items()
        }
        return {name: told[name] for name in sorted(told, key=str) if name}, told.get(None, {})

    def cash_flow(self):
        """cashFlow as in expected.json, from the analytics."""
        answer = self.server.get("/v1/analytics/cash_flow", period="month")
        flow = defaultdict(dict)
        for bucket in answer["buckets"]:
            flow[bucket["period"]][bucket["currency"]] = {name: bucket[name] for name in ("income", "expenses", "net", "count")}
        return answer, {month: flow[month] for month in sorted(flow)}


def text(minor):
    whole, fraction = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{fraction:02d}"
