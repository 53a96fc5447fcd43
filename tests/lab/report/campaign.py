# SPDX-License-Identifier: GPL-2.0-only
"""The boots of `make compare`: each case with this module and with the in-kernel driver.

What was interrupted goes on where it was, as long as the module and the tests of the line are the
same; a change of this module takes nothing from the other driver. A line that `make check` has just
passed with the same module and tests is not booted with this module again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import lab
from .boot import Boot
from .outcomes import Outcomes
from .records import DRIVERS, MODULE, Case, Record, write
from .verdict import Verdict

# Not about the driver that is loaded: the emulator's own tests, and a test that loads both drivers.
NOT_COMPARED = ("emulator", "aqic")


def word(append: str, name: str, default: int) -> int:
    values = [int(one.partition("=")[2]) for one in append.split() if one.startswith(f"{name}=")]
    return values[-1] if values else default


def time_is_counted(append: str) -> bool:
    return "lab.icount=yes" in append.split()


def quiet(append: str) -> int:
    """For so many seconds a case may say nothing: a third of what `make check` gives to a test."""
    # Where time is counted, more than the patience, also where the driver has a lot to do meanwhile.
    return 150 if time_is_counted(append) else max(60, word(append, "lab.timeout", 60) // 3)


def patience(append: str) -> int:
    """For so many seconds a case may run. Where time is counted, the longest good one takes 41."""
    return 60 if time_is_counted(append) else quiet(append)


@dataclass
class Progress:
    """What there is of one line of tests/runs with one driver; kept in a file."""
    same: str                   # a fingerprint of all that matters
    todo: list[str]
    rounds: int = 0
    cases: list[dict] = field(default_factory=list)
    given_up: bool = False      # two boots brought no result

    @property
    def done(self) -> bool:
        return not self.todo or self.given_up


@dataclass
class Line:
    driver: str
    run: str
    append: str
    tests: list[str]

    @property
    def file(self) -> Path:
        return lab.out() / lab.kernel() / "compare" / f"{self.driver}-{self.run}.json"

    def booted(self) -> list[Path]:
        """The files that this line is about."""
        base = lab.out() / lab.kernel()
        modules = [*sorted((base / lab.directory_of(self.driver)).glob("*.ko")),
                   *sorted((base / "emulator").glob("*.ko"))]
        programs = [base / "programs" / "bin" / test for test in self.tests]
        return [*modules, *programs, lab.LAB / "init"]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self.append.encode())
        for file in self.booted():
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def load(self) -> Progress | None:
        try:
            return Progress(**json.loads(self.file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def save(self, progress: Progress) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(asdict(progress)))
        new.replace(self.file)

    def cases(self) -> list[Case]:
        progress = self.load()
        return [Case(**case) for case in progress.cases] if progress and progress.done else []

    def from_check(self) -> Progress | None:
        """The results of `make check`, if it passed this line with what there is now."""
        where = lab.out() / "boot" / self.run
        if self.driver != MODULE or not (where / "want").exists():
            return None
        made = (where / "want").stat().st_mtime
        boot = Boot.read(where)
        same = (boot.want["kernel"], boot.want["append"], boot.want.tests) == (
            lab.kernel(), self.append, self.tests)
        if not same or any(file.stat().st_mtime > made for file in self.booted()):
            return None
        outcomes = Outcomes(boot, self.run, self.driver)
        if not Verdict(boot).good or outcomes.todo:
            return None
        lab.say(f"{self.driver}, run {self.run}: passed in make check, the results are those")
        return Progress(self.fingerprint(), [], 0, [asdict(case) for case in outcomes.cases])

    def measure(self, again: bool) -> None:
        """Boot until there is a result for every case."""
        same = self.fingerprint()
        progress = self.load()
        if progress and progress.same == same and progress.done and not again:
            return
        if not progress or progress.same != same or progress.done:
            progress = (None if again else self.from_check()) or Progress(same, list(self.tests))
        empty = 0
        while not progress.done:
            outcomes = self.boot_once(progress)
            if outcomes.cases:
                progress.cases += [asdict(case) for case in outcomes.cases]
                progress.todo = outcomes.todo
            else:
                empty += 1
                lab.say(f"the boot brought no result at all; see {outcomes.boot.where}")
                if empty > 1 and self.driver == MODULE:
                    raise lab.LabError("two boots with this module brought no result")
                progress.given_up = empty > 1
            self.save(progress)
        self.save(progress)

    def boot_once(self, progress: Progress) -> Outcomes:
        progress.rounds += 1
        name = f"compare-{self.driver}-{self.run}-{progress.rounds}"
        # init takes the first of two words; the tests together may take long, each case may not.
        append = f"lab.timeout=3000 lab.patience={patience(self.append)} {self.append}"
        if self.driver != MODULE:
            append = f"lab.peer=yes {append}"
        lab.say(f"{self.driver}, run {self.run}, boot {progress.rounds}: {' '.join(progress.todo)}")
        where = lab.boot(name, 3600, append, progress.todo, QUIET=str(quiet(self.append)), ENDS_EARLY="yes")
        return Outcomes(Boot.read(where), self.run, self.driver)


def lines() -> list[tuple[str, str, list[str]]]:
    return [row for row in lab.runs() if row[0] not in NOT_COMPARED]


def measure() -> None:
    only = os.environ.get("RUN")
    if only and only not in [row[0] for row in lines()]:
        raise lab.LabError(f"RUN={only} is none of: {' '.join(row[0] for row in lines())}")
    for driver in lab.drivers():
        for name, append, tests in lines():
            if name not in lab.left_out() and (not only or only == name):
                Line(driver, name, append, tests).measure(again=bool(only))


def gather() -> tuple[Path, list[Record]]:
    """The results of both drivers, for each line that was run with both; the file has them too."""
    cases: list[Record] = []
    missing = []
    for name, append, tests in lines():
        both = [Line(driver, name, append, tests).cases() for driver in DRIVERS]
        if all(both) and name not in lab.left_out():
            cases += both[0] + both[1]
        else:
            missing.append(name)
    records: list[Record] = [lab.about("compare", missing), *cases]
    file = lab.results() / f"compare-{lab.kernel()}.jsonl"
    write(file, records)
    return file, records
