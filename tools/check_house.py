#!/usr/bin/env python3
"""Holds the tree against the house rules: which room may know which, and what may stand where.

    tools/check_house.py [ROOT]        prints one line a finding, `file:line: what; instead`, and exits 1 if there are any

The rooms and their arrows are src/arrows.txt; the other rules are the table RULES below. Comments and string literals are
not code: a rule never fires inside them. A line of code that must break a rule says why, on the line itself or the one above:
`// house: valijson reports through exceptions`. Run by ctest as house.arrows; its own tests are tools/check_house_test.py.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

SOURCES = {".h", ".cc"}
TEXTS = SOURCES | {".md", ".py", ".txt", ".cmake", ".json", ".yaml", ".yml", ".sh", ".ts", ".svelte", ""}
PURE = {"pattern", "delivery", "money", "statement", "finance"}  # no I/O, no clock: tested by the million
TEST_NAME = re.compile(r"^test_|_test(_|$)|_(bench|fuzz)$|(^|_)testing$")
FOREIGN = (
    "boost|soci|simdjson|sqlite3|CLI|yaml-cpp|spdlog|fmt|prometheus|re2|pugixml|curl|openssl|sodium|zstd|xxhash|valijson"
    "|utf8proc|librdkafka|libpq|gtest|gmock|benchmark"
)


@dataclass(frozen=True)
class Source:
    """One C++ file and what its place says about it."""

    path: Path  # relative to the root
    text: str

    @property
    def room(self):
        """`base` for src/foundation/base/…, `sim` for src/sim/…, None for apps and include, which may know everything."""
        parts = self.path.parts
        return room_of(parts[1:]) if parts[0] == "src" else None

    @property
    def is_header(self):
        return self.path.suffix == ".h"

    @property
    def is_test(self):
        """Tests, benchmarks and fuzzers, and the headers that only they include."""
        return TEST_NAME.search(self.path.stem) is not None

    @property
    def key(self):
        """The path by which others include it."""
        return str(Path(*self.path.parts[1:]))


def room_of(parts):
    """The room a path below src/ lies in: floor/room/… or, for the rooms without a floor, room/…"""
    if len(parts) >= 3:
        return parts[1]
    return parts[0] if len(parts) == 2 else None


@dataclass
class Arrows:
    """src/arrows.txt: for each room what it may include, and what its tests may include besides."""

    uses: dict = field(default_factory=dict)
    test_uses: dict = field(default_factory=dict)

    @staticmethod
    def parse(text):
        arrows = Arrows()
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if line:
                room, _, targets = line.partition(":")
                plain, _, tests = targets.partition("|")
                arrows.uses[room.strip()] = set(plain.split())
                arrows.test_uses[room.strip()] = set(tests.split())
        return arrows

    def allows(self, source, target):
        if source.room is None or target == source.room:
            return True
        behind_the_bar = self.test_uses.get(source.room, set()) if source.is_test else set()
        return target in self.uses.get(source.room, set()) | behind_the_bar

    def cycle(self):
        """A walk along the arrows that comes back to where it began, or None. Arrows of tests do not count."""
        finished = set()

        def walk(room, way):
            if room in way:
                return way[way.index(room):] + [room]
            if room in finished:
                return None
            for target in sorted(self.uses.get(room, ())):
                if found := walk(target, way + [room]):
                    return found
            finished.add(room)
            return None

        return next((found for room in sorted(self.uses) if (found := walk(room, []))), None)


@dataclass(frozen=True)
class Rule:
    """What may not stand in a line of code, where, and what to write instead."""

    pattern: str
    applies: callable
    what: str
    instead: str


def in_src(source):
    return source.room is not None


def outside_io(source):
    return in_src(source) and source.room not in {"io", "http"}


RULES = [
    Rule(
        r"\bstd::(jthread|thread|async|condition_variable\w*|promise|future|latch|barrier|counting_semaphore|binary_semaphore)\b",
        lambda s: outside_io(s) and not s.is_test,  # a test must come from outside to show that threads are borne
        "threads and blocking waits belong to io and server/http",
        "post a task on io::Executor or io::Strand, and complete an io::Completion",
    ),
    Rule(
        r"\bsleep_(for|until)\b|\b(u|nano)?sleep\s*\(",
        outside_io,
        "nothing sleeps",
        "io::Executor::post_at; in a test sim::SimExecutor's virtual time",
    ),
    Rule(
        r"\bco_(await|return|yield)\b",
        lambda s: in_src(s) and s.room != "http",
        "coroutines belong to server/http",
        "a task on io::Executor",
    ),
    Rule(
        r"\bstd::(recursive_|shared_|timed_)*mutex\b|\bstd::(lock_guard|unique_lock|scoped_lock|shared_lock)\b",
        lambda s: outside_io(s) and not s.is_test and s.path.name != "guarded.h",
        "shared data is reachable only under its lock",
        "Guarded<T> or SharedGuarded<T> (foundation/base/guarded.h)",
    ),
    Rule(
        r"\b(system|steady|high_resolution)_clock::now\b|\bstd::random_device\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)|\bstd::(time|rand)\b",
        lambda s: in_src(s) and s.room not in {"base", "io"} and not s.is_test,
        "time and chance are parameters",
        "Clock and Random (foundation/base)",
    ),
    Rule(
        r"\bstd::(cout|cerr|clog)\b|(?<![\w])(f?printf|puts|fputs|putchar)\s*\(|\bfmt::print",
        lambda s: in_src(s) and s.room != "cli" and s.path.name != "check.cc" and not s.is_test,
        "library code does not print",
        "return it to the caller, or log it with spdlog",
    ),
    Rule(
        r"\bthrow\b",
        in_src,
        "we throw no exceptions",
        "return fail(ErrorKind::…, message)",
    ),
    Rule(
        r"(?i)\b(double|float|stod|stof|strtod)\b.*(amount|money|balance)|(amount|money|balance).*\b(double|float|stod|stof|strtod)\b",
        lambda s: s.path.parts[:2] == ("src", "household"),
        "no floating point near an amount",
        "Money or minor units in int64 (household/money)",
    ),
    Rule(
        r"#\s*include\s*<(fstream|iostream|filesystem)>",
        lambda s: s.room in PURE and not s.is_test,
        "this room does no I/O",
        "take the bytes as a std::span or std::string_view",
    ),
]

MACHINE_PATH = re.compile(r"(^|[^\w.$}\]*-])/(work|root|tmp|farm|home/[a-z]\w*)/")
LEFT_OVER = re.compile(r"\b(TODO|FIXME|HACK)\b")
COMMENT_OR_STRING = re.compile(
    r'R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"' r"|//[^\n]*|/\*.*?\*/" r'|"(?:\\.|[^"\\\n])*"' r"|(?<![\w])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
EXCUSE = re.compile(r"// house: \w+( \S+){2,}")  # a reason has at least three words
FOREIGN_INCLUDE = re.compile(rf"^[ \t]*#[ \t]*include[ \t]*<({FOREIGN})(?:/|\.|\w*\.h)", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def code_only(text):
    """The text with comments and literals blanked, line numbers kept."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    return COMMENT_OR_STRING.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def is_generated(source, name, root):
    """Configured by CMake from NAME.in beside the source that includes it."""
    return "/" not in name and (root / source.path).with_name(name + ".in").exists()


