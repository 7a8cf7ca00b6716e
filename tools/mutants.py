#!/usr/bin/env python3
"""Breaks the engine on purpose, in one place at a time, and asks the simulator whether it notices.

    tools/mutants.py [--seeds N] [NAME…]     all mutants, or those named; exit code 1 if one lives through all seeds
    tools/mutants.py --check                 only whether each of them still applies to the sources (ctest: house.mutants)

A copy of the last commit is built in a folder of its own, so that the checkout stays as it is. Of each mutant the table says at which
seed it was caught and for which promise. One that is not caught is a gap in the simulator's judgement, never in the table: mend that.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CHUNK = 50  # seeds a process: what does not end is noticed soon
SECONDS_A_SEED = 5  # far above what one takes


class Mutant(NamedTuple):
    name: str
    file: str  # below src/bus
    text: str  # stands there once
    instead: str


MUTANTS = [
    # ── The log ──
    Mutant("ack-before-fsync", "log/writer.cc",
           """    active_->file->sync([self = shared_from_this()](Result<> synced) {
        self->strand_.post([self, synced = std::move(synced)] { self->committed(synced); });
    });""",
           "    strand_.post([self = shared_from_this()] { self->committed({}); });"),
    Mutant("failed-fsync-is-no-failure", "log/writer.cc",
           """    if (!synced) {
        fail_for_good(synced.error());
        return;
    }
    const auto took""",
           "    const auto took"),
    Mutant("folder-not-synced", "log/segment_draft.cc",
           "    TRY(disk.sync_directory(directory));\n", ""),
    Mutant("torn-tail-kept", "log/last_segment.cc",
           "if (got != bodies.size() || !verify_bodies(header, as_bytes(bodies))) {",
           "if (got != bodies.size()) {"),
    Mutant("unproven-tail-dropped", "log/last_segment.cc",
           "            result.unproven.push_back(std::move(*whole));\n", ""),
    Mutant("duplicate-of-what-is-not-durable", "log/admission.cc",
           "    filling_.answers.push_back(std::move(answer));",
           """    if (std::ranges::all_of(answer.outcomes, [](const auto& one) {
            return std::holds_alternative<Duplicate>(one);
        })) {
        answer.done(std::move(answer.outcomes));
        return;
    }
    filling_.answers.push_back(std::move(answer));"""),
    Mutant("duplicates-forgotten-over-a-restart", "log/recovery.cc",
           "    DedupIndex dedup = build_dedup();",
           """    DedupIndex dedup(options_.dedup, segments_.front()->index.end);"""),
    Mutant("refused-batch-taken-in-part", "log/admission.cc",
           "            if (rejected && pending.atomicity == Atomicity::all) {",
           "            if (rejected && pending.atomicity == Atomicity::all && answer.outcomes.size() < 2) {"),
    Mutant("reused-id-is-a-duplicate", "log/admission.cc",
           "        if (hit->content == record.content_hash) {",
           "        if (hit->content == record.content_hash || record.producer == 0) {"),

    # ── Routing ──
    Mutant("set-defined-by-a-refused-batch", "broker/publisher.cc",
           """        if (std::all_of(outcomes->begin(), events, accepted)) {
            sets.mark_defined(call.definitions);
        } else {
            CHECK(std::none_of(events, outcomes->end(), accepted));
        }""",
           "        sets.mark_defined(call.definitions);"),
    Mutant("rules-in-force-though-refused", "broker/publisher.cc",
           """                if (!result) {
                    now.routing = before;
                }
""", ""),

    # ── Delivery: order ──
    Mutant("two-runs-of-a-key", "delivery/machine.cc",
           """    if (keys_[key].loose == 0) {
        keys_[key].unit = index;
    }
    return index;""",
           "    return index;"),
    Mutant("order-lost-on-redrive", "delivery/machine_letters.cc",
           "        if (stop) {\n", "        if (stop && key == none) {\n"),
    Mutant("key-goes-on-past-a-letter", "delivery/machine_letters.cc",
           """        if (parks(key)) {
            park(key);
        }
