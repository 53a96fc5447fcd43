# SPDX-License-Identifier: GPL-2.0-only
"""Boots to judge: a good one, real or made here, and copies of it with something changed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from ..boot import Boot, read_lines
from ..verdict import Verdict
from .run import GOOD_BOOT

WANT = """\
token 0123456789abcdef
module driver
srcversion 0123456789ABCDEF
load yes
tests fault-none
kernel 6.12
append lab.timeout=60
qemu finished
"""

REPORT = """\
lab: start
lab: fact srcversion 0123456789ABCDEF
lab: fact taint O
lab: begin fault-none
KTAP version 1
1..1
# json {"type": "case", "number": 1, "ms": 7}
ok 1 nothing is wrong
lab: end fault-none 0
lab: fact held-guests_lock 269 us
lab: fact unload clean
lab: fact irq-on 0
lab: fact pins 0
lab: fact debug_locks 1
lab: finish
"""

CONSOLE = """\
[    0.229789] Linux version 6.12.0-vfio-ap-lab
[    1.000000] BUG: what comes before the lab is not the lab's
[    5.000000] lab: start
[    7.000000] lab: begin fault-none
[    8.000000] lab: end fault-none 0
[    9.000000] lab: finish
"""


def change_line(text: str, pattern: str, new: str) -> str:
    """Every line that matches as a whole is replaced."""
    changed, count = re.subn(f"(?m)^{pattern}$", new, text)
    assert count, f"nothing matches {pattern}"
    return changed


class BootTest(unittest.TestCase):
    """Has a good boot in self.files, by name, and judges what a test makes of it."""

    def setUp(self) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="vfio-ap-results-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.files = {"want": WANT, "report": REPORT, "console": CONSOLE, "token": "0123456789abcdef\n"}
        real = os.environ.get(GOOD_BOOT)
        if real:
            self.take_real(Path(real))

    def take_real(self, real: Path) -> None:
        """A real boot of the test fault-none, as if init had loaded the driver."""
        self.files = {name: "\n".join(read_lines(real / name)) + "\n" for name in self.files}
        self.change("want", "load .*", "load yes")
        self.change("want", "srcversion.*", "srcversion 0123456789ABCDEF")
        self.change("report", "lab: fact unload.*", "lab: fact unload clean")
        self.change("report", "lab: begin .*",
                    r"lab: fact srcversion 0123456789ABCDEF\nlab: fact taint O\n\g<0>")

    def change(self, name: str, pattern: str, new: str) -> None:
        self.files[name] = change_line(self.files[name], pattern, new)

    def drop(self, name: str, pattern: str) -> None:
        self.change(name, f"{pattern}\\n?", "")

    def after(self, name: str, pattern: str, *lines: str) -> None:
        """Put lines behind a line. They are taken as they are."""
        found = re.search(f"(?m)^{pattern}$", self.files[name])
        assert found, f"nothing matches {pattern}"
        text = self.files[name]
        self.files[name] = text[:found.end()] + "".join(f"\n{line}" for line in lines) + text[found.end():]

    def boot(self) -> Boot:
        for name, text in self.files.items():
            (self.dir / name).write_text(text)
        return Boot.read(self.dir)

    def verdict(self) -> Verdict:
        return Verdict(self.boot())

    def accepts(self) -> None:
        verdict = self.verdict()
        self.assertTrue(verdict.good, "\n".join(verdict.lines))

    def rejects(self, because: str) -> None:
        """The verdict is no, and a line of it says why."""
        verdict = self.verdict()
        text = "\n".join(verdict.lines)
        self.assertFalse(verdict.good, f"accepted:\n{text}")
        self.assertRegex(text, re.compile(because, re.MULTILINE))
