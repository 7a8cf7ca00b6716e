#!/usr/bin/env python3
"""Holds our event patterns against AWS's own matcher (event-ruler) on random pairs; see README.md.

    compare.py --answers PROGRAM [--pairs N] [--seed S] [--folder BUILD]      exits 1 if they differ, 77 if there is no Java or no library here

PROGRAM is tests/ruler's pattern_answers. What may differ is the table KNOWN below, each entry with its source in
docs/reference/patterns.md; everything else is a difference, printed with the pair that shows it.
"""

import argparse
import collections
import ipaddress
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import pairs  # noqa: E402

HERE = Path(__file__).resolve().parent
SKIPPED = 77
CHUNK = 50_000
PREFACE = "Event pattern is not valid. Reason: "
COMPLEXITY_MAX = 10
TOO_COMPLEX = ("Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
               "wildcard character")


class Oracle:
    """event-ruler as a command; built from the pom beside this file if it is older than its sources."""

    def __init__(self, folder):
        self.folder = folder
        jar = folder / "oracle.jar"
        sources = [HERE / "pom.xml", *HERE.glob("src/**/*.java")]
        if not jar.exists() or jar.stat().st_mtime < max(s.stat().st_mtime for s in sources):
            self.build(jar)
        self.command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss4m", "-Djdk.net.hosts.file=/dev/null", "-cp", f"{jar}:{folder}/lib/*", "bascule.ruler.Oracle"]

    def build(self, jar):
        for tool in ("java", "javac", "mvn"):
            if shutil.which(tool) is None:
                skip(f"there is no {tool} here; Debian: apt-get install default-jdk-headless maven")
        built = subprocess.run(["mvn", "-B", "-q", "-f", str(HERE / "pom.xml"), "package", f"-Doracle.folder={self.folder}"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if built.returncode != 0:
            if re.search(r"Could not (transfer|find|resolve)|Could not resolve|Unknown host|cannot access", built.stdout):
                skip("Maven cannot fetch event-ruler:\n" + built.stdout[-1500:])
            sys.exit("Maven failed:\n" + built.stdout)
        jar.touch()


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(SKIPPED)


def expected(answer):
    """What event-ruler's answer obliges us to: a verdict, or a message; None where it has none."""
    if "refused" in answer:
        return ("refused", PREFACE + str(answer["refused"]))
    if "failed" in answer:
        return ("failed", answer["failed"])
    if "event" in answer:
        return None
    if answer["complexity"] > COMPLEXITY_MAX:
        return ("refused", PREFACE + TOO_COMPLEX)
    return ("match", answer["match"])


def given(answer):
    return ("refused", answer["refused"]) if "refused" in answer else ("match", answer["match"])


@dataclass
class Difference:
    pattern: str
    event: str
    wanted: tuple  # by event-ruler
    got: tuple
    apart: dict = field(default_factory=dict)  # event-ruler's answer with a machine for every term, once it was asked for

    def both(self, what):
        return self.wanted[0] == self.got[0] == what

    def says(self, reason):
        return self.got[0] == "refused" and self.got[1].startswith(PREFACE + reason)


def wrong_wildcard(message):
    return re.search(r"Reason: (Consecutive wildcard characters|Invalid escape character) at pos ", message) is not None


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for below in value.values() if isinstance(value, dict) else value:
            yield from strings_of(below)


def holds_an_address_of(pattern, event):
    """Whether some string of the event is an address that the pattern names, or of a network that it names, by their meaning."""
    networks = []
    for text in re.findall(ADDRESS, unescaped(pattern)):
        try:
            networks.append(ipaddress.ip_network(text.strip('"'), strict=False))
        except ValueError:
            pass
    for text in strings_of(json.loads(event)):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        address = getattr(address, "ipv4_mapped", None) or address
        if any(address.version == network.version and address in network for network in networks):
            return True
    return False


# Of each known difference there may be so many in a hundred pairs: more would be a fault that looks like it.
KNOWN_PERCENT_MAX = collections.defaultdict(lambda: 0.6, {"addresses-as-digits, others beside": 0.02})

# Where we differ from the library on purpose: the row's name is its name in docs/reference/patterns.md, which has the sources.
KNOWN = [
    # Says one thing of a term alone and another beside other terms or rules; ours is what it says of the term alone.
    ("neighbours", lambda d: d.both("match") and d.apart.get("match") == d.got[1]),
    ("java-17-doubles", lambda d: d.apart.get("doubles") is False),
    ("addresses-as-digits", lambda d: d.both("match") and d.wanted[1] and re.search(ADDRESS, unescaped(d.pattern)) and not holds_an_address_of(d.pattern, d.event)),
    # The same where an address that is one of the pattern's lies in another field: rare, since nothing tells it from a match that we miss.
    ("addresses-as-digits, others beside", lambda d: d.both("match") and d.wanted[1] and re.search(ADDRESS, unescaped(d.pattern))),
    ("quote-as-affix", lambda d: d.both("match") and re.search(r'"(?:prefix|suffix|equals-ignore-case)"[^}]*\\"', unescaped(d.pattern))),
    ("supplementary-case", lambda d: d.both("match") and '"equals-ignore-case"' in unescaped(d.pattern) and re.search("[\U00010000-\U0010ffff]", unescaped(d.pattern))),
    ("empty-names", lambda d: re.search(r'[{,\s]""\s*:', d.pattern + d.event)),
    ("empty-list", lambda d: d.says("Empty arrays are not allowed") and re.search(r'"anything-but"\s*:\s*\{\s*"[^"]*"\s*:\s*\[\s*\]', unescaped(d.pattern))),
    ("greatest-double", lambda d: d.wanted[0] == "failed" and "IndexOutOfBounds" in d.wanted[1] and "1.7976931348623157e308" in d.pattern),
    ("hexadecimal-digits", lambda d: d.says("Unexpected character") and re.search(r"code \d+ / 0x[0-9a-f]+\)\): expected a hex-digit", d.got[1])),
    ("foreign-digits", lambda d: d.says("Malformed CIDR, mask bits must be an integer") and re.search(r'/[^"]*(?![0-9])\d', unescaped(d.pattern))),
    ("nesting", lambda d: d.wanted[0] == "failed" and "nesting depth" in d.wanted[1] and "nested more than" in d.got[1]),
    ("wrong-wildcards", lambda d: d.both("refused") and wrong_wildcard(d.wanted[1]) and wrong_wildcard(d.got[1]) and d.wanted[1].split("\n")[1:] == d.got[1].split("\n")[1:]),
    ("complexity-of-lists", lambda d: (TOO_COMPLEX in str(d.wanted[1])) != (TOO_COMPLEX in str(d.got[1])) and '"wildcard"' in unescaped(d.pattern)
     and re.search(WILDCARD_LISTS, unescaped(d.pattern))),
]
WILDCARD_LISTS = r'"\$or"|"anything-but"\s*:\s*\{\s*"wildcard"\s*:\s*\[[^\]]*,'
ADDRESS = r'"(?:\d+(?:\.\d+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)(?:/[^"]*)?"'  # a whole string


def unescaped(text):
    """The text with its JSON escapes of letters read, to look for names in it."""
    read = re.sub(r"(?:\\u[0-9a-fA-F]{4})+", lambda m: m[0] if "\\u0022" in m[0] else json.loads(f'"{m[0]}"'), text)
    return read.replace("\\/", "/")


def reason(message):
    return re.sub(r"'[^']*'|\(code [^)]*\)|: .*", "…", message.split("\n")[0].removeprefix(PREFACE))[:90]


def kind(difference):
    """The class of a difference, for counting."""
    wanted, got, pattern = difference.wanted, difference.got, difference.pattern
    if wanted[0] == "failed":
        return f"ruler fails: {wanted[1][:60]}"
    if wanted[0] == got[0] == "match":
        operators = sorted(set(re.findall(r'"(prefix|suffix|equals-ignore-case|wildcard|anything-but|numeric|exists|cidr|\$or|exactly)"\s*:', pattern)))
        return f"verdict: {'no' if got[1] else 'yes'} expected; {' '.join(operators) or 'exact'}"
    if wanted[0] == "match":
        return f"we refuse: {reason(got[1])}"
    if got[0] == "match":
        return f"we accept: {reason(wanted[1])}"
    if wanted[1].split("\n")[0] != got[1].split("\n")[0]:
        return f"reason: {reason(wanted[1])} / {reason(got[1])}"
    return f"place: {reason(wanted[1])}"


def answers(commands, lines):
    """What each command answers to the lines, a list of lines each; they run side by side."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "pairs"
        asked.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        outputs = [Path(folder) / f"answers{i}" for i in range(len(commands))]
        running = [subprocess.Popen(command, stdin=asked.open("rb"), stdout=output.open("wb")) for command, output in zip(commands, outputs)]
        if any([process.wait() != 0 for process in running]):
            sys.exit("an answering program failed")
        answered = [output.read_text(encoding="utf-8").split("\n")[:-1] for output in outputs]
    for each in answered:
        if len(each) != len(lines):
            sys.exit(f"{len(lines)} pairs, but {len(each)} answers")
    return answered


class Comparison:
    def __init__(self, oracle, program):
        self.oracle = oracle
        self.program = program
        self.counts = collections.Counter()
        self.known = collections.Counter()
        self.differences = collections.defaultdict(list)

    def run(self, lines):
        theirs, ours = answers([self.oracle.command, [self.program]], lines)
        found = [pair for pair in zip(lines, map(json.loads, theirs), map(json.loads, ours)) if self.differ(*pair[1:])]
        unknown = []
        for line, their, our in found:
            pair = json.loads(line)
            difference = Difference(pair["pattern"], pair["event"], expected(their), given(our))
            if not self.is_known(difference):
                unknown.append(difference)
        asked = [json.dumps({"pattern": d.pattern, "event": d.event, "apart": True}) for d in unknown]
        for difference, alone in zip(unknown, answers([self.oracle.command], asked)[0] if asked else []):
            difference.apart = json.loads(alone)
            if not self.is_known(difference):
                self.differences[kind(difference)].append(difference)

    def differ(self, their, our):
        wanted, got = expected(their), given(our)
        self.counts["pairs"] += 1
        self.counts["event unreadable" if wanted is None else f"{got[0]} {got[1]}" if got[0] == "match" else "refused"] += 1
        return wanted is not None and wanted != got

    def is_known(self, difference):
        for name, applies in KNOWN:
            if applies(difference):
                self.known[name] += 1
                return True
        return False

    def report(self, shown):
        total = sum(len(found) for found in self.differences.values())
        for name, found in sorted(self.differences.items(), key=lambda item: -len(item[1])):
            print(f"{len(found):7} {name}")
            for one in sorted(found, key=lambda d: len(d.pattern))[:shown]:
                print(f"          pattern  {one.pattern!r}\n          event    {one.event!r}\n          ruler    {one.wanted[1]!r}\n          ours     {one.got[1]!r}")
        print("; ".join(f"{name}: {count}" for name, count in sorted(self.counts.items())))
        for name, count in sorted(self.known.items()):
            print(f"known: {name}: {count}")
        print(f"{self.counts['pairs'] - total} passed, {total} failed")
        too_many = [name for name, count in self.known.items() if count > 10 + self.counts["pairs"] * KNOWN_PERCENT_MAX[name] / 100]
        for name in too_many:
            print(f"{name}: {self.known[name]} differences in {self.counts['pairs']} pairs are more than this reason explains")
        return total == 0 and not too_many


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", required=True, help="our answering program")
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=HERE.parent.parent / "build/ruler", help="where event-ruler is built")
    parser.add_argument("--shown", type=int, default=2, help="examples of each class of difference")
    options = parser.parse_args()

    comparison = Comparison(Oracle(options.folder.resolve()), options.answers)
    made = pairs.Pairs(options.seed)
    for begin in range(0, options.pairs, CHUNK):
        comparison.run([made.line() for _ in range(min(CHUNK, options.pairs - begin))])
    sys.exit(0 if comparison.report(options.shown) else 1)


if __name__ == "__main__":
    main()