""", ""),
    Mutant("returned-behind-its-key", "delivery/machine_batches.cc",
           "    push_front(key.queue, items);",
           "    Chain behind = items;\n    splice(key.queue, behind);"),
    Mutant("interrupted-before-what-a-database-lacks", "delivery/machine_restore.cc",
           "if (key.loose == 0 && (key.unit != none || key.queue.count > 0 || key.window != none)) {",
           "if (key.loose == 0 && key.unit != none) {"),

    # ── Delivery: attempts and time ──
    Mutant("attempt-not-charged", "delivery/machine_answers.cc",
           "    ++trouble.attempts;\n", ""),
    Mutant("attempts-forgotten-over-a-restart", "delivery/machine_restore.cc",
           "    trouble.attempts = kept.attempts;", "    trouble.attempts = 0;"),
    Mutant("timer-not-derived-at-restart", "delivery/machine_restore.cc",
           "    if (left <= milliseconds(0)) {\n        make_ready(index);",
           "    if (left <= milliseconds(0) || !interrupted) {\n        make_ready(index);"),
    Mutant("retry-waits-for-the-wall-clock", "delivery/machine_answers.cc",
           "    unit_timers_.set(index, now_.steady + wait);",
           "    unit_timers_.set(index, now_.steady + wait / 2);"),
    Mutant("late-answer-taken", "delivery/machine_answers.cc",
           "if (slot >= runs_.end() || run.value() == 0 || runs_[slot].id != run) {",
           "if (slot >= runs_.end() || run.value() == 0 || runs_[slot].id.value() == 0) {"),
    Mutant("rate-bucket-never-emptied", "delivery/machine.cc",
           "        full_at_ = rate_->take(full_at_, now_.steady, unit.items.count);\n", ""),
    Mutant("breaker-closed-by-a-restart", "delivery/machine.cc",
           "        breaker_->restore(restored_.breaker, now);\n", ""),

    # ── Delivery: what is kept ──
    Mutant("position-saved-ahead", "delivery/machine.cc",
           "        journal::append(out_.journal, journal::Low{low_written_});",
           "        journal::append(out_.journal, journal::Low{cursor});"),
    Mutant("window-settled-before-its-run", "delivery/machine.cc",
           "    out_.starts.push_back(command);\n",
           """    out_.starts.push_back(command);
    if (unit.shape == RunShape::window) {
        const auto members = out_.members(command);
        journal::append(out_.journal, journal::Settled{run.id, false, {members.begin(), members.end()}});
    }
