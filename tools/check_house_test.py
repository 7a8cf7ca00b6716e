#!/usr/bin/env python3
"""Tests of check_house.py on small trees: every rule fires where it must and stays quiet where it must. ctest: house.checker."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import check_house

ARROWS = """
# ground floor first
base:
io:      base
json:    base
money:   base
pattern: base json
log:     base io      | sim
http:    base io
cli:     base
sim:     base io log
"""
HEADER = "#pragma once\n"


class Tree(unittest.TestCase):
    def findings(self, files, arrows=ARROWS):
        """What the checker says of a tree with these files, one string a finding."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, text in {"src/arrows.txt": arrows, **files}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return check_house.check_tree(root)

    def assert_clean(self, files, arrows=ARROWS):
        self.assertEqual(self.findings(files, arrows), [])

    def assert_finding(self, files, *parts, arrows=ARROWS):
        found = self.findings(files, arrows)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])


class ArrowsTest(Tree):
    def test_allowed_arrow_is_quiet(self):
        self.assert_clean({"src/bus/log/log.cc": '#include "foundation/io/disk.h"\n#include "bus/log/log.h"\n'})

    def test_new_arrow_names_line_and_what_is_allowed(self):
        self.assert_finding(
            {"src/bus/log/log.cc": '\n#include "household/money/money.h"\n'},
            "src/bus/log/log.cc:2:", "log may not know money", "allowed: base io",
        )

    def test_arrows_are_not_inherited(self):
        self.assert_finding({"src/bus/pattern/a.cc": '#include "foundation/io/disk.h"\n'}, "pattern may not know io")

    def test_only_tests_pass_the_bar(self):
        include = '#include "sim/sim_disk.h"\n'
        self.assert_clean({"src/bus/log/log_test.cc": include, "src/bus/log/log_bench.cc": include, "src/bus/log/log_fuzz.cc": include})
        self.assert_finding({"src/bus/log/log.cc": include}, "log may not know sim")

    def test_apps_and_the_installed_interface_may_know_everything(self):
        include = '#pragma once\n#include "bus/log/log.h"\n#include "household/money/money.h"\n'
        self.assert_clean({"apps/bascule/main.cc": include, "include/bascule/bus.h": include})

    def test_include_must_be_written_from_src(self):
        self.assert_finding({"src/bus/log/log.cc": '#include "log.h"\n'}, '"log.h" is no path below src/')

    def test_unlisted_room_is_a_finding(self):
        self.assert_finding({"src/bus/queue/queue.cc": "int x;\n"}, "no room is called queue")

    def test_circle_is_spelled_out(self):
        self.assert_finding({}, "a -> b -> c -> a", arrows="a: b\nb: c\nc: a\n")

    def test_a_test_arrow_makes_no_circle(self):
        self.assert_clean({}, arrows="log: | sim\nsim: log\n")

    def test_link_without_arrow_is_a_finding(self):
        self.assert_clean({"src/bus/log/CMakeLists.txt": "bascule_room(log USES base io LIBRARIES zstd TEST_USES sim)\n"})
        self.assert_finding({"src/bus/log/CMakeLists.txt": "bascule_room(log USES base json)\n"}, "log links json without an arrow")
        self.assert_finding({"src/bus/log/CMakeLists.txt": "bascule_room(log USES base sim)\n"}, "log links sim without an arrow")

    def test_header_for_tests_stays_with_tests(self):
        include = '#include "foundation/base/testing.h"\n'
        self.assert_clean({"src/bus/log/log_test.cc": include})
        self.assert_finding({"src/bus/log/log.cc": include}, "is for tests")

    def test_internal_header_stays_in_its_room(self):
        self.assert_clean({"src/foundation/io/a.cc": '#include "foundation/io/ring_internal.h"\n'})
        self.assert_finding({"src/bus/log/a.cc": '#include "foundation/io/ring_internal.h"\n'}, "internal to io")


