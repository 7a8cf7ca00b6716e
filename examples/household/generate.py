#!/usr/bin/env python3
"""Writes the bank files of the example household: two invented years of two invented people.

    examples/household/generate.py [FOLDER]      the same bytes every time

Robin and Kim Sommer live in Lindenstadt: a current account in euro (German CSV, Windows-1252), a dollar credit card from
their years abroad (US CSV) and a savings account (OFX 1). What makes the files worth importing: transfers whose two sides
are booked days apart, recurring payments with a price change and a missed month, refunds, a January export that overlaps
the last two months in another encoding, and equal coffees on one day that are not duplicates.
"""

import random
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)
OVERLAP_FIRST, OVERLAP_LAST = date(2025, 11, 1), date(2026, 1, 31)  # the export made in February
CHECKING_OPENING, SAVINGS_OPENING = 2_450_00, 12_000_00



def iban(bank, number):
    """A German IBAN with true check digits; banks 9999…. do not exist."""
    return f"DE{98 - int(f'{bank}{number:010d}131400') % 97:02d}{bank}{number:010d}"


CHECKING_IBAN = iban(99990000, 12345601)
SAVINGS_IBAN = iban(99990000, 12345602)


@dataclass
class Row:
    """One booking; amounts are integer minor units, positive is money into the account."""

    day: date
    kind: str
    payee: str
    memo: str
    minor: int
    iban: str = ""
    value_days: int = 0  # the card: days from purchase to posting


