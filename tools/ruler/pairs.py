"""Random pairs of an event pattern and an event, about half of which match; some patterns are broken on purpose.

    pairs.py SEED [COUNT]      prints them as the lines that both answering programs read

Everything follows from the seed: pair I of a seed is always the same.
"""

import json
import random
import sys

KEYS = ["a", "b", "c", "d", "a.b", "b.c", "é", "日本", "😀", "prefix", "", "a b", "=", "A", "\ufb01", "$or ", "\"", "\\", "detail-type"]
PIECES = ["a", "b", "ab", "A", "B", "x", "ß", "SS", "É", "é", "ﬁ", "K", "k", "ς", "σ", "İ", "ǅ", "ǆ", "ŉ", "*", "\\", "?", "日", "😀", "\n", "\t", "\"", "/",
          "\x7f", "\u2028", "\uffff", "1", "null", "-", " "]
ADDRESSES = ["10.0.0.1", "10.0.0.01", "010.0.0.1", "0000010.0.0.1", "10.0.0.1.", "10.0.0", "10.0.0.256", "255.255.255.255", "0.0.0.0", "16.0.0.9", "1.2.3.4",
             "::", "::1", ":::", ":", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8:9", "::ffff:a00:1", "::a00:1", "2001:db8::1", "2001:DB8:0:0::1",
             "2001:0db8:0000:0000:0000:0000:0000:0001", "00001::", "12345::", "1:2:", ":1:2:3:4:5:6:7", "1::2::3", "fe80::1%eth0", "::10.0.0.1", "[::1]", "g::", "1.2.3.4 "]
NETWORKS = ["10.0.0.0/8", "10.0.0.77/24", "0.0.0.0/0", "10.0.0.1/31", "::/0", "2001:db8::/32", "2001:db8::1/127", "::ffff:a00:0/10", "16.0.0.0/4", "10.0.0.0/08",
            "10.0.0.0/+8"]
BAD_NETWORKS = ["10.0.0.0", "10.0.0.0/", "/8", "/", "", "10.0.0.0/8/", "10.0.0.0/8/1", "10.0.0.0/32", "10.0.0.0/33", "::/128", "::ffff:a00:0/100", "10.0.0.0/-1", "10.0.0.0/-0",
                "10.0.0.0/a", "10.0.0.0/8 ", "10.0.0.0/99999999999", "256.0.0.0/8", "host/8", "1:2:/8", "10.0.0/8", "é/8", ":/8"]
NUMBERS = ["0", "-0", "0.0", "-0.0", "1", "1.0", "10e-1", "1E0", "1e+0", "5", "5.0", "5.00000000000000000001", "-5", "300", "3e2", "3.0E+2", "300.0", "0.1", "0.10", "1e-1", "0.3",
           "1e400", "10e399", "-1e400", "1e-400", "0e400", "0e-400", "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740993.0", "9223372036854775807",
           "9223372036854775808", "18446744073709551616", "12345678901234567890", "123456789012", "123456789012.0", "0.12345678901234567890123", "4.9e-324", "5e-324", "2.5e-324",
           "2.2250738585072014e-308", "1.7976931348623157e308", "1.7976931348623159e308", "-1.7976931348623157e308", "1e22", "5000000000", "-5000000000",
           "0.000001", "299.99999", "1e2147483648", "1e-2147483649", "1e99999999999", "3.141592653589793", "3.1415926535897931", "1" + "0" * 40, "0." + "0" * 40 + "1"]
LITERALS = ["true", "false", "null"]
BLANKS = [" ", "\n", "\t", "\r\n", "\r", "  ", "\n\n "]
SYNTAX = ["{", "}", "[", "]", ",", ":", '"', "'", "\\", "/", "//x\n", "/**/", "#", "null", "true", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "+1", "-", "-x", "01", "-01",
          "1.", ".5", "1e", "1e+", "1.e5", "1x", "1.2.3", "0x1", "1é", "é", "日", "😀", "\x00", "\x01", "\x1f", "\x7f", "\u2028", "\ufeff", "$or", '"$or"', '"$or":', '"prefix"', '"\\x"',
          '"\\u12"', '"\\u12g4"', '"\\ud83d\\ude00"', '"\\u0000"', '"a\nb"', '"a\tb"', '"a', "a", "a-b", "_a", "\n", "\r", "\t", " ", "\f", "\u00a0", "[]", "{}", '""', "1", "@", "(", ";", "=", "`", "\x80"]