def check_includes(source, arrows, root):
    for match in INCLUDE.finditer(source.text):
        where = f"{source.path}:{line_of(source.text, match.start())}"
        target_path = Path(match[1])
        target = room_of(target_path.parts)
        if source.room is None or is_generated(source, match[1], root):
            continue
        if target not in arrows.uses:
            yield f'{where}: "{match[1]}" is no path below src/; instead: "floor/room/file.h"'
        elif not arrows.allows(source, target):
            yield (
                f"{where}: {source.room} may not know {target}; instead: turn the dependency round or move the idea down "
                f"(allowed: {' '.join(sorted(arrows.uses.get(source.room, ()))) or 'nothing'}; src/arrows.txt)"
            )
        elif target != source.room and target_path.stem.endswith("_internal"):
            yield f"{where}: {match[1]} is internal to {target}; instead: use that room's public headers"
        elif not source.is_test and TEST_NAME.search(target_path.stem):
            yield f"{where}: {match[1]} is for tests; instead: include it only from *_test.cc"


def check_exposure(sources):
    """No foreign library shows in a header that another room sees, directly or through its room's own headers."""
    included_by = {}
    for source in sources:
        for match in INCLUDE.finditer(source.text):
            included_by.setdefault(match[1], []).append(source)

    def seen_from(header, visited):
        """A source of another room that gets to read `header`, or None."""
        for reader in included_by.get(header.key, ()):
            if reader.room != header.room:
                return reader
            if reader.is_header and reader.key not in visited:
                visited.add(reader.key)
                if found := seen_from(reader, visited):
                    return found
        return None

    for header in sources:
        foreign = FOREIGN_INCLUDE.search(header.text)
        if header.is_header and header.room and not header.is_test and foreign and (reader := seen_from(header, set())):
            where = f"{header.path}:{line_of(header.text, foreign.start())}"
            yield (
                f"{where}: {foreign[1]} shows in a header that {reader.path} reads, at seconds of compile time; "
                "instead: include it in a .cc, behind a forward declaration"
            )