class Chance:
    """Random numbers by our own arithmetic on random(), the one sequence that Python promises to keep."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def between(self, low, high):
        return low + int(self.random() * (high - low + 1))

    def one_of(self, choices):
        return choices[int(self.random() * len(choices))]

    def happens(self, probability):
        return self.random() < probability


def days(first, last):
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def last_working_day(day):
    """The last Monday to Friday of the month `day` lies in."""
    end = (day.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)
    while end.weekday() > 4:
        end -= timedelta(1)
    return end


# --- The current account ----------------------------------------------------------------------------------------------

# payee, memo, cents from, to, times a week
SHOPS = [
    ("Supermarkt Lindner", "Kartenzahlung Filiale 0{n} Lindenstadt", 12_40, 96_80, 2.0),
    ("Kornblume Biomarkt GmbH", "Kartenzahlung Lindenstadt", 8_90, 64_30, 1.0),
    ("Wochenmarkt Hofladen Brügge", "Kartenzahlung", 6_50, 31_00, 0.6),
    ("Bäckerei Möhrle", "Kartenzahlung Bahnhofstraße", 2_10, 14_60, 2.2),
    ("Café Größenwahn", "Kartenzahlung Marktplatz", 3_80, 18_50, 1.0),
    ("Trattoria Da Nino", "Kartenzahlung Lindenstadt", 24_00, 88_00, 0.4),
    ("Mensa Werk Süd", "Kantine", 4_20, 9_80, 2.6),
    ("Tankstelle Nordring", "Kartenzahlung Säule {n}", 38_00, 82_00, 0.5),
    ("Tankstelle Nordring", "Kartenzahlung Shop", 2_50, 11_00, 0.3),
    ("Verkehrsbetriebe Lindenstadt", "Handyticket {n}", 2_90, 8_70, 1.2),
    ("Drogerie Seifenkiste", "Kartenzahlung", 5_40, 38_20, 0.7),
    ("St. Anna Apotheke", "Kartenzahlung Goethestraße", 4_95, 42_30, 0.3),
    ("Buchhandlung Eselsohr", "Kartenzahlung", 9_99, 44_00, 0.3),
    ("Modehaus Zwirn & Söhne", "Kartenzahlung Lindenstadt", 19_95, 149_90, 0.25),
    ("Baumarkt Hammer und Nagel", "Kartenzahlung", 7_49, 112_00, 0.25),
    ("Kino Lichtspielhaus", "Kartenzahlung", 9_50, 32_00, 0.3),
    ("GA NR00{n}3817 BLZ99990000", "Bargeldauszahlung", 50_00, 200_00, 0.35),
    ("Kiosk am Eck", "Kartenzahlung", 1_50, 9_00, 0.4),
]


def everyday(chance, day):
    for payee, memo, low, high, weekly in SHOPS:
        if chance.happens(weekly / 7):
            minor = -chance.between(low, high)
            if payee.startswith("GA NR"):
                minor = -chance.between(low // 10_00, high // 10_00) * 10_00
            number = chance.between(1, 9)
            yield Row(day, "Kartenzahlung", payee.format(n=number), memo.format(n=number), minor, value_days=chance.one_of((0, 0, 1)))
    if chance.happens(0.055):  # two, now and then three, of the same coffee on one day: never duplicates
        for _ in range(3 if chance.happens(0.15) else 2):
            yield Row(day, "Kartenzahlung", "Café Größenwahn", "Kartenzahlung Marktplatz", -3_40)
    if chance.happens(0.012):
        yield Row(day, "Gutschrift", "Modehaus Zwirn & Söhne", "Rückerstattung Retoure", chance.between(19_95, 89_95))


def fixed(chance, day):
    """What comes by itself: salaries, standing orders, direct debits."""
    months = (day.year - 2024) * 12 + day.month - 1
    if day == last_working_day(day):
        yield Row(day, "Lohn/Gehalt", "Uhrwerk Systeme AG", f"Gehalt {day:%m/%Y} Personalnr. 4711", 3_412_50 if day.year == 2024 else 3_561_20,
                  iban(99991111, 70001))
        yield Row(day, "Lohn/Gehalt", "Stadt Lindenstadt", f"Bezüge {day:%m/%Y} Sommer, Kim", 1_987_33, iban(99991111, 70002))
    if day.day == 1:
        yield Row(day, "Dauerauftrag", "Hausverwaltung Ziegel KG", "Miete Gartenstraße 7, 2. OG links", -1_240_00, iban(99991111, 70003))
        yield Row(day, "Dauerauftrag", "Robin und Kim Sommer", "Sparen", -300_00, SAVINGS_IBAN)
    if day.day == 3:
        yield Row(day, "Gutschrift", "Familienkasse", f"Kindergeld KG-Nr 115FK{months:04d}", 250_00 if day.year == 2024 else 255_00)
    if day.day == 5:
        yield Row(day, "Lastschrift", "Funkloch Mobil GmbH", f"Rechnung {day:%Y%m}-88121 Kundennr. 30017", -29_99)
    if day.day == 15:
        yield Row(day, "Lastschrift", "Stadtwerke Lindenstadt", "Abschlag Strom/Gas Vertrag 220-17", -138_00 if day < date(2025, 2, 1) else -151_00)
    if day.day == 20 and (day.year, day.month) != (2025, 8):  # one missed month
        yield Row(day, "Lastschrift", "Turnverein 1887 e.V.", "Mitgliedsbeitrag Familie", -36_00)
    if day.day == 28 and day.month in (1, 4, 7, 10):
        yield Row(day, "Lastschrift", "Eiche Versicherung a.G.", "Hausrat/Haftpflicht HV-556.21", -64_80)
    if (day.month, day.day) == (1, 2):
        yield Row(day, "Lastschrift", "Eiche Versicherung a.G.", "KFZ-Versicherung LS-SO 17", -486_20 if day.year == 2024 else -512_75)
    if day.day == 10:
        yield Row(day, "Lastschrift", "Stromer Internet", f"DSL {day:%m.%Y}", -39_95)
    if (day.month, day.day) == (12, 30):
        yield Row(day, "Entgelt", "", "Entgeltabschluss Kontoführung", -35_40)


def savings_transfers(chance, first, last):
    """Round-ups of every Friday leave the current account and arrive up to three days later. (sent, received, minor)"""
    for day in days(first, last):
        if day.weekday() == 4:
            yield day, day + timedelta(chance.one_of((0, 0, 1, 3))), chance.between(3_10, 19_90)
        elif day.day == 1:
            yield day, day + timedelta(chance.one_of((0, 1, 2))), 300_00


def checking(chance, transfers, card_payments):
    rows = []
    for day in days(FIRST, OVERLAP_LAST):
        rows += fixed(chance, day)
        rows += everyday(chance, day)
    for sent, _, minor in transfers:
        if minor != 300_00:
            rows.append(Row(sent, "Überweisung", "Robin und Kim Sommer", "Aufrunden Sparkonto", -minor, SAVINGS_IBAN))
    for day, minor_dollar in card_payments:
        euro = -(minor_dollar * 92 // 100)  # the bank's rate; the two sides never agree to the cent
        rows.append(Row(day, "Überweisung", "Pacific Harbor Bank", f"Kreditkarte 4417 USD {decimal(minor_dollar)}", euro))
    for year, month in ((2024, 7), (2024, 8), (2025, 6)):
        rows.append(Row(date(year, month, 12), "Überweisung", "Ferienhaus Dünenblick", f"Anzahlung Sommer {year}", -chance.between(380, 620) * 1_00))
    rows.append(Row(date(2025, 6, 11), "Gutschrift", "Robin und Kim Sommer", "Rückübertrag Urlaub", 1_200_00, SAVINGS_IBAN))
    return sorted(rows, key=lambda row: row.day)


# --- The credit card --------------------------------------------------------------------------------------------------

CARD_SHOPS = [
    ("CORNER COFFEE ROASTERS #{n}14", 3_25, 9_80, 1.8),
    ("GREEN BASKET MARKET 00{n}", 11_00, 78_00, 1.1),
    ("METRO RIDE TOPUP", 5_00, 20_00, 0.7),
    ("PAGE & SPINE BOOKS, INC.", 8_99, 46_00, 0.5),
    ("NOODLE HOUSE 8{n}", 12_40, 41_00, 0.9),
    ("TACO \"EL SOL\" TRUCK", 6_50, 19_00, 0.6),
    ("PIXEL GAME STORE", 4_99, 59_99, 0.4),
    ("SUNRISE FUEL #{n}7", 24_00, 61_00, 0.5),
    ("SKYWAY AIRLINES 00{n}1{n}4", 129_00, 612_00, 0.12),
    ("HOTEL LAKESHORE", 89_00, 410_00, 0.12),
    ("GADGET DEPOT ONLINE", 14_99, 329_00, 0.35),
    ("WELLNESS PHARMACY {n}", 6_20, 48_00, 0.3),
    ("PARKMOBILE*ZONE {n}", 1_50, 12_00, 0.6),
    ("ETERNAL SUBSCRIPTIONS*HELP", 3_99, 9_99, 0.1),
]


def card(chance):
    """Purchases, returns, subscriptions; the payment of each month's total arrives from the current account on the 14th."""
    rows, payments, balance = [], [], 0
    for day in days(FIRST, LAST):
        today = []
        for name, low, high, weekly in CARD_SHOPS:
            if chance.happens(weekly / 7):
                today.append(Row(day, "Sale", name.format(n=chance.between(1, 9)), "", -chance.between(low, high), value_days=chance.between(0, 2)))
        if chance.happens(0.04):
            today += [Row(day, "Sale", "CORNER COFFEE ROASTERS #114", "", -4_75, value_days=1) for _ in range(2)]
        if day.day == 12:
            today.append(Row(day, "Sale", "STREAMBOX.EXAMPLE MONTHLY", "", -12_99 if day < date(2025, 3, 1) else -15_49))
        if day.day == 21:
            today.append(Row(day, "Sale", "TUNELY FAMILY", "", -16_99))
        if day.day == 9 and day.month % 3 == 0:
            today.append(Row(day, "Sale", "CLOUD ATTIC STORAGE", "Quarterly plan", -8_97))
        if chance.happens(0.02):
            today.append(Row(day, "Return", "GADGET DEPOT ONLINE", "Refund", chance.between(14_99, 119_00), value_days=2))
        if day.day == 14 and balance < 0:
            payments.append((day - timedelta(chance.between(0, 2)), -balance))
            today.append(Row(day, "Payment", "PAYMENT THANK YOU - WIRE", "", -balance))
            balance = 0
        if day.month == 2 and day.day == 14:
            today.append(Row(day, "Fee", "ANNUAL MEMBERSHIP FEE", "", -45_00))
        balance += sum(row.minor for row in today if row.kind != "Payment")
        rows += today
    for row in rows:
        row.posted = min(row.day + timedelta(row.value_days), LAST)
    return sorted(rows, key=lambda row: row.posted), payments