def text_of(rng, text):
    """`text` as a JSON string, now and then with escapes that need not be."""
    if rng.random() < 0.9:
        return json.dumps(text, ensure_ascii=False)
    if rng.random() < 0.5:
        return json.dumps(text)
    return '"' + "".join(json.dumps(c)[1:-1] if c in '"\\' or c < " " else "\\u%04X" % ord(c) if ord(c) < 0x10000 and rng.random() < 0.3
                         else "\\/" if c == "/" else c for c in text) + '"'


class Leaf(list):
    """The terms of a field, each with texts of values that satisfy it or nearly do: [(term, values)]."""


class Pairs:
    """Makes one pair after the other; see `pair`."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.blanks = False

    def pair(self):
        """(pattern, event), both as text."""
        rng = self.rng
        self.blanks = rng.random() < 0.1
        self.depth = 0
        self.faults = 1 if rng.random() < 0.12 else 0
        shape = self.object_shape(0, inside_or=False)
        pattern = self.pattern_text(shape)
        event = self.event_text(shape)
        if rng.random() < 0.12:
            pattern = self.broken(pattern)
        if rng.random() < 0.02:
            pattern += rng.choice([" ", " x", "{", "]", "\n\"", ","])
        return pattern, event

    def line(self):
        """The next pair as the programs read it."""
        pattern, event = self.pair()
        return json.dumps({"pattern": pattern, "event": event}, ensure_ascii=False)

    # --- Patterns: a shape is a list of (key, Leaf or shape, or list of shapes for $or)

    def object_shape(self, depth, inside_or):
        rng = self.rng
        shape = []
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3)) if depth else rng.choice((1, 1, 2, 2, 3, 4))):
            draw = rng.random()
            if draw < 0.08 and self.depth < 2:
                self.depth += 1
                shape.append(("$or", [self.object_shape(depth + 1, True) for _ in range(rng.choice((2, 2, 3)))]))
                self.depth -= 1
            elif draw < 0.35 and depth < 3:
                shape.append((self.key(inside_or), self.object_shape(depth + 1, inside_or)))
            else:
                shape.append((self.key(inside_or), Leaf(self.term() for _ in range(rng.choice((1, 1, 1, 2, 3))))))
        return shape

    def key(self, inside_or):
        rng = self.rng
        key = rng.choice(KEYS[:5]) if rng.random() < 0.85 else rng.choice(KEYS)
        return key if not inside_or or rng.random() < 0.05 or key not in ("prefix", "=") else "a"

    def string(self, longest=3):
        rng = self.rng
        if rng.random() < 0.06:
            return rng.choice(ADDRESSES)
        few = PIECES[:6] if rng.random() < 0.6 else PIECES
        return "".join(rng.choice(few) for _ in range(rng.randrange(longest + 1)))

    def number(self):
        rng = self.rng
        draw = rng.random()
        if draw < 0.5:
            return str(rng.randrange(-3, 12))
        if draw < 0.9:
            return rng.choice(NUMBERS)
        if draw < 0.95:
            return repr(rng.uniform(-1000, 1000))
        return "%d.%de%d" % (rng.randrange(10), rng.randrange(100), rng.randrange(-330, 320))

    def s(self, text):
        return text_of(self.rng, text)

    def recased(self, text):
        rng = self.rng
        return "".join(rng.choice((c, c.lower(), c.upper())) for c in text)

    def term(self):
        """(text of the term, texts of values that satisfy it or nearly do)"""
        rng = self.rng
        if self.faults and rng.random() < 0.4:
            self.faults = 0
            return self.wrong_term(), [self.s(self.string())]
        draw = rng.random()
        if draw < 0.16:
            text = self.string()
            return self.s(text), [self.s(text), self.s(text + "a"), self.s(self.recased(text))]
        if draw < 0.24:
            number = self.number()
            return number, [number, self.respelled(number), self.s(number)]
        if draw < 0.28:
            literal = rng.choice(LITERALS)
            return literal, [literal, rng.choice(LITERALS), self.s(literal)]
        if draw < 0.32:
            address = rng.choice(ADDRESSES)
            return self.s(address), [self.s(address), self.s(rng.choice(ADDRESSES))]
        return rng.choice((self.affix, self.affix, self.ignore_case, self.wildcard, self.wildcard, self.numeric, self.numeric, self.exists, self.cidr, self.anything_but,
                           self.anything_but, self.anything_but, self.exactly))()

    def op(self, name, argument):
        w = self.w
        return f'{{{w()}"{name}"{w()}:{w()}{argument}{w()}}}'

    def exactly(self):
        text = self.string()
        return self.op("exactly", self.s(text)), [self.s(text), self.s(self.string())]

    def affix(self):
        rng = self.rng
        text, rest = self.string(), self.string(2)
        name = rng.choice(("prefix", "suffix"))
        def whole(t):
            return t + rest if name == "prefix" else rest + t
        if rng.random() < 0.4:
            return self.op(name, self.op("equals-ignore-case", self.s(text))), [self.s(whole(text)), self.s(whole(self.recased(text))), self.s(whole(self.recased(text)))]
        return self.op(name, self.s(text)), [self.s(whole(text)), self.s(whole(text)), self.s(rest), self.s(self.recased(text))]

    def ignore_case(self):
        text = self.string()
        return self.op("equals-ignore-case", self.s(text)), [self.s(text), self.s(self.recased(text)), self.s(self.recased(text)), self.s(text + "a")]

    def wildcard_text(self):
        """(pattern, a text that it fits)"""
        rng = self.rng
        pattern = fits = ""
        for _ in range(rng.choice((1, 2, 3, 3, 4, 5, 7))):
            draw = rng.random()
            if draw < 0.4:
                if not pattern.endswith("*") or pattern.endswith("\\*") or rng.random() < 0.01:
                    pattern += "*"
                    fits += self.string(2) if rng.random() < 0.7 else ""
            elif draw < 0.46:
                escaped = rng.choice("*\\")
                pattern += "\\" + escaped
                fits += escaped
            elif draw < 0.465:
                pattern += "\\"
            else:
                piece = rng.choice(("a", "b", "ab", "aab", rng.choice(PIECES).replace("*", "").replace("\\", "")))
                pattern += piece
                fits += piece
        return pattern, fits

    def wildcard(self):
        if self.rng.random() < 0.1:
            pattern = "*".join(self.string(2).replace("\\", "").replace("*", "") or "a" for _ in range(self.rng.randrange(2, 14)))
            return self.op("wildcard", self.s(pattern)), [self.s(pattern.replace("*", "x")), self.s("ab")]
        pattern, fits = self.wildcard_text()
        return self.op("wildcard", self.s(pattern)), [self.s(fits), self.s(fits), self.s(fits + "x"), self.s(fits[1:])]

    def numeric(self):
        rng = self.rng
        w = self.w
        def listed(*members):
            return self.op("numeric", f"[{w()}" + f"{w()},{w()}".join(members) + f"{w()}]")
        one, two = self.number(), self.number()
        values = [one, two, self.respelled(one), self.number(), self.number()]
        if rng.random() < 0.5:
            return listed(f'"{rng.choice(("=", "<", "<=", ">", ">="))}"', one), values
        if float(one) > float(two) and rng.random() < 0.9:
            one, two = two, one
        return listed(f'"{rng.choice((">", ">="))}"', one, f'"{rng.choice(("<", "<="))}"', two), values

    def respelled(self, number):
        rng = self.rng
        if "e" in number or "E" in number:
            mantissa, exponent = number.lower().split("e")
            return f"{mantissa}0e{exponent}" if "." in mantissa else f"{mantissa}.0e{exponent}" if rng.random() < 0.5 else f"{mantissa}0e{int(exponent) - 1}"
        return rng.choice((number + "0" if "." in number else number + ".0", number + "e0", number + ("" if "." in number else ".00")))

    def exists(self):
        return self.op("exists", self.rng.choice(("true", "false"))), [self.scalar(), "{}", "[]"]

    def cidr(self):
        rng = self.rng
        return self.op("cidr", self.s(rng.choice(NETWORKS))), [self.s(rng.choice(ADDRESSES)), self.s("10.0.0.%d" % rng.randrange(260)), self.s("2001:db8::%x" % rng.randrange(20)),
                                                               self.s(f"{rng.randrange(20)}.1.1.1"), self.number()]

    def anything_but(self):
        rng = self.rng
        w = self.w
        def listed(texts):
            return f"[{w()}" + f"{w()},{w()}".join(texts) + f"{w()}]" if len(texts) != 1 or rng.random() < 0.3 else texts[0]
        count = rng.choice((1, 1, 2, 3))
        draw = rng.random()
        if draw < 0.25:
            texts = [self.string() for _ in range(count)]
            return self.op("anything-but", listed([self.s(t) for t in texts])), [self.s(rng.choice(texts)), self.scalar(), self.s(self.string())]
        if draw < 0.45:
            numbers = [self.number() for _ in range(count)]
            return self.op("anything-but", listed(numbers)), [rng.choice(numbers), self.respelled(rng.choice(numbers)), self.scalar(), self.number(), self.s(rng.choice(numbers))]
        name = rng.choice(("prefix", "suffix", "equals-ignore-case", "wildcard"))
        if name == "wildcard":
            made = [self.wildcard_text() for _ in range(count)]
            return self.op("anything-but", self.op(name, listed([self.s(p) for p, _ in made]))), [self.s(rng.choice(made)[1]), self.scalar()]
        texts = [self.string() or "a" for _ in range(count)]
        one = rng.choice(texts)
        values = [self.s(one + self.string(1)), self.s(self.string(1) + one), self.s(self.recased(one)), self.scalar()]
        return self.op("anything-but", self.op(name, listed([self.s(t) for t in texts]))), values

    def wrong_term(self):
        """A term that the grammar has not, or hardly has."""
        rng = self.rng
        any_value = rng.choice(('"x"', '""', "1", "1e400", "true", "null", "[]", "{}", '["x"]', "[1]", '{"prefix":"x"}', '{"equals-ignore-case":"x"}', '{"x":1}', "[[]]", "[{}]", "[null]",
                                '["x",1]', '["x",true]', '["x",null]', '["a","x"]', '["=","x"]', '[1,"x"]', '["",1]', '[""]', '["**"]', '{"wildcard":"\\\\"}', '{"equals-ignore-case":1}',
                                '{"equals-ignore-case":"x","y":1}', '{"prefix":[]}', '{"suffix":[""]}', '{"wildcard":["a","**"]}', '{"wildcard":[]}', '{"prefix":[1]}', '{"prefix":[true]}',
                                '{"wildcard":[1]}', '{"equals-ignore-case":[1]}', '{"equals-ignore-case":[]}', '{"equals-ignore-case":true}', '{"prefix":null}', '{"prefix":{}}',
                                "0.12345678901234567890123", '[0.12345678901234567890123]'))
        draw = rng.random()
        if draw < 0.5:
            name = rng.choice(("exactly", "prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "exists", "cidr", "anything-but", "anything-but", "anything-but", "regex", "Prefix", ""))
            second = rng.choice(("", "", "", ',"x":1', ',"prefix":"x"', ',"exists":true', ","))
            return f'{{"{name}":{any_value}{second}}}'
        if draw < 0.75:
            members = [rng.choice(('"="', '"<"', '"<="', '">"', '">="', '"!="', '""', "1", "2", "1e400", "0.12345678901234567890123", '"1"', "true", "null", "[]", "{}", "5", "5")) for _ in
                       range(rng.randrange(6))]
            return '{"numeric":[' + ",".join(members) + "]" + rng.choice(("", "", "", ',"x":1')) + "}"
        if draw < 0.85:
            return self.op("cidr", self.s(rng.choice(BAD_NETWORKS)))
        if draw < 0.92:
            return self.op("wildcard", self.s(rng.choice(("**", "a**", "***", "\\**", "*\\*", "\\", "a\\", "\\a", "a\\b*", "\\\\*", "\\\\\\", "é**", "😀\\x", "**\\", "*a**"))))
        return rng.choice(("{}", "[]", '["x"]', "{\"a\":{}}", '{"a":["x"]}', "[1]"))

    def w(self):
        return self.rng.choice(BLANKS) if self.blanks and self.rng.random() < 0.3 else ""

    def pattern_text(self, shape):
        w = self.w
        rng = self.rng
        members = []
        for key, node in shape:
            if key == "$or":
                value = f"[{w()}" + f"{w()},{w()}".join(self.pattern_text(o) for o in node) + f"{w()}]"
                if rng.random() < 0.01:
                    value = rng.choice(("[]", "[{}]", '{"a":[1]}', '["x",{"a":[1]}]', "[{\"a\":[1]}]", "null", "[{\"a\":[1]},null]", "[[]]"))
            elif isinstance(node, Leaf):
                value = f"[{w()}" + f"{w()},{w()}".join(term for term, _ in node) + f"{w()}]"
                if self.faults and rng.random() < 0.1:
                    self.faults = 0
                    value = rng.choice(("[]", "{}", '"x"', "1", "null", "true", '[[]]', "-1.5"))
            else:
                value = self.pattern_text(node)
            members.append(f"{self.s(key)}{w()}:{w()}{value}")
        return f"{{{w()}" + f"{w()},{w()}".join(members) + f"{w()}}}"

    def broken(self, text):
        rng = self.rng
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            at = rng.randrange(len(text) + 1)
            draw = rng.random()
            if draw < 0.35:
                text = text[:at] + rng.choice(SYNTAX) + text[at:]
            elif draw < 0.6:
                text = text[:at] + rng.choice(SYNTAX) + text[at + 1:]
            elif draw < 0.8:
                text = text[:at] + text[at + rng.randrange(1, 4):]
            elif draw < 0.9:
                text = text[:at]
            else:
                other = rng.randrange(len(text) + 1)
                text = text[:at] + text[other:other + rng.randrange(6)] + text[at:]
        return text

    # --- Events that a shape might like

    def scalar(self):
        draw = self.rng.random()
        return self.s(self.string()) if draw < 0.5 else self.number() if draw < 0.8 else self.rng.choice(LITERALS)

    def event_text(self, shape):
        return "{" + ",".join(self.members(shape)) + "}"

    def members(self, shape):
        rng = self.rng
        members = []
        for key, node in shape:
            if rng.random() < 0.06:
                continue
            if key == "$or":
                for branch in rng.sample(node, rng.choice((1, 1, len(node)))):
                    members += self.members(branch)
            elif isinstance(node, Leaf):
                members += self.member(key, [self.value(node)])
            else:
                members += self.member(key, [self.event_text(node)], node)
        if rng.random() < 0.1:
            members += self.member(self.key(False), [self.scalar()])
        if rng.random() < 0.1:
            rng.shuffle(members)
        return members

    def member(self, key, values, node=None):
        """`key` with the value, in one of the ways in which events hide values."""
        rng = self.rng
        draw = rng.random()
        value = values[0]
        if draw < 0.2:
            others = [self.event_text(node) if node and rng.random() < 0.8 else self.scalar() for _ in range(rng.randrange(3))] + [value]
            rng.shuffle(others)
            value = "[" + ",".join(others) + "]"
            if rng.random() < 0.2:
                value = rng.choice(("[{}]", "[{},[]]", "[[],{}]")).format(value) if "{" not in value and "}" not in value else f"[{value}]"
        elif draw < 0.23:
            value = rng.choice(("{}", "[]", "[{}]", "[[]]", self.scalar()))
        if "." in key and rng.random() < 0.5 and not key.startswith("."):
            head, _, tail = key.partition(".")
            return [f"{self.s(head)}:{{{self.s(tail)}:{value}}}"]
        if draw > 0.97 and node and len(node) == 1 and node[0][0] != "$or":
            inner_key, inner = node[0]
            if isinstance(inner, Leaf):
                return [f"{self.s(key + '.' + inner_key)}:{self.value(inner)}"]
        if draw > 0.94:
            return [f"{self.s(key)}:{value}", f"{self.s(key)}:{self.event_text(node) if node else self.scalar()}"]
        return [f"{self.s(key)}:{value}"]

    def value(self, leaf):
        rng = self.rng
        if rng.random() < 0.12:
            return self.scalar()
        return rng.choice(rng.choice(leaf)[1])


if __name__ == "__main__":
    made = Pairs(int(sys.argv[1]))
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 100):
        print(made.line())
