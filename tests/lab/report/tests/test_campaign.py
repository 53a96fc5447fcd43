# SPDX-License-Identifier: GPL-2.0-only
"""The boots of `make compare`, with boots that are made here."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from .. import campaign, lab
from ..records import DRIVERS, IN_KERNEL, MODULE, About, Case, of_kind, read
from .boots import CONSOLE, REPORT, WANT, change_line
from .test_outcomes import broken


class CampaignTest(unittest.TestCase):
    def setUp(self) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="vfio-ap-results-"))
        self.addCleanup(shutil.rmtree, self.dir)
        for name in ("driver/vfio_ap.ko", "peer/vfio_ap.ko", "emulator/apemu.ko", "programs/bin/t", "programs/bin/u"):
            file = self.dir / "6.12" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        self.enterContext(mock.patch.dict(os.environ, {"OUT": str(self.dir), "KERNEL": "6.12"}))
        self.enterContext(mock.patch.object(lab, "boot", self.boot))
        self.enterContext(mock.patch.object(lab, "say"))
        self.reports: list[list[str]] = []
        self.booted: list[list[str]] = []

    def boot(self, name: str, _seconds: int, _append: str, tests: list[str], **_environment: str) -> Path:
        """What the next boot reports is in self.reports."""
        self.booted.append(tests)
        where = self.dir / "boot" / name
        where.mkdir(parents=True, exist_ok=True)
        (where / "want").write_text(f"tests {' '.join(tests)}\nkernel 6.12\n")
        (where / "report").write_text("\n".join(["lab: start", *self.reports.pop(0)]) + "\n")
        (where / "console").write_text("")
        (where / "token").write_text("")
        return where

    def line(self, driver: str = MODULE) -> campaign.Line:
        return campaign.Line(driver, "guest", "lab.timeout=120", ["t", "u"])

    GOOD = ["lab: begin t", "1..2", "ok 1 a", "ok 2 b", "lab: end t 0",
            "lab: begin u", "1..1", "ok 1 c", "lab: end u 0"]

    def test_again_after_a_loss(self):
        "what came after a case that left something comes again"
        self.reports = [["lab: begin t", "1..2", broken(1), "not ok 1 a", "ok 2 b"],
                        ["lab: begin t:2", "1..1", "ok 1 b", "lab: end t:2 0", "lab: begin u", "1..1", "ok 1 c",
                         "lab: end u 0"]]
        self.line().measure(again=False)
        self.assertEqual(self.booted, [["t", "u"], ["t:2", "u"]])
        self.assertEqual([(case.test, case.number, case.outcome) for case in self.line().cases()],
                         [("t", 1, "fail"), ("t", 2, "pass"), ("u", 1, "pass")])

    def test_done(self):
        "a line is not booted twice unless something changed or its name was given"
        self.reports = [self.GOOD] * 3
        self.line().measure(again=False)
        self.line().measure(again=False)
        self.assertEqual(len(self.booted), 1)
        (self.dir / "6.12" / "programs" / "bin" / "t").write_text("other")
        self.line().measure(again=False)
        self.assertEqual(len(self.booted), 2)
        self.line().measure(again=True)
        self.assertEqual(len(self.booted), 3)

    def test_other_driver(self):
        "a change of this module takes nothing from the in-kernel driver"
        self.reports = [self.GOOD] * 2
        self.line(IN_KERNEL).measure(again=False)
        (self.dir / "6.12" / "driver" / "vfio_ap.ko").write_text("other")
        self.line(IN_KERNEL).measure(again=False)
        self.assertEqual(len(self.booted), 1)

    def test_no_result(self):
        "two boots without a result: given up with the in-kernel driver, an error with this module"
        self.reports = [[], [], [], []]
        self.line(IN_KERNEL).measure(again=False)
        self.assertEqual(len(self.booted), 2)
        with self.assertRaises(lab.LabError):
            self.line().measure(again=False)

    def from_check(self, report: str = REPORT) -> None:
        """`make check` has left a boot of this line."""
        where = self.dir / "boot" / "guest"
        where.mkdir(parents=True)
        want = change_line(change_line(WANT, "append .*", "append lab.timeout=120"), "tests .*", "tests t")
        (where / "want").write_text(want)
        (where / "report").write_text(report.replace("fault-none", "t"))
        (where / "console").write_text(CONSOLE)
        (where / "token").write_text("0123456789abcdef\n")
        os.utime(where / "want", (2**33, 2**33))

    def test_from_check(self):
        "what make check has passed is not booted again, with this module"
        self.from_check()
        line = campaign.Line(MODULE, "guest", "lab.timeout=120", ["t"])
        line.measure(again=False)
        self.assertEqual((self.booted, [case.outcome for case in line.cases()]), ([], ["pass"]))
        self.reports = [["lab: begin t", "1..1", "ok 1 a", "lab: end t 0"]]
        campaign.Line(IN_KERNEL, "guest", "lab.timeout=120", ["t"]).measure(again=False)
        self.assertEqual(len(self.booted), 1)

    def test_not_from_check(self):
        "a boot of make check that does not count, is of other words, or is older than the module is not taken"
        self.from_check(REPORT.replace("pins 0", "pins 1"))
        self.assertIsNone(campaign.Line(MODULE, "guest", "lab.timeout=120", ["t"]).from_check())
        shutil.rmtree(self.dir / "boot")
        self.from_check()
        self.assertIsNone(campaign.Line(MODULE, "guest", "lab.timeout=60", ["t"]).from_check())
        self.assertIsNotNone(campaign.Line(MODULE, "guest", "lab.timeout=120", ["t"]).from_check())
        os.utime(self.dir / "boot" / "guest" / "want", (0, 0))
        self.assertIsNone(campaign.Line(MODULE, "guest", "lab.timeout=120", ["t"]).from_check())

    def test_gather(self):
        "the data have each line that was run with both drivers, and name the others"
        about = About("compare", "6.12", "p", "d", "c", "v")
        rows = [("guest", "lab.timeout=120", ["t", "u"]), ("host", "", ["t"])]
        self.reports = [self.GOOD] * 2
        for driver in DRIVERS:
            self.line(driver).measure(again=False)
        with mock.patch.object(campaign, "lines", lambda: rows), mock.patch.object(
                lab, "about", lambda what, missing: about.__class__(**{**vars(about), "missing": missing})):
            file, records = campaign.gather()
        self.assertEqual(of_kind(records, About)[0].missing, ["host"])
        self.assertEqual(len(of_kind(records, Case)), 6)
        self.assertEqual(read(file), records)

    def test_limits(self):
        "how long a case may say nothing, and how long it may run"
        self.assertEqual([campaign.quiet("lab.timeout=120"), campaign.quiet("lab.timeout=600"), campaign.quiet("x"),
                          campaign.quiet("lab.icount=yes"), campaign.patience("lab.icount=yes lab.timeout=900")],
                         [60, 200, 60, 150, 60])

    def test_runs(self):
        "every line of tests/runs is understood"
        names = [name for name, _, tests in lab.runs() if tests]
        self.assertIn("guest", names)
        self.assertEqual(len(names), len(set(names)))
        self.assertFalse(set(campaign.NOT_COMPARED) - set(names))
