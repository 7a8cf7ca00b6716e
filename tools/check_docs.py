#!/usr/bin/env python3
"""Holds the documentation together: links lead somewhere, shown ./dev commands exist, every metric is described, the index of
decisions is complete.

    tools/check_docs.py            prints one line a finding and exits 1 if there are any     (ctest: house.docs)
    tools/check_docs.py --write    renews docs/adr/README.md first
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
INDEX_HEAD = """# Decisions

Why things are as they are: one page a decision, never rewritten; a later page supersedes an earlier one. Context, options,
decision, consequences. This index is written by `./dev docs --write`.

| | decision | status |
|---|---|---|
"""


def pages():
    skipped = {"build", "node_modules", ".git"}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in skipped)  # not entered at all
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".md"))


def anchors(page):
    """The anchors GitHub gives to a page's headings."""
    for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE):
        text = re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip().lower()
        yield re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def check_links(page):
    text = page.read_text()
    prose = re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.MULTILINE | re.DOTALL)
    for match in LINK.finditer(prose):
        if re.match(r"[a-z]+:", match[1]):
            continue
        where = f"{page.relative_to(ROOT)}:{prose.count(chr(10), 0, match.start()) + 1}"
        name, _, anchor = match[1].partition("#")
        target = (page.parent / name) if name else page
        if not target.exists():
            yield f"{where}: the link {match[1]} leads nowhere"
        elif anchor and anchor not in anchors(target):
            yield f"{where}: {target.name} has no heading #{anchor}"


def check_commands(page):
    known = set(re.findall(r"^\./dev (\w+)", (ROOT / "dev").read_text(), re.MULTILINE)) | {"fmt", "help"}
    for number, line in enumerate(page.read_text().splitlines(), 1):
        for command in re.findall(r"\./dev ([a-z]+)", line):
            if command not in known:
                yield f"{page.relative_to(ROOT)}:{number}: ./dev {command} does not exist"


def check_mentions():
    """A page that a source file sends its reader to must be there."""
    for folder in ("src", "include", "apps", "cmake", "tools"):
        for source in sorted((ROOT / folder).rglob("*")):
            if source.suffix in {".h", ".cc", ".in", ".py", ".md", ".cmake"} and "test" not in source.stem:
                for number, line in enumerate(source.read_text().splitlines(), 1):
                    for name in re.findall(r"\bdocs/[\w/-]+\.(?:md|yaml)\b", line):
                        if not (ROOT / name).exists():
                            yield f"{source.relative_to(ROOT)}:{number}: {name} does not exist"


def check_metrics():
    """The page and the source name the same metrics."""
    name = r"bascule_[a-z0-9_]+"
    page, source = ROOT / "docs/reference/metrics.md", ROOT / "src/server/api/metrics.cc"
    described = re.findall(rf"^\| `({name})`", page.read_text(), re.MULTILINE)
    made = set(re.findall(rf'"({name})"', source.read_text()))
    for metric in sorted(made - set(described)):
        yield f"{page.relative_to(ROOT)}: {metric} is not described"
    for metric in sorted(set(described)):
        if metric not in made:
            yield f"{page.relative_to(ROOT)}: {metric} is not in {source.relative_to(ROOT)}"
        elif described.count(metric) > 1:
            yield f"{page.relative_to(ROOT)}: {metric} stands twice"
    families = "|".join(sorted({metric.split("_")[1] for metric in made}))
    for other in pages():
        for metric in sorted(set(re.findall(rf"\bbascule_(?:{families})_[a-z0-9_]+", other.read_text())) - made - set(described)):
            yield f"{other.relative_to(ROOT)}: no metric is called {metric}"


def check_listed():
    """Every page can be reached from docs/README.md."""
    contents = (ROOT / "docs/README.md").read_text()
    for page in sorted((ROOT / "docs").rglob("*.*")):
        name = page.relative_to(ROOT / "docs").as_posix()
        if page.suffix in {".md", ".yaml"} and name != "README.md" and not re.match(r"adr/\d", name) and f"({name})" not in contents:
            yield f"docs/README.md: does not list {name}"


def index():
    rows = []
    for page in sorted((ROOT / "docs/adr").glob("[0-9]*.md")):
        title = re.search(r"^# (?:ADR )?0*(\d+)[.:]? (.*)$", page.read_text(), re.MULTILINE)
        status = re.search(r"^Status: (.*)$", page.read_text(), re.MULTILINE)
        if not title or not status:
            raise SystemExit(f"docs/adr/{page.name}: begins with '# N. Title' and has a line 'Status: …'")
        rows.append(f"| {title[1]} | [{title[2]}]({page.name}) | {status[1]} |\n")
    return INDEX_HEAD + "".join(rows)


def main():
    index_page = ROOT / "docs/adr/README.md"
    if sys.argv[1:] == ["--write"]:
        index_page.write_text(index())
    findings = [finding for page in pages() for check in (check_links, check_commands) for finding in check(page)]
    findings += [*check_mentions(), *check_listed()]
    findings += check_metrics()
    if index_page.read_text() != index():
        findings.append("docs/adr/README.md: is not what the pages say; run ./dev docs --write")
    print("\n".join(findings) if findings else "the documentation holds together")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