class RulesTest(Tree):
    # (line of code, file where it is wrong, file where it is right, part of the message)
    TABLE = [
        ("std::thread worker;", "src/bus/log/a.cc", "src/foundation/io/a.cc", "io::Executor"),
        ("std::jthread worker;", "src/cli/a.cc", "src/server/http/a.cc", "io::Executor"),
        ("std::condition_variable ready;", "src/bus/log/a.cc", "src/bus/log/a_test.cc", "io::Completion"),
        ("auto x = std::async(f);", "src/cli/a.cc", "apps/bascule/main.cc", "io::Completion"),
        ("std::this_thread::sleep_for(1s);", "src/bus/log/a_test.cc", "src/foundation/io/a.cc", "post_at"),
        ("usleep(10);", "src/bus/log/a.cc", "src/foundation/io/a.cc", "nothing sleeps"),
        ("co_await socket;", "src/foundation/io/a.cc", "src/server/http/a.cc", "server/http"),
        ("std::mutex m;", "src/bus/log/a.cc", "src/foundation/base/guarded.h", "Guarded<T>"),
        ("std::scoped_lock l(m);", "src/cli/a.cc", "src/foundation/io/a.cc", "Guarded<T>"),
        ("auto t = std::chrono::steady_clock::now();", "src/bus/log/a.cc", "src/foundation/base/clock.cc", "Clock"),
        ("std::random_device d;", "src/bus/log/a.cc", "src/bus/log/a_bench.cc", "Random"),
        ("auto t = time(nullptr);", "src/bus/log/a.cc", "src/foundation/base/clock.cc", "Clock"),
        ('std::cout << "x";', "src/bus/log/a.cc", "src/cli/a.cc", "does not print"),
        ('printf("x");', "src/bus/log/a.cc", "src/foundation/base/check.cc", "does not print"),
        ('std::fprintf(stderr, "x");', "src/bus/log/a.cc", "src/cli/a.cc", "does not print"),
        ("throw 1;", "src/cli/a.cc", "apps/bascule/main.cc", "fail(ErrorKind"),
        ("double amount = 0;", "src/household/money/a.cc", "src/bus/log/a.cc", "Money"),
        ("auto balance = std::stod(text);", "src/household/money/a.cc", "src/bus/log/a.cc", "Money"),
        ("#include <fstream>", "src/household/money/a.cc", "src/household/money/a_test.cc", "std::span"),
    ]

    def test_each_rule_fires_only_where_it_holds(self):
        for line, wrong, right, message in self.TABLE:
            guard = HEADER if right.endswith(".h") else ""
            with self.subTest(line=line):
                self.assert_finding({wrong: f"int a;\n{line}\n"}, f"{wrong}:2:", "instead:", message)
                self.assert_clean({right: f"{guard}{line}\n"})

    def test_comments_and_literals_are_not_code(self):
        self.assert_clean({
            "src/bus/log/a.cc": '// throw std::thread\n/* printf("x");\n throw */\nauto s = "throw \\" throw";\n'
                                'auto r = R"(throw "x")";\nauto n = 1\'000\'000;\nchar q = \'"\';\n'
        })

    def test_code_behind_a_comment_is_code(self):
        self.assert_finding({"src/bus/log/a.cc": '/* a */ auto s = "b"; throw s;\n'}, "a.cc:1:", "no exceptions")

    def test_a_stated_reason_excuses_its_line_and_no_other(self):
        reason = "// house: the library reports through exceptions"
        self.assert_clean({"src/bus/log/a.cc": f"{reason}\nthrow 1;\nthrow 2;  {reason}\n"})
        self.assert_finding({"src/bus/log/a.cc": f"{reason}\n\nthrow 1;\n"}, "a.cc:3:", "no exceptions")
        self.assert_finding({"src/bus/log/a.cc": "// house: ok\nthrow 1;\n"}, "a.cc:2:", "no exceptions")

    def test_printing_into_memory_is_no_printing(self):
        self.assert_clean({"src/bus/log/a.cc": 'snprintf(b, 4, "x"); out.puts_count(1); blueprintf(1);\n'})

    def test_member_called_time_is_no_clock(self):
        self.assert_clean({"src/bus/log/a.cc": "record.time(); event->time(); recorded_time(); auto t = time();\n"})

    def test_foreign_library_in_a_header_that_others_read(self):
        for name in ("boost/asio.hpp", "soci/soci.h", "simdjson.h", "sqlite3.h", "CLI/CLI.hpp", "yaml-cpp/yaml.h", "spdlog/spdlog.h"):
            with self.subTest(name=name):
                foreign = {"src/foundation/io/a.h": f"{HEADER}#include <{name}>\n"}
                reader = '#include "foundation/io/a.h"\n'
                self.assert_clean({**foreign, "src/foundation/io/a.cc": reader})
                self.assert_finding({**foreign, "src/bus/log/b.cc": reader}, "a.h:2:", name.split("/")[0].removesuffix(".h"), "src/bus/log/b.cc")

    def test_foreign_library_does_not_come_in_through_a_second_header(self):
        self.assert_finding({
            "src/foundation/io/a.h": f"{HEADER}#include <boost/asio.hpp>\n",
            "src/foundation/io/b.h": f'{HEADER}#include "foundation/io/a.h"\n',
            "src/bus/log/c.cc": '#include "foundation/io/b.h"\n',
        }, "a.h:2:", "src/bus/log/c.cc")

    def test_standard_headers_are_not_foreign(self):
        self.assert_clean({
            "src/foundation/io/a.h": f"{HEADER}#include <optional>\n#include <sys/uio.h>\n#include <regex>\n",
            "src/bus/log/b.cc": '#include "foundation/io/a.h"\n',
        })

    def test_generated_header_lies_beside_its_template(self):
        self.assert_clean({"src/bus/log/a.cc": '#include "made.h"\n', "src/bus/log/made.h.in": "x"})

    def test_header_needs_its_guard(self):
        self.assert_finding({"src/foundation/io/a.h": "int a;\n"}, "a.h:1:", "#pragma once")

    def test_machine_paths_are_found_in_every_kind_of_text(self):
        for place in ("work/main", "root/x", "tmp/x", "home/anna/x"):
            for name in ("docs/a.md", "src/foundation/io/a.cc", "dev"):
                with self.subTest(place=place, name=name):
                    self.assert_finding({name: f"see /{place}\n"}, f"{name}:1:", "a path of one machine")
        self.assert_clean({"docs/a.md": "GET /v1/files, ~/.local/share/x, docs/work/a, DATA/tmp/x, https://a.example/work/x\n"})

    def test_left_over_work_is_found(self):
        self.assert_finding({"src/foundation/io/a.cc": "// TO" + "DO later\n"}, "work left lying")

    def test_build_and_dependencies_are_not_ours(self):
        foreign = "see /" + "root/x\n"
        self.assert_clean({"build/dev/a.md": foreign, "console/node_modules/a.md": foreign})
        self.assert_finding({".ci/run": foreign}, "a path of one machine")


if __name__ == "__main__":
    unittest.main()