# --- The savings account ----------------------------------------------------------------------------------------------


def savings(transfers):
    rows = [Row(received, "XFER", "Robin und Kim Sommer", "Sparen" if minor == 300_00 else "Aufrunden", minor)
            for _, received, minor in transfers if received <= LAST]
    for year, cents in ((2024, 31_12), (2025, 44_87)):
        for quarter, month in enumerate((3, 6, 9, 12)):
            end = last_working_day(date(year, month, 1))
            rows.append(Row(end, "INT", "Zinsen", f"Guthabenzinsen Q{quarter + 1}/{year}", cents + 3_11 * quarter))
    rows.append(Row(date(2025, 6, 10), "XFER", "Robin und Kim Sommer", "Rückübertrag Urlaub", -1_200_00))
    return sorted(rows, key=lambda row: row.day)


# --- The banks' files -------------------------------------------------------------------------------------------------


def decimal(minor, group="", mark="."):
    """-1234567 -> -12345.67, without floating point."""
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole:,}".replace(",", group) + f"{mark}{cents:02d}"


def german(minor):
    return decimal(minor, ".", ",")


def german_csv(rows, first, last, closing, encoding):
    lines = [
        f'"Girokonto";"{CHECKING_IBAN}"',
        f'"Zeitraum:";"{first:%d.%m.%Y} - {last:%d.%m.%Y}"',
        f'"Kontostand vom {last:%d.%m.%Y}:";"{german(closing)} EUR"',
        "",
        '"Buchungstag";"Wertstellung";"Umsatzart";"Auftraggeber / Empfänger";"Verwendungszweck";"IBAN";"Betrag";"Währung"',
    ]
    for row in sorted((row for row in rows if first <= row.day <= last), key=lambda row: row.day, reverse=True):
        value_day = row.day + timedelta(row.value_days)
        cells = (f"{row.day:%d.%m.%Y}", f"{value_day:%d.%m.%Y}", row.kind, row.payee, row.memo, row.iban, german(row.minor), "EUR")
        lines.append(";".join(f'"{cell}"' for cell in cells))
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def us_csv(rows):
    def quoted(text):
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"') else text

    lines = ["Transaction Date,Post Date,Description,Type,Amount,Memo"]
    for row in reversed(rows):
        cells = (f"{row.day:%m/%d/%Y}", f"{row.posted:%m/%d/%Y}", row.payee, row.kind, f"{decimal(row.minor)}", row.memo)
        lines.append(",".join(quoted(cell) for cell in cells))
    return ("\n".join(lines) + "\n").encode("ascii")


