#!/usr/bin/env python3
"""Tests of what tidy.py takes for unchanged. ctest: house.tidy."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tidy

FILES = {
    "src/a/a.cc": '#include "a/a.h"\n#include <vector>\n',
    "src/a/a.h": '  #  include "b/b.h"\n',
    "src/b/b.h": '#include "a/a.h"  // a circle ends\n',
    "src/c/c.h": "",
}


class StampTest(unittest.TestCase):
    def name(self, command="c++ a.cc", around="", **changed):
        """The stamp's name of a.cc in a tree where some files' contents are others."""
        with tempfile.TemporaryDirectory() as folder:
            tidy.ROOT = Path(folder).resolve()
            tidy.FOLDERS = [tidy.ROOT / "src"]
            tidy.looked_into.cache_clear()
            for path, content in FILES.items():
                file = tidy.ROOT / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content + changed.get(file.stem if file.suffix == ".h" else "source", ""))
            return tidy.stamp_name(tidy.ROOT / "src/a/a.cc", command, around)

    def test_the_same_tree_elsewhere_has_the_same_stamp(self):
        self.assertEqual(self.name(), self.name())

    def test_what_the_file_sees_changes_its_stamp(self):
        for changed in ({"source": "\n"}, {"a": "\n"}, {"b": "\n"}, {"command": "c++ -O2 a.cc"}, {"around": "another clang-tidy"}):
            self.assertNotEqual(self.name(), self.name(**changed), changed)

    def test_what_it_does_not_see_does_not(self):
        self.assertEqual(self.name(), self.name(c="int other;\n"))


if __name__ == "__main__":
    unittest.main()
