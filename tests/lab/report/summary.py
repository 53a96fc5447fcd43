# SPDX-License-Identifier: GPL-2.0-only
"""Both drivers side by side: what came of each promise, and what was measured."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Iterable

from .records import (ABSENT, DRIVERS, FAIL, IN_KERNEL, MODULE, PASS, SKIP, About, Case, Figure, Promise,
                      Record, of_kind)

# The sum over all cases, beside those over the cases of each promise
ALL = "*"
# A figure that is counted along with a time of the same name
COUNTED = ("PQAPs", "APCB updates")


@dataclass
class Row:
    """A case with both drivers. The name of a case that did not end is known from the other."""
    module: Case
    in_kernel: Case

    def of(self, driver: str) -> Case:
        return self.module if driver == MODULE else self.in_kernel


def rows(cases: Iterable[Case]) -> list[Row]:
    """The cases of this module, each with that of the in-kernel driver.

    What neither could do is left out. A case that has no result with the in-kernel driver has failed:
    it ended its boots before it could say anything.
    """
    of: dict[str, dict[tuple, Case]] = {driver: {} for driver in DRIVERS}
    for case in cases:
        of[case.driver][case.run, case.test, case.number] = case
    found = []
    for key, module in of[MODULE].items():
        peer = of[IN_KERNEL].get(key) or replace(
            module, driver=IN_KERNEL, outcome=FAIL, why="two boots with it came to no end", ms=None)
        if module.outcome != SKIP:
            found.append(Row(module, peer))
    return found


def promises(cases: list[Case], known_names: Names) -> list[Promise]:
    """For each promise and driver, how many of the cases that name it pass."""
    sums: dict[tuple[str, str], Promise] = {}
    known = list(known_names.titles)
    for row in rows(cases):
        names = list(dict.fromkeys(known_names.proper(name) for name in row.module.promises))
        known += [name for name in names if name not in known]
        for name in [ALL, *names]:
            for driver in DRIVERS:
                case = row.of(driver)
                one = sums.setdefault((name, driver), Promise(case.kernel, name, driver, 0, 0, 0))
                one.cases += 1
                one.passed += case.outcome == PASS
                one.absent += case.outcome == ABSENT
    return [sums[name, driver] for name in [ALL, *known] for driver in DRIVERS if (name, driver) in sums]


def share(one: Promise | None) -> str:
    if not one:
        return "-"
    text = f"{one.passed} of {one.cases}"
    return f"{text} ({one.absent} absent)" if one.absent else text


@dataclass
class Names:
    """tests/promises: what the names in front of the cases stand for, in the order of the page"""
    titles: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Names:
        self = cls()
        for line in path.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                names, _, title = line.partition("|")
                first, *others = (name.strip() for name in names.split(","))
                self.titles[first] = title.strip()
                self.aliases.update(dict.fromkeys(others, first))
        return self

    def proper(self, name: str) -> str:
        return self.aliases.get(name, name)


def better(figure: Figure, other: Figure) -> bool:
    """Does figure count, and not other? Of rates and of longest times the largest, else the least."""
    if figure.unit == "1/s" or figure.name.startswith("held at most:"):
        return figure.value > other.value
    return figure.value < other.value


@dataclass
class Figures:
    """For each name and unit, the figure of each driver that counts, and how well it repeats."""
    best: dict[tuple[str, str, str], Figure] = field(default_factory=dict)
    rounds: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    names: dict[tuple[str, str], str] = field(default_factory=dict)     # with their groups

    @classmethod
    def of(cls, figures: Iterable[Figure]) -> Figures:
        self = cls()
        for one in figures:
            key = (one.driver, one.name, one.unit)
            self.names.setdefault((one.name, one.unit), one.group)
            self.rounds[key].append(one.value)
            if key not in self.best or better(one, self.best[key]):
                self.best[key] = one
        return self

    def value(self, driver: str, name: str, unit: str = "ns") -> int | None:
        one = self.best.get((driver, name, unit))
        return one.value if one else None

    def ratio(self, name: str, unit: str = "ns") -> float | None:
        """More than 1: this module needs less, or does more in a second."""
        module, peer = self.value(MODULE, name, unit), self.value(IN_KERNEL, name, unit)
        if not module or not peer or module < 0 or peer < 0:
            return None
        return module / peer if unit == "1/s" else peer / module

    def apart(self) -> list[tuple[float, str, str]]:
        """By how many percent the rounds of a time or rate differ, the largest first."""
        found = []
        for (driver, name, unit), values in self.rounds.items():
            if unit in ("ns", "1/s") and len(values) > 1 and min(values) > 0:
                found.append(((max(values) - min(values)) * 100 / min(values), name, driver))
        return sorted(found, reverse=True)


def human(value: int | None, unit: str = "ns") -> str:
    """Three digits that mean something."""
    if value is None:
        return "-"
    if unit != "ns":
        return f"{value:,} {unit}"
    for limit, factor, name in ((1000, 1, "ns"), (10**6, 10**3, "us"), (10**9, 10**6, "ms")):
        if value < limit:
            return f"{value / factor:.3g} {name}"
    return f"{value / 10**9:.3g} s"


def remarks(path: Path) -> list[tuple[re.Pattern, str]]:
    """tests/bench/remarks: why a figure of this module is not better"""
    found = []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, _, sentence = line.partition(" | ")
            found.append((re.compile(pattern.strip()), sentence.strip()))
    return found


def remark(name: str, known: list[tuple[re.Pattern, str]]) -> str:
    for pattern, sentence in known:
        if pattern.fullmatch(name):
            return sentence
    return "The reason is not known."


@dataclass
class Section:
    """The data of one run: what it is of, and the records."""
    about: About
    records: list[Record] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return self.about.what, self.about.kernel


def sections(records: Iterable[Record]) -> list[Section]:
    found: list[Section] = []
    for record in records:
        if isinstance(record, About):
            found.append(Section(record))
        elif not found:
            raise ValueError("data without a line that says what it is about")
        else:
            found[-1].records.append(record)
    return found


def columns(table: list[list[str]]) -> list[str]:
    """A table for a terminal: the first column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) if not at else cell.rjust(width)
                      for at, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in table]