def ofx(rows):
    head = ["OFXHEADER:100", "DATA:OFXSGML", "VERSION:102", "SECURITY:NONE", "ENCODING:USASCII", "CHARSET:1252",
            "COMPRESSION:NONE", "OLDFILEUID:NONE", "NEWFILEUID:NONE", ""]
    body = ["<OFX>", "<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>", f"<DTSERVER>{LAST:%Y%m%d}230000[+1:CET]",
            "<LANGUAGE>GER<FI><ORG>Sparkasse Lindenstadt<FID>99990000</FI></SONRS></SIGNONMSGSRSV1>", "<BANKMSGSRSV1><STMTTRNRS>",
            "<TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>", "<STMTRS><CURDEF>EUR",
            f"<BANKACCTFROM><BANKID>99990000<ACCTID>{SAVINGS_IBAN}<ACCTTYPE>SAVINGS</BANKACCTFROM>",
            f"<BANKTRANLIST><DTSTART>{FIRST:%Y%m%d}<DTEND>{LAST:%Y%m%d}"]
    for number, row in enumerate(rows, 1):
        body.append(f"<STMTTRN><TRNTYPE>{row.kind}<DTPOSTED>{row.day:%Y%m%d}120000<TRNAMT>{decimal(row.minor)}"
                    f"<FITID>{row.day:%Y%m%d}-{number:04d}<NAME>{row.payee}<MEMO>{row.memo}</STMTTRN>")
    closing = SAVINGS_OPENING + sum(row.minor for row in rows)
    body += ["</BANKTRANLIST>", f"<LEDGERBAL><BALAMT>{decimal(closing)}<DTASOF>{LAST:%Y%m%d}</LEDGERBAL>",
             "</STMTRS></STMTTRNRS></BANKMSGSRSV1>", "</OFX>"]
    return ("\r\n".join(head + body) + "\r\n").encode("cp1252")


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    card_rows, card_payments = card(Chance("card"))
    transfers = list(savings_transfers(Chance("savings"), FIRST, OVERLAP_LAST))
    checking_rows = checking(Chance("checking"), transfers, card_payments)
    savings_rows = savings(transfers)

    def closing(last):
        return CHECKING_OPENING + sum(row.minor for row in checking_rows if row.day <= last)

    files = {
        "checking.csv": german_csv(checking_rows, FIRST, LAST, closing(LAST), "cp1252"),
        "checking-overlap.csv": german_csv(checking_rows, OVERLAP_FIRST, OVERLAP_LAST, closing(OVERLAP_LAST), "utf-8"),
        "card.csv": us_csv(card_rows),
        "savings.ofx": ofx(savings_rows),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
