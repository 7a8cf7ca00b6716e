#!/usr/bin/env python3
"""First inputs for a fuzzer, so that it begins behind the grammar instead of before it.

    fuzz_inputs.py NAME FOLDER      does nothing for a fuzzer that needs none

From nothing the matcher's fuzzer reaches a sixth of the code that it reaches with these in the same time.
"""

import itertools
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools" / "ruler"))
from pairs import Pairs  # noqa: E402

COUNT = 4000
SEED = 4242


def encoded(text):
    return text.encode("utf-8", "surrogatepass")


def matcher_inputs():
    """Event, part of an event, one to three patterns; zero bytes between them (matcher_fuzz.cc)."""
    pairs = Pairs(SEED)
    for i in range(COUNT):
        patterns, events = zip(*(pairs.pair() for _ in range(1 + i % 3)))
        yield b"\0".join(encoded(text).replace(b"\0", b" ") for text in (events[0], events[-1], *patterns))


def pattern_inputs():
    """Pattern, zero byte, event (pattern_fuzz.cc)."""
    pairs = Pairs(SEED)
    for _ in range(COUNT):
        pattern, event = pairs.pair()
        yield encoded(pattern).replace(b"\0", b" ") + b"\0" + encoded(event)


def files(pattern, longest=1000):
    """The head of each file: short inputs are tried more often."""
    return (path.read_bytes()[:longest] for path in sorted(ROOT.glob(pattern)))


def ofx_inputs():
    """What follows the first <STMTTRN>: the fuzzer writes the head itself (ofx_fuzz.cc)."""
    return (content.partition(b"<STMTTRN>")[2] for content in files("examples/household/*.ofx", 3000))


INPUTS = {
    "matcher": matcher_inputs,
    "pattern": pattern_inputs,
    "csv": lambda: files("examples/household/*.csv"),
    "ofx": ofx_inputs,
    "json": lambda: itertools.chain(files("examples/household/*.json"), files("src/bus/event/schemas/*.json")),
}


def main():
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for i, content in enumerate(INPUTS.get(name, lambda: ())()):
        (folder / f"first-{i}").write_bytes(content)


if __name__ == "__main__":
    main()