def check_source(source, arrows, root):
    if source.room is not None and source.room not in arrows.uses:
        yield f"{source.path}:1: no room is called {source.room}; instead: add it to src/arrows.txt, or move the file into a room"
        return
    yield from check_includes(source, arrows, root)
    if source.is_header and "#pragma once" not in source.text:
        yield f"{source.path}:1: a header without guard; instead: begin with #pragma once"
    lines = ["", *source.text.splitlines()]
    for number, line in enumerate(code_only(source.text).splitlines(), 1):
        excused = EXCUSE.search(lines[number]) or EXCUSE.search(lines[number - 1])
        for rule in RULES:
            if rule.applies(source) and re.search(rule.pattern, line) and not excused:
                yield f"{source.path}:{number}: {rule.what}; instead: {rule.instead}"


def check_links(path, text, arrows):
    """A room's CMakeLists.txt links no more than its arrows allow."""
    for match in re.finditer(r"bascule_room\(\s*(\w+)([^)]*)\)", text):
        room, section = match[1], "USES"
        for word in match[2].split():
            if word in {"USES", "LIBRARIES", "TEST_USES", "TEST_LIBRARIES"}:
                section = word
                continue
            allowed = arrows.uses.get(room, set())
            if section == "TEST_USES":
                allowed = allowed | arrows.test_uses.get(room, set())
            if section in {"USES", "TEST_USES"} and word not in allowed:
                where = f"{path}:{line_of(text, match.start())}"
                yield f"{where}: {room} links {word} without an arrow; instead: one of {' '.join(sorted(allowed)) or 'nothing'} (src/arrows.txt)"


def check_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: a path of one machine; instead: a path relative to the repository or a temporary directory"
        if path.suffix in SOURCES and LEFT_OVER.search(line):
            yield f"{path}:{number}: work left lying; instead: do it, or say in an issue why not"


def files(root):
    """Every file of ours, sorted: no hidden folders but .ci, no build, no dependencies of the console."""
    skipped = {"build", "node_modules", "dist", "__pycache__"}

    def walk(folder):
        for entry in sorted(folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                if entry.name not in skipped and (not entry.name.startswith(".") or entry.name == ".ci"):
                    yield from walk(entry)
            elif entry.suffix in TEXTS and entry.is_file():
                yield entry

    yield from walk(root)


def check_tree(root):
    """All findings below `root`, in the order of the files."""
    arrows = Arrows.parse((root / "src/arrows.txt").read_text())
    findings = []
    if cycle := arrows.cycle():
        findings.append(f"src/arrows.txt:1: the arrows run in a circle: {' -> '.join(cycle)}; instead: move the shared idea down")
    sources = []
    for file in files(root):
        path = file.relative_to(root)
        text = file.read_text(encoding="utf-8", errors="replace")
        findings += check_text(path, text)
        if path.suffix in SOURCES and path.parts[0] in {"src", "apps", "include"}:
            sources.append(Source(path, text))
            findings += check_source(sources[-1], arrows, root)
        if path.name == "CMakeLists.txt":
            findings += check_links(path, text, arrows)
    findings += check_exposure(sources)
    return findings


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    if not (root / "src/arrows.txt").is_file():
        print(f"{root}: no src/arrows.txt below it; give the root of the repository", file=sys.stderr)
        return 2
    findings = check_tree(root)
    print("\n".join(findings) if findings else "the house is in order")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
