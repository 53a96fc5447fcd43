# SPDX-License-Identifier: GPL-2.0-only
"""Data: JSON Lines, sums, figures, the page and its picture."""

from __future__ import annotations

import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

from .. import page, release, summary
from ..bench import figures_of
from ..boot import Boot, Report, Want
from ..plot import decade_label, decades
from ..records import (ABSENT, FAIL, IN_KERNEL, MODULE, PASS, SKIP, About, Case, Figure, Part, Promise, load, dump,
                       read, split_promise, write)

ABOUT = About("compare", "6.12", "6.12.117-1", "2026-11-27", "123456789abc", "0.1.0")


def case(driver: str, number: int, outcome: str, *promises: str, name: str = "it works") -> Case:
    return Case("6.12", driver, "guest", "hotplug", number, name, list(promises), outcome)


class RecordsTest(unittest.TestCase):
    def test_round_trip(self):
        "what was written is read back"
        records = [ABOUT, case(MODULE, 1, FAIL, "R-1", name='a | "b"\n\u00e9'), Part("6.12", "static", PASS, 3),
                   Figure("6.12", MODULE, "aqic", "AQIC, enable", 6274, "ns", 2),
                   Promise("6.12", "R-1", MODULE, 0, 0, 4)]
        for record in records:
            self.assertEqual(load(dump(record)), record)
            self.assertNotIn("\n", dump(record))
        with tempfile.TemporaryDirectory() as where:
            file = Path(where) / "deep" / "data"
            write(file, records, "# head\n")
            self.assertEqual(read(file), records)

    def test_unknown(self):
        "an unknown kind or key is an error"
        for line in ('{"kind": "result"}', '{"kind": "part", "kernel": "6.12", "part": "a", "outcome": "pass"}',
                     '{"kind": "part", "kernel": "6.12", "part": "a", "outcome": "pass", "seconds": 1, "x": 2}'):
            with self.assertRaises((KeyError, TypeError)):
                load(line)

    def test_promises(self):
        "the names in front of a case"
        for text, expected in (
                ("R-1, R-20: both", (["R-1", "R-20"], "both")),
                ("SPEC 1.8, 1.9: two", (["SPEC 1.8", "SPEC 1.9"], "two")),
                ("SPEC 1.8, R-4: two: x", (["SPEC 1.8", "R-4"], "two: x")),
                ("C-8, R-4: x", (["C-8", "R-4"], "x")),
                ("issue 3: x", (["issue"], "x")),
                ("line 12: assign_adapter | 5", (["line"], "assign_adapter | 5")),
                ("CLIENTS P2: x", (["CLIENTS"], "x")),
                ("lean, 1 CPU: a Linux boots", (["DESIGN"], "lean, 1 CPU: a Linux boots")),
                ("no name", (["DESIGN"], "no name"))):
            self.assertEqual(split_promise(text), expected)


class PromisesTest(unittest.TestCase):
    CASES = [case(MODULE, 1, PASS, "R-1", "R-2"), case(MODULE, 2, PASS, "R-1"), case(MODULE, 3, SKIP, "R-1"),
             case(MODULE, 4, PASS, "SPEC 1.9"),
             case(IN_KERNEL, 1, ABSENT, "R-1", "R-2"), case(IN_KERNEL, 2, FAIL, "R-1"),
             case(IN_KERNEL, 3, PASS, "R-1")]

    def test_sums(self):
        "a case counts for each promise that it names; a case without a result has failed"
        found = summary.promises(self.CASES, summary.Names({"R-2": "", "R-1": ""}, {"SPEC 1.9": "R-9"}))
        sums = {(one.promise, one.driver): summary.share(one) for one in found}
        self.assertEqual(sums, {
            ("*", IN_KERNEL): "0 of 3 (1 absent)", ("*", MODULE): "3 of 3",
            ("R-2", IN_KERNEL): "0 of 1 (1 absent)", ("R-2", MODULE): "1 of 1",
            ("R-1", IN_KERNEL): "0 of 2 (1 absent)", ("R-1", MODULE): "2 of 2",
            ("R-9", IN_KERNEL): "0 of 1", ("R-9", MODULE): "1 of 1"})

    def test_names(self):
        "tests/promises is understood: names, and older names of the same"
        names = summary.Names.read(release.lab.REPO / "tests" / "promises")
        self.assertIn("R-1", names.titles)
        self.assertFalse([name for name in names.aliases if name in names.titles])

    def test_good(self):
        "only this module decides about the exit status"
        self.assertTrue(summary.module_is_good(self.CASES))
        self.assertFalse(summary.module_is_good([*self.CASES, case(MODULE, 5, FAIL)]))
        self.assertFalse(summary.module_is_good([*self.CASES, case(MODULE, 5, ABSENT)]))
        self.assertFalse(summary.module_is_good([]))


