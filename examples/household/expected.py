#!/usr/bin/env python3
"""Works out, without Bascule, what importing the example household must give, and writes it to expected.json.

    examples/household/expected.py           rewrites expected.json
    examples/household/expected.py --check   fails if expected.json is not what the files say

The oracle of the end-to-end tests: it shares no code with the program and none with generate.py. It reads the banks' files
with the standard library, applies rules.json by the definitions of the rule operators, and adds up integers.
"""

import csv
import io
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    account: str
    day: str
    minor: int
    currency: str
    payee: str
    memo: str


# --- Reading the banks' files -----------------------------------------------------------------------------------------


def minor_units(text, mark):
    match = re.fullmatch(rf"(-?)([\d.,]*?)\{mark}(\d\d)", text)
    return int(match[1] + re.sub(r"\D", "", match[2]) + match[3])


def read_checking(name, encoding):
    table = list(csv.reader(io.StringIO((HERE / name).read_bytes().decode(encoding)), delimiter=";"))
    head = next(number for number, cells in enumerate(table) if "Betrag" in cells)
    for cells in table[head + 1:]:
        row = dict(zip(table[head], cells))
        day = "-".join(reversed(row["Buchungstag"].split(".")))
        payee, memo = row["Auftraggeber / Empfänger"], row["Verwendungszweck"]
        if not payee:  # the bank's own bookings name nobody: what they are for is all there is
            payee, memo = memo, ""
        yield Row("checking", day, minor_units(row["Betrag"], ","), row["Währung"], payee, memo)


def read_card(name):
    for row in csv.DictReader((HERE / name).read_text("ascii").splitlines()):
        month, day, year = row["Post Date"].split("/")
        yield Row("card", f"{year}-{month}-{day}", minor_units(row["Amount"], "."), "USD", row["Description"], row["Memo"])


def read_savings(name):
    for block in re.findall(r"<STMTTRN>(.*?)</STMTTRN>", (HERE / name).read_bytes().decode("cp1252"), re.DOTALL):
        value = dict(re.findall(r"<(\w+)>([^<\r\n]*)", block))
        day = re.sub(r"(\d{4})(\d\d)(\d\d).*", r"\1-\2-\3", value["DTPOSTED"])
        yield Row("savings", day, minor_units(value["TRNAMT"], "."), "EUR", value["NAME"], value["MEMO"])


# --- Applying the rules -----------------------------------------------------------------------------------------------


def folded(text):
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def holds(condition, row):
    for word, join in (("all", all), ("any", any)):
        if word in condition:
            return join(holds(part, row) for part in condition[word])
    operator, wanted = condition["operator"], condition["value"]
    if condition["field"] == "amount":
        low = cents(wanted)
        result = {
            "greater": row.minor > low,
            "less": row.minor < low,
            "between": low <= row.minor <= cents(condition.get("value2", wanted)),
        }[operator]
    else:
        text = {"payee": row.payee, "memo": row.memo}[condition["field"]]
        exact = condition.get("caseSensitive", False)
        if operator == "regex":
            result = re.search(wanted, text, 0 if exact else re.IGNORECASE) is not None
        else:
            text, wanted = (text, wanted) if exact else (folded(text), folded(wanted))
            result = {
                "contains": wanted in text,
                "starts_with": text.startswith(wanted),
                "ends_with": text.endswith(wanted),
                "equals": text == wanted,
            }[operator]
    return result != condition.get("negate", False)


def cents(text):
    whole, _, fraction = text.lstrip("-").partition(".")
    value = int(whole) * 100 + int(fraction.ljust(2, "0") or 0)
    return -value if text.startswith("-") else value


def deciding_rule(row, rules):
    """The rule that wins. The example is made so that neither priority nor confidence alone decides a tie."""
    matching = [rule for rule in rules if holds(rule["conditions"], row)]
    if not matching:
        return None
    best = max(matching, key=lambda rule: (rule["priority"], rule["confidence"]))
    for other in matching:
        assert other is best or (other["priority"] < best["priority"] and other["confidence"] < best["confidence"]), (row, other, best)
    return best


# --- Adding up --------------------------------------------------------------------------------------------------------


def text(minor):
    whole, fraction = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{fraction:02d}"


def totals(rows):
    """Per currency: how many rows and their sum."""
    return {
        currency: {"count": len(own), "sum": text(sum(row.minor for row in own))}
        for currency in sorted({row.currency for row in rows})
        for own in [[row for row in rows if row.currency == currency]]
    }


def flow(rows):
    """Of (row, category type) pairs: a refund lowers expenses; without a category the sign decides."""
    income = sum(row.minor for row, kind in rows if kind == "INCOME" or (kind is None and row.minor > 0))
    net = sum(row.minor for row, _ in rows)
    return {"income": text(income), "expenses": text(income - net), "net": text(net), "count": len(rows)}


def expectation():
    rules = json.loads((HERE / "rules.json").read_text())
    kinds = {category["id"]: category["type"] for category in json.loads((HERE / "categories.json").read_text())}
    opening = {account["name"]: cents(account["openingBalance"]) for account in json.loads((HERE / "accounts.json").read_text())}
    accounts = {
        "checking": list(read_checking("checking.csv", "cp1252")),
        "card": list(read_card("card.csv")),
        "savings": list(read_savings("savings.ofx")),
    }
    rows = [row for own in accounts.values() for row in own]

    by_category, suggested, left = defaultdict(list), [], []
    cash_flow = defaultdict(list)
    for row in rows:
        rule = deciding_rule(row, rules)
        category = rule["categoryId"] if rule and rule["autoApply"] else None
        if category:
            by_category[category].append(row)
        else:
            (suggested if rule else left).append(row)
        if kinds.get(category) != "TRANSFER":
            cash_flow[row.day[:7], row.currency].append((row, kinds.get(category)))

    # What stands in both exports is known at the second import, copy by copy: two equal coffees are two rows.
    again = Counter(read_checking("checking-overlap.csv", "utf-8"))
    known = again & Counter(accounts["checking"])
    return {
        "accounts": {
            name: {
                "currency": own[0].currency,
                "transactions": len(own),
                "sum": text(sum(row.minor for row in own)),
                "opening": text(opening[name]),
                "closing": text(opening[name] + sum(row.minor for row in own)),
                "first": min(row.day for row in own),
                "last": max(row.day for row in own),
                "equalRows": sum(count - 1 for count in Counter(own).values()),
            }
            for name, own in accounts.items()
        },
        "overlap": {"rows": again.total(), "known": known.total(), "new": (again - known).total()},
        "categories": {name: totals(by_category[name]) for name in sorted(by_category)},
        "suggested": totals(suggested),
        "uncategorised": totals(left + suggested),
        "cashFlow": {
            month: {currency: flow(cash_flow[month, currency]) for currency in ("EUR", "USD") if (month, currency) in cash_flow}
            for month in sorted({month for month, _ in cash_flow})
        },
    }


def main():
    told = json.dumps(expectation(), indent=2, ensure_ascii=False) + "\n"
    if sys.argv[1:] == ["--check"]:
        if told != (HERE / "expected.json").read_text():
            sys.exit("expected.json is not what the bank files and rules.json say; run examples/household/expected.py")
    else:
        (HERE / "expected.json").write_text(told)


if __name__ == "__main__":
    main()