"""),
    Mutant("letters-forgotten-over-a-restart", "delivery/machine.cc",
           "      letters_(std::move(state.letters)),", "      letters_(),"),
    Mutant("pause-forgotten-over-a-restart", "delivery/machine_restore.cc",
           "    pause_ = restored_.pause;\n", ""),
    Mutant("snapshot-drops-the-deferred", "delivery/machine_restore.cc",
           "    state.settled = settled;\n",
           "    state.settled = settled;\n    if (deferred_ > 0) {\n        state.settled.insert(settled.low(), cursor);\n    }\n"),

    # ── The broker ──
    Mutant("letter-not-synced", "broker/bus_turn.cc",
           "    letters_written.emplace_back(consumer.number(), offset);\n    letters_dirty = true;",
           "    consumer.machine().letter_durable(offset, now());\n    letters_dirty = true;"),
    Mutant("unreadable-for-a-moment-is-lost", "broker/bus_turn.cc",
           "    return error.kind() == ErrorKind::io || error.kind() == ErrorKind::exhausted;",
           "    return error.kind() == ErrorKind::exhausted;"),
    Mutant("answer-kept-in-memory", "broker/bus_turn.cc",
           "    if (!journal_trouble) {\n        journal->flush();\n    }\n", ""),
    Mutant("deed-confirmed-before-its-sync", "broker/bus_turn.cc",
           "    confirmations.push_back(std::move(done));\n    schedule_turn();",
           "    done({});\n    journal_due = now().steady;\n    schedule_turn();"),
    Mutant("fact-published-before-the-deeds-sync", "broker/facts.cc",
           "        if (fact.number > durable_ || !follows ||", "        if (!follows ||"),
    Mutant("fact-told-twice", "broker/facts.cc",
           "    told(highest_in_log);\n    last_ = std::max(last_, highest_in_log);",
           "    last_ = std::max(last_, highest_in_log) + 1;\n    for (Fact& fact : waiting_) {\n        fact.number = ++last_;\n    }"),
]


def place_of(mutant, root):
    return root / "src/bus" / mutant.file


def check(root):
    """The mutants whose text is not there once."""
    wrong = [m for m in MUTANTS if place_of(m, root).read_text().count(m.text) != 1]
    for mutant in wrong:
        print(f"{mutant.name}: its text does not stand once in src/bus/{mutant.file}; bring it up to date in tools/mutants.py")
    if len({m.name for m in MUTANTS}) != len(MUTANTS):
        print("two mutants have one name")
        return 1
    return 1 if wrong else 0


class Copy:
    """The last commit in a folder of its own, with a build folder that knows ccache."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {
            "CCACHE_BASEDIR": str(folder), "CCACHE_NOHASHDIR": "1",
            "CCACHE_SLOPPINESS": "time_macros,include_file_mtime,include_file_ctime"}
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--detach", folder, "HEAD"], check=True, capture_output=True)
        self.call("cmake", "--preset", "release", "-DBASCULE_TESTS=ON")

    def call(self, *command):
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")

    def build(self):
        self.call("nice", "ninja", "-C", "build/release", "simulate")

    def simulate(self, seeds):
        """What the first broken promise is among so many seeds, and at which of them; nothing if none is."""
        for first in range(0, seeds, CHUNK):
            chosen = [str(seed) for seed in range(first, min(first + CHUNK, seeds))]
            try:
                done = subprocess.run(["nice", "build/release/tests/simulate", "--brief", *chosen], cwd=self.folder,
                                      capture_output=True, text=True, timeout=SECONDS_A_SEED * CHUNK)
            except subprocess.TimeoutExpired:
                return f"{first}…", "does not come to an end"
            if done.returncode != 0:
                told = re.search(r"^seed (\d+) breaks a promise: (.*)", done.stdout, re.MULTILINE)
                died = re.search(r"^seed (\d+) ended the process", done.stderr, re.MULTILINE)
                claim = re.search(r"check failed: (.*)", done.stderr)
                if told:
                    return told[1], told[2]
                return died[1] if died else f"{first}…", f"CHECK {claim[1]}" if claim else f"signal {-done.returncode}"
        return None

    def remove(self):
        subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", self.folder], check=True, capture_output=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=2000, help="how many a mutant must live through to count as not caught")
    parser.add_argument("--check", action="store_true")
    words = parser.parse_args()
    unknown = set(words.names) - {m.name for m in MUTANTS}
    if unknown:
        parser.error(f"no mutant is called {', '.join(sorted(unknown))}")
    if words.check:
        return check(ROOT)

    chosen = [m for m in MUTANTS if not words.names or m.name in words.names]
    alive = []
    with tempfile.TemporaryDirectory(prefix="bascule-mutants-") as above:
        copy = Copy(Path(above) / "copy")
        try:
            if check(copy.folder) != 0:
                return 1
            copy.build()
            for mutant in chosen:
                begin = time.monotonic()
                place = place_of(mutant, copy.folder)
                whole = place.read_text()
                place.write_text(whole.replace(mutant.text, mutant.instead))
                copy.build()
                caught = copy.simulate(words.seeds)
                place.write_text(whole)
                seconds = f"{time.monotonic() - begin:4.0f} s"
                if caught:
                    print(f"{mutant.name:40} {seconds}  caught at seed {caught[0]:>5}: {caught[1][:110]}", flush=True)
                else:
                    alive.append(mutant.name)
                    print(f"{mutant.name:40} {seconds}  NOT CAUGHT by {words.seeds} seeds", flush=True)
        finally:
            copy.remove()
    print(f"{len(chosen) - len(alive)} of {len(chosen)} mutants are caught")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