class FiguresTest(unittest.TestCase):
    def figure(self, driver: str, name: str, value: int, unit: str = "ns", nth: int = 1) -> Figure:
        return Figure("6.12", driver, "g", name, value, unit, nth)

    def test_best(self):
        "the least time, the highest rate, the longest hold time"
        for name, unit, best in (("open", "ns", 4), ("AQICs", "1/s", 9), ("held at most: guests_lock", "ns", 9)):
            of = summary.Figures.of([self.figure(MODULE, name, value, unit) for value in (7, 4, 9)])
            self.assertEqual(of.value(MODULE, name, unit), best)

    def test_ratio(self):
        "more than 1 is better for this module; nothing is divided by 0"
        of = summary.Figures.of([self.figure(MODULE, "a", 10), self.figure(IN_KERNEL, "a", 25),
                                 self.figure(MODULE, "b", 30, "1/s"), self.figure(IN_KERNEL, "b", 10, "1/s"),
                                 self.figure(MODULE, "c", 0), self.figure(IN_KERNEL, "c", 3),
                                 self.figure(MODULE, "d", 1)])
        self.assertEqual([of.ratio("a"), of.ratio("b", "1/s"), of.ratio("c"), of.ratio("d")], [2.5, 3.0, None, None])

    def test_repeats(self):
        "how far the rounds are apart"
        of = summary.Figures.of([self.figure(MODULE, "a", 100), self.figure(MODULE, "a", 103, nth=2)])
        self.assertEqual(of.apart(), [(3.0, "a", MODULE)])

    def test_human(self):
        "three digits, and a unit that a reader knows"
        for value, text in ((47, "47 ns"), (4700, "4.7 us"), (522300, "522 us"), (20400000, "20.4 ms"),
                            (2012100000, "2.01 s"), (None, "-")):
            self.assertEqual(summary.human(value), text)

    def test_from_a_boot(self):
        "figures come from records, not from text"
        lines = ["lab: begin bench", "1..1", "# open: 3 ns",
                 '# json {"type": "figure", "name": "open", "value": 5, "unit": "ns"}', "ok 1 a", "lab: end bench 0"]
        boot = Boot(Want({"kernel": "7.3"}), Report.parse(lines), [], "", Path())
        self.assertEqual(figures_of(boot, MODULE, "g", 2), [Figure("7.3", MODULE, "g", "open", 5, "ns", 2)])


class ReleaseTest(unittest.TestCase):
    def sections(self) -> list[summary.Section]:
        figures = [Figure(kernel, driver, "g", name, 1000 * at + 7 + 5 * (driver == MODULE), "ns")
                   for kernel in ("6.12", "7.3") for at, name in enumerate(release.NAMES)
                   for driver in (MODULE, IN_KERNEL)]
        bench = [summary.Section(About("bench", kernel, "p", "d", "c", "v"),
                                 [one for one in figures if one.kernel == kernel]) for kernel in ("6.12", "7.3")]
        return [summary.Section(ABOUT, list(PromisesTest.CASES)), *bench]

    def test_reduce(self):
        "a release keeps sums and chosen figures, not every case"
        kept = release.reduce(self.sections()[0]).records
        self.assertTrue(kept and all(isinstance(one, Promise) for one in kept))
        self.assertEqual(len(release.reduce(self.sections()[1]).records), 24)
        self.assertEqual(len(release.NAMES), len(set(release.NAMES)))

    def test_merge(self):
        "a kernel that was not measured again keeps what it has"
        old = release.merge([], self.sections())
        new = summary.Section(About("bench", "7.3", "p", "later", "c", "v"), [])
        self.assertEqual([(one.key, one.about.date) for one in release.merge(old, [new])],
                         [(("compare", "6.12"), "2026-11-27"), (("bench", "6.12"), "d"), (("bench", "7.3"), "later")])

    def test_page(self):
        "the page has each promise, each figure and the picture"
        text = page.page(release.merge([], self.sections()))
        labels = [one.label for _, group in release.GROUPS for one in group]
        for part in ("| R-1 |", "0 of 2 (1 absent)", "](results.svg)", *labels):
            self.assertIn(part, text)

    def test_picture(self):
        "the picture is XML, has two dots a row and kernel, and nothing outside of it"
        figures = page.figures_by_kernel(release.merge([], self.sections()))
        tree = xml.fromstring(page.picture(figures))
        space = "{http://www.w3.org/2000/svg}"
        named = [one for one in tree if one.find(f"{space}title") is not None]
        self.assertEqual(len(named), 2 * 2 * len(release.NAMES))
        width, height = float(tree.get("width")), float(tree.get("height"))
        self.assertLessEqual(width, 800)
        for one in tree:
            for key, limit in (("x", width), ("cx", width), ("x1", width), ("x2", width), ("y", height),
                               ("cy", height)):
                self.assertTrue(0 <= float(one.get(key, 0)) <= limit, xml.tostring(one))

    def test_axis(self):
        "powers of ten as people say them; no value on the frame"
        self.assertEqual([decade_label(at) for at in (2, 3, 5, 6, 8, 9, 10)],
                         ["100 ns", "1 us", "100 us", "1 ms", "100 ms", "1 s", "10 s"])
        self.assertEqual(decades([1000, 5e6]), (2, 7))
        self.assertEqual(decades([1001, 1e6]), (3, 7))
