#!/usr/bin/env python3
"""Every path of the API, tried with another user's ids, without a token, and with too weak a one.

The paths come from the running server's own OpenAPI document; an operation that this file does not know fails the test, so no new path
goes untried.
"""

import unittest

from household import FOLDER, Household
from main import PROGRAM, run
from server import Server

METHODS = {"get", "post", "put", "patch", "delete"}

# Which of the victim's ids stands in the path of an operation with {id}; the rest of the request is valid for its owner.
STOLEN = {
    "getEvent": ("event", None), "getChain": ("chain", None),
    "getAccount": ("account", None), "updateAccount": ("account", {"name": "mine now"}), "deleteAccount": ("account", None),
    "getFile": ("file", None), "deleteFile": ("file", None), "getFileContent": ("file", None),
    "associateFile": ("file", {"accountId": ""}), "processFile": ("file", {}),
    "getTransaction": ("transaction", None), "updateTransaction": ("transaction", {"notes": "mine now"}), "deleteTransaction": ("transaction", None),
    "getCategory": ("category", None), "updateCategory": ("category", {"name": "mine now"}), "deleteCategory": ("category", None),
    "getCategoryRule": ("rule", None), "updateCategoryRule": ("rule", {"enabled": False}), "deleteCategoryRule": ("rule", None),
    "readNotification": ("notification", None),
}

# Lists of the caller's own: another user's must be empty.
OWN_LISTS = {"listAccounts", "listFiles", "listTransactions", "listCategories", "listCategoryRules", "listNotifications", "searchEvents", "searchAudit"}

# Neither ids nor lists of household data, or tried by a test of their own below.
OTHER = {
    "publishEvents", "createAccount", "uploadFile", "createTransaction", "deleteTransactions", "createCategory", "createCategoryRule",
    "listAnalytics", "getAnalytics", "refreshAnalytics", "getPreferences", "putPreferences", "getMe", "stream",
}


class IsolationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(PROGRAM))
        cls.household = Household(cls.server)
        cls.household.load()
        first = lambda path: cls.server.get(path, limit=1)["items"][0]
        file = first("/v1/files")
        cls.victim = {
            "account": cls.household.accounts["checking"], "file": file["id"], "chain": file["correlationId"],
            "transaction": first("/v1/transactions")["id"], "category": cls.household.categories["groceries"],
            "rule": first("/v1/category-rules")["id"], "notification": first("/v1/notifications")["id"],
            "event": first("/v1/events")["event"]["eventId"],
        }
        cls.stranger = cls.token("member", cls.server.post("/v1/users", {"name": "stranger", "password": "long enough a password", "role": "member"})["id"])
        document = cls.server.get("/v1/openapi.json")
        cls.operations = [
            (operation["operationId"], method.upper(), path, operation)
            for path, methods in document["paths"].items() for method, operation in methods.items() if method in METHODS
        ]

    @classmethod
    def token(cls, role, user=None):
        body = {"role": role, **({"userId": user} if user else {})}
        return cls.server.post("/v1/tokens", body)["token"]

    def state(self):
        """Everything of the victim's that a stranger might have changed."""
        lists = {path: self.server.list(path) for path in ("/v1/accounts", "/v1/files", "/v1/transactions", "/v1/categories", "/v1/category-rules", "/v1/notifications")}
        return {**lists, "preferences": self.server.get("/v1/preferences")}

    def test_no_operation_goes_untried(self):
        known = set(STOLEN) | OWN_LISTS | OTHER
        for name, _, path, operation in self.operations:
            if operation["x-role"] in ("member", "publisher", "consumer"):
                self.assertIn(name, known, f"{path}: say in isolation_test.py how a stranger might misuse it")

    def test_ids_of_another_user_do_not_exist(self):
        before = self.state()
        for name, method, path, _ in self.operations:
            if name in STOLEN:
                kind, body = STOLEN[name]
                with self.subTest(operation=name):
                    answer = self.server.request(method, path.replace("{id}", self.victim[kind]), body, token=self.stranger)
                    self.assertEqual(answer.status, 404, answer.body)
        self.assertEqual(self.state(), before)

    def test_lists_show_nothing_of_another_user(self):
        for name, method, path, _ in self.operations:
            if name in OWN_LISTS:
                with self.subTest(operation=name):
                    told = self.server.request(method, path, token=self.stranger).expect(200)
                    ours = [item for item in told["items"] if item.get("event", {}).get("userId") != "stranger"] if "vents" in name or "Audit" in name else told["items"]
                    self.assertFalse(any(id in str(ours) for id in self.victim.values()), ours)

    def test_filters_by_another_users_ids_find_nothing(self):
        for query in ({"accountId": self.victim["account"]}, {"categoryId": self.victim["category"]}, {"fileId": self.victim["file"]}):
            with self.subTest(**query):
                answer = self.server.request("GET", "/v1/transactions", token=self.stranger, **query)
                self.assertTrue(answer.status == 404 or answer.expect(200)["total"] == 0, answer.body)
        answer = self.server.request("GET", "/v1/analytics/cash_flow", token=self.stranger, accountId=self.victim["account"])
        self.assertTrue(answer.status == 404 or answer.expect(200)["buckets"] == [], answer.body)

    def test_bodies_cannot_name_what_belongs_to_another_user(self):
        before = self.state()
        ask = lambda method, path, body, **query: self.server.request(method, path, body, token=self.stranger, **query)
        own = ask("POST", "/v1/accounts", {"name": "own", "type": "checking", "currency": "EUR"}).expect(201)["id"]
        row = ask("POST", "/v1/transactions", {"accountId": own, "date": "2025-01-01", "amount": "1.00"}).expect(201)["id"]
        file = ask("POST", "/v1/files", (FOLDER / "savings.ofx").read_bytes(), fileName="a.ofx", accountId=own).expect(202)["id"]
        attempts = [
            ("POST", "/v1/transactions", {"accountId": self.victim["account"], "date": "2025-01-01", "amount": "1.00"}, {}),
            ("POST", "/v1/transactions", {"accountId": own, "date": "2025-01-01", "amount": "1.00", "categoryId": self.victim["category"]}, {}),
            ("PATCH", f"/v1/transactions/{row}", {"categoryId": self.victim["category"]}, {}),
            ("POST", "/v1/categories", {"name": "x", "type": "EXPENSE", "parentId": self.victim["category"]}, {}),
            ("POST", "/v1/category-rules", {"categoryId": self.victim["category"], "conditions": {"field": "payee", "operator": "contains", "value": "x"}}, {}),
            ("POST", f"/v1/files/{file}:associate", {"accountId": self.victim["account"]}, {}),
            ("POST", "/v1/files", b"x", {"fileName": "x.csv", "accountId": self.victim["account"]}),
        ]
        for method, path, body, query in attempts:
            with self.subTest(path=path, body=body):
                self.assertIn(ask(method, path, body, **query).status, (404, 422))
        gone = ask("POST", "/v1/transactions:delete", {"ids": [self.victim["transaction"]]})
        self.assertTrue(gone.status == 404 or gone.expect(200)["count"] == 0, gone.body)
        self.assertEqual(self.state(), before)

    def test_a_publisher_token_writes_only_for_its_own_user(self):
        event = {"eventType": "test.tick", "source": "test", "userId": self.server.get("/v1/me")["userId"], "data": {}}
        answer = self.server.request("POST", "/v1/events", event, token=self.stranger)
        if answer.status == 200:
            self.assertEqual(answer.body["results"][0]["status"], "rejected", answer.body)
        else:
            self.assertIn(answer.status, (403, 404, 422), answer.body)

    def test_without_a_token_only_the_service_answers(self):
        for name, method, path, operation in self.operations:
            with self.subTest(operation=name):
                status = self.server.request(method, path.replace("{id}", "x").replace("{name}", "audit").replace("{type}", "cash_flow"), token="").status
                if operation["x-role"] == "none":
                    self.assertEqual(status, 200)
                else:
                    self.assertEqual(status, 401)

    def test_weak_roles_are_refused(self):
        """A publisher may publish and see itself; an operator sees the bus, and no household."""
        for role, allowed in (("publisher", {"publisher", "consumer", "none"}), ("operator", {"operator", "publisher", "consumer", "none"})):
            token = self.token(role)
            for name, method, path, operation in self.operations:
                if operation["x-role"] in allowed or name == "stream" or (role == "operator" and operation["tags"] == ["events"]):
                    continue
                with self.subTest(role=role, operation=name):
                    path = path.replace("{id}", "x").replace("{name}", "audit").replace("{type}", "cash_flow")
                    self.assertEqual(self.server.request(method, path, {} if method != "GET" else None, token=token).status, 403)

    def test_errors_have_one_shape(self):
        for answer in (
            self.server.request("GET", "/v1/accounts/nobody"), self.server.request("GET", "/v1/accounts", token=""),
            self.server.request("POST", "/v1/accounts", b"{", headers={"Content-Type": "application/json"}),
            self.server.request("GET", "/v1/nowhere"), self.server.request("GET", "/v1/transactions", limit="many"),
            self.server.request("POST", "/v1/accounts", {"name": "x", "type": "checking", "currency": "EURO"}),
        ):
            self.assertGreaterEqual(answer.status, 400)
            self.assertLess(answer.status, 500, answer.body)
            error = answer.body["error"]
            self.assertTrue(error["code"] and error["message"] and error["requestId"], error)


if __name__ == "__main__":
    run()
