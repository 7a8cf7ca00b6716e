"""How every end-to-end test begins: `NAME_test.py --program build/release/bascule [unittest's arguments]`."""

import sys
import unittest
from pathlib import Path

from server import ROOT


def program():
    """The program under test, from the command line; a release build by default."""
    if "--program" in sys.argv:
        at = sys.argv.index("--program")
        path = Path(sys.argv[at + 1]).resolve()
        del sys.argv[at : at + 2]
    else:
        path = ROOT / "build/release/bascule"
    if not path.is_file():
        sys.exit(f"{path}: not built; ./dev build release")
    return path


PROGRAM = program()


def run():
    unittest.main(module="__main__", verbosity=2)