def promise_table(cases: list[Case], known: Names) -> list[str]:
    sums = {(one.promise, one.driver): one for one in promises(cases, known)}
    names = [name for name in dict.fromkeys(name for name, _ in sums) if name != ALL]
    table = [["promise", *DRIVERS]]
    for name in [*names, ALL]:
        table.append(["all cases" if name == ALL else name, *(share(sums.get((name, driver))) for driver in DRIVERS)])
    return columns(table)


def failures(cases: list[Case], driver: str) -> list[str]:
    return [f"{case.run}, {case.test}, case {case.number}: {case.case or 'a case that did not end'}: {case.why}"
            for case in cases if case.driver == driver and case.outcome not in (PASS, SKIP, ABSENT)]


def figure_table(figures: Figures) -> list[str]:
    table = [["figure", *DRIVERS, "ratio", *COUNTED]]
    for name, unit in figures.names:
        if unit in COUNTED:
            continue
        ratio = figures.ratio(name, unit)
        counts = []
        for count in COUNTED:
            both = [figures.value(driver, name, count) for driver in DRIVERS]
            counts.append("" if both == [None, None] else " / ".join("-" if one is None else str(one) for one in both))
        table.append([name, *(human(figures.value(driver, name, unit), unit) for driver in DRIVERS),
                      "-" if ratio is None else f"{ratio:.2f}", *counts])
    return columns(table)


def repeat_lines(figures: Figures) -> list[str]:
    apart = figures.apart()
    if not apart:
        return ["No time was measured twice."]
    beyond = [one for one in apart if one[0] > 1]
    return [f"{len(apart)} times and rates were measured twice; {len(apart) - len(beyond)} repeat within 1 %."] + [
        f"  {percent:.1f} %  {name}, {driver}" for percent, name, driver in beyond]


def compare_lines(cases: list[Case], known: Names) -> list[str]:
    """What `make compare` prints"""
    lines = promise_table(cases, known)
    for driver in (IN_KERNEL, MODULE):
        bad = failures(cases, driver)
        lines += ["", f"{driver}: {len(bad)} cases fail", *(f"  {line}" for line in bad)]
    return lines


def module_is_good(cases: list[Case]) -> bool:
    return bool(cases) and all(case.outcome in (PASS, SKIP) for case in cases if case.driver == MODULE)


def figures_of(records: Iterable[Record]) -> Figures:
    return Figures.of(of_kind(records, Figure))
