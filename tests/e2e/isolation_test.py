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

# Lists of the caller's own, of which the victim's hold something: nothing of theirs may stand in a stranger's.
OWN_LISTS = {"listAccounts", "listFiles", "listTransactions", "listCategories", "listCategoryRules", "listNotifications", "searchEvents", "searchAudit"}

# Open to operators too, who see of a household's events no payload: a test of its own below.
OBSERVED = {"searchEvents", "searchAudit", "getEvent", "getChain", "stream"}

# What stands in no event's envelope, and so only in what an event says.
PAYLOAD = "only-the-payload-says-this"

# Neither ids nor lists of household data, or tried by a test of their own below.
OTHER = {
    "publishEvents", "createAccount", "uploadFile", "createTransaction", "deleteTransactions", "createCategory", "createCategoryRule",
    "listAnalytics", "getAnalytics", "refreshAnalytics", "getPreferences", "putPreferences", "getMe", "stream",
    "testPattern",  # looks at nothing but the request
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
        cls.owner = cls.server.get("/v1/me")["userId"]
        # An event of the victim's whose type nobody knows: what it says is theirs all the same.
        custom = {"eventId": "custom-of-the-victim", "eventType": "lamp.switched", "source": "kitchen", "userId": cls.owner, "data": {"says": PAYLOAD}}
        cls.server.post("/v1/events", custom)
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

    def pages(self, path, token, **query):
        """The whole text of a list, page by page, with how many items there were."""
        text, count, cursor = "", 0, None
        while True:
            page = self.server.request("GET", path, token=token, limit=50, cursor=cursor, **query).expect(200)
            text += str(page["items"])
            count += len(page["items"])
            cursor = page["nextCursor"]
            if cursor is None:
                return text, count

    def test_lists_show_nothing_of_another_user(self):
        """The victim's own list is the control: it must hold what is looked for in the stranger's."""
        for name, _, path, _ in self.operations:
            if name in OWN_LISTS:
                with self.subTest(operation=name):
                    theirs, count = self.pages(path, self.server.token)
                    self.assertGreater(count, 0)
                    found = [id for id in self.victim.values() if id in theirs]
                    self.assertTrue(found, "the control finds nothing of the victim's own")
                    told, _ = self.pages(path, self.stranger)
                    self.assertEqual([id for id in self.victim.values() if id in told], [])
                    self.assertNotIn(self.owner, told)

    def test_the_stream_shows_nothing_of_another_user(self):
        def streamed(token):
            before, self.server.token = self.server.token, token
            try:
                return [event for event in self.server.stream(silence=1)]
            finally:
                self.server.token = before

        self.assertTrue([event for event in streamed(self.server.token) if event["userId"] == self.owner])
        told = streamed(self.stranger)
        self.assertEqual([event for event in told if event["userId"] == self.owner], [])

    def test_an_operator_sees_no_households_payload(self):
        """On every path that shows events; the owner's own view is the control."""
        operator = self.token("operator")
        paths = ("/v1/events", "/v1/audit", f"/v1/events/{self.victim['event']}", "/v1/events/custom-of-the-victim",
                 f"/v1/chains/{self.victim['chain']}", "/v1/chains/custom-of-the-victim")

        def shown(path, token):
            answer = self.server.request("GET", path, token=token, limit=1000 if "chains" not in path else None).expect(200)
            entries = answer.get("items") or answer.get("events") or [answer]
            return [entry["event"] for entry in entries]

        for path in paths:
            with self.subTest(path=path):
                own = [event for event in shown(path, self.server.token) if event["userId"] == self.owner]
                self.assertTrue(own and any(event["data"] for event in own), "the control shows no payload")
                told = [event for event in shown(path, operator) if event["userId"] == self.owner]
                self.assertEqual({event["eventId"] for event in own}, {event["eventId"] for event in told})
                for event in told:
                    self.assertEqual(event["data"], {}, event)
                    self.assertLessEqual(set(event["metadata"]), {"redacted", "actor"}, event)
        before, self.server.token = self.server.token, operator
        try:
            streamed = [event for event in self.server.stream(silence=1) if event["userId"] == self.owner]
        finally:
            self.server.token = before
        self.assertTrue(streamed)
        self.assertTrue(all(event["data"] == {} for event in streamed))
        for path in ("/v1/events", "/v1/audit"):
            self.assertEqual(self.server.request("GET", path, token=operator, text=PAYLOAD).status, 403)
            self.assertEqual(self.server.request("GET", path, token=self.server.token, text=PAYLOAD).expect(200)["total"], 1)
            self.assertEqual(self.server.request("GET", path, token=self.stranger, text=PAYLOAD).expect(200)["total"], 0)

    def test_filters_by_another_users_ids_find_nothing(self):
        for query in ({"accountId": self.victim["account"]}, {"categoryId": self.victim["category"]}, {"fileId": self.victim["file"]}):
            with self.subTest(**query):
                answer = self.server.request("GET", "/v1/transactions", token=self.stranger, **query)
                self.assertTrue(answer.status == 404 or answer.expect(200)["total"] == 0, answer.body)
        answer = self.server.request("GET", "/v1/analytics/cash_flow", token=self.stranger, accountId=self.victim["account"])
        self.assertTrue(answer.status == 404 or answer.expect(200)["buckets"] == [], answer.body)

    def test_figures_and_preferences_are_the_strangers_own(self):
        """On a user that owns nothing, so that whatever is there is the victim's."""
        user = self.server.post("/v1/users", {"name": "empty", "password": "long enough a password", "role": "member"})["id"]
        empty = self.token("member", user)
        ask = lambda method, path, body=None: self.server.request(method, path, body, token=empty)
        before = self.state()
        figures = self.server.get("/v1/analytics")
        self.assertTrue(self.server.get("/v1/analytics/cash_flow", period="month")["buckets"], "the control has no figures")
        self.assertEqual(ask("GET", "/v1/analytics/cash_flow").expect(200)["buckets"], [])
        told = ask("GET", "/v1/analytics").expect(200)
        self.assertNotIn(self.owner, str(told))
        self.assertEqual([id for id in self.victim.values() if id in str(told)], [])
        ask("POST", "/v1/analytics:refresh", {}).expect(200, 202)
        own = ask("GET", "/v1/preferences").expect(200)
        ask("PUT", "/v1/preferences", own).expect(200)
        self.assertEqual(self.state(), before)
        self.assertEqual([item.get("computedAt") for item in self.server.get("/v1/analytics")["items"]],
                         [item.get("computedAt") for item in figures["items"]], "a stranger's refresh computed the victim's figures")

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

    def test_tokens_of_a_user_publish_only_for_it(self):
        """A member's and a publisher's of the stranger; the same event for their own user is the control."""
        stranger = self.server.request("GET", "/v1/me", token=self.stranger).expect(200)["userId"]
        for role in ("member", "publisher"):
            token = self.token(role, stranger)
            ask = lambda user: self.server.request("POST", "/v1/events", {"eventType": "test.tick", "source": "test", "userId": user, "data": {}}, token=token)
            with self.subTest(role=role):
                self.assertEqual(ask(stranger).expect(200)["accepted"], 1)
                refused = ask(self.owner)
                self.assertEqual((refused.status, refused.body["error"]["field"]), (403, "/userId"))

    def test_nobody_speaks_for_the_bus_and_no_member_for_the_household(self):
        stranger = self.server.request("GET", "/v1/me", token=self.stranger).expect(200)["userId"]
        raised = {"notificationId": "n", "kind": "k", "severity": "info", "title": "t", "body": "b"}
        forged = {"eventType": "notification.raised", "source": "notification_service", "userId": stranger, "data": raised}
        self.assertEqual(self.server.request("POST", "/v1/events", forged, token=self.stranger).status, 403)
        for token in (self.server.token, self.token("operator"), self.token("publisher"), self.stranger):
            for change in ({"eventType": "bus.consumer_paused"}, {"source": "bascule"}):
                event = {"eventType": "test.tick", "source": "test", "userId": stranger, "data": {"consumer": "audit"}, **change}
                self.assertEqual(self.server.request("POST", "/v1/events", event, token=token).status, 403)

    def test_without_a_token_only_the_service_answers(self):
        for name, method, path, operation in self.operations:
            with self.subTest(operation=name):
                status = self.server.request(method, path.replace("{id}", "x").replace("{name}", "audit").replace("{type}", "cash_flow"), token="").status
                if operation["x-role"] == "none":
                    self.assertEqual(status, 200)
                else:
                    self.assertEqual(status, 401)

    def test_weak_roles_are_refused(self):
        """A publisher may publish and see itself, a consumer see itself; an operator sees the bus and events, and no household."""
        may = {"consumer": {"consumer", "none"}, "publisher": {"publisher", "consumer", "none"}, "operator": {"operator", "publisher", "consumer", "none"}}
        for role, allowed in may.items():
            token = self.token(role)
            for name, method, path, operation in self.operations:
                if operation["x-role"] in allowed or (role == "operator" and name in OBSERVED):
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
