# SPDX-License-Identifier: GPL-2.0-only
"""Which results of a boot say something about the driver, and which cases have to come again.

A case that broke the kernel, or left something behind, ends the trust in its boot: what the same
boot says about later cases may be a consequence. They come again in a fresh boot.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import kernellog, ktap
from .boot import KILLED, Boot, TestRun
from .records import ABSENT, FAIL, PASS, SKIP, Case, split_promise


def short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def describe(broken: dict) -> str:
    """A broken expectation in one line."""
    promise = f'"{broken.get("promise", "")}"'
    relation, observed = broken.get("relation"), str(broken.get("observed", ""))
    if relation == "holds":
        return f"{promise} is not so"
    if relation == "text":
        quoted = observed.replace("\n", "\\n")
        return f'{promise}: observed {short(chr(34) + quoted + chr(34))}'
    bound = f"{relation} " if str(relation).startswith("at ") else ""
    return f"{promise}: expected {bound}{broken.get('expected', '')}, observed {observed}"


@dataclass
class Evidence:
    """What the records of one case say beyond its result."""
    broken: str = ""        # the first expectation that was not met
    hung: str = ""
    splat: str = ""         # the first complaint of the kernel
    absent: str = ""        # an interface that the driver does not have
    excused: bool = False   # the next broken expectation is about that interface
    left: bool = False      # something outlives the case, or the kernel may be damaged
    ms: int | None = None

    def add(self, record: dict) -> None:
        kind = record["type"]
        if kind == "case":
            self.ms = record.get("ms")
        elif kind == "kernel":
            self.splat = self.splat or str(record.get("line", ""))
            self.left = True
        elif kind == "absent":
            self.absent, self.excused = str(record.get("what", "")), True
        elif kind == "left":
            self.left = True
        elif kind == "hang":
            self.hung = f"not over after {record.get('seconds')} s, when the hardware was made to answer"
        elif kind == "broken":
            self.left = self.left or bool(record.get("left"))
            if not self.excused and not self.broken and record.get("relation") != "kernel":
                self.broken = describe(record)
            self.excused = False

    @property
    def why(self) -> str:
        # What else goes wrong in a case that hangs is a consequence.
        first = self.hung or self.broken
        return "; ".join(text for text in (first, kernellog.phrase(self.splat)) if text)

    @property
    def only_absent(self) -> bool:
        return bool(self.absent) and not self.why


@dataclass
class Outcomes:
    boot: Boot
    run: str
    driver: str
    running: bool = False           # the last test may have no end yet
    cases: list[Case] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    lost: bool = False              # the boot cannot be trusted any more
    suspect: Case | None = None     # failed last, and was not seen to break anything

    def __post_init__(self) -> None:
        begun = set()
        for test in self.boot.report.tests:
            begun.add(test.whole)
            self.add_test(test)
        self.todo += [name for name in self.boot.want.tests if name not in begun]

    def count(self, test: TestRun, nth: int, outcome: str, text: str, why: str, ms: int | None) -> None:
        promises, title = split_promise(text) if text else ([], "")
        case = Case(self.boot.want["kernel"], self.driver, self.run, test.name, test.number_of(nth),
                    title, promises, outcome, why.replace("\t", " "), ms)
        self.cases.append(case)
        if outcome == FAIL:
            self.suspect = case

    def blame(self, how: str) -> None:
        """The first suspect is a case that failed and was not noticed to have broken anything."""
        if self.suspect and not self.lost:
            self.suspect.why = "; soon after: ".join(text for text in (self.suspect.why, how) if text)
        self.lost = True

    def add_test(self, test: TestRun) -> None:
        planned, seen, again, evidence = None, 0, [], Evidence()
        for line in test.lines:
            record, plan, result = ktap.parse_record(line), ktap.parse_plan(line), ktap.parse_result(line)
            if record:
                evidence.add(record)
            elif plan and not plan.indent:
                planned = plan.count
            elif result and not result.indent:
                seen += 1
                if not self.add_case(test, seen, result, evidence):
                    again.append(seen)
                evidence = Evidence()
        if test.status is not None or not self.running:
            self.end_test(test, planned, seen, again)

    def add_case(self, test: TestRun, nth: int, result: ktap.Result, evidence: Evidence) -> bool:
        """Does this result count?"""
        if self.lost:
            return False
        if result.good:
            outcome, why = (SKIP if result.skip is not None else PASS), ""
        elif evidence.only_absent:
            outcome, why = ABSENT, evidence.absent
        else:
            outcome, why = FAIL, evidence.why
        self.count(test, nth, outcome, result.text, why, evidence.ms)
        self.lost = not result.good and evidence.left
        return True

    def end_test(self, test: TestRun, planned: int | None, seen: int, again: list[int]) -> None:
        """A test that ended before its plan was kept: the case that was running is to blame."""
        if test.status is None:
            how = kernellog.fate(self.boot.console, self.boot.want.quiet)
        elif test.status in KILLED:
            how = "hung, it had to be killed"
        else:
            how = f"the test ended with status {test.status}"
        if planned is None:
            self.todo.append(test.whole)
            self.blame(how)
            return
        if seen < planned:
            seen += 1
            if self.lost or self.suspect:
                again.append(seen)
            else:
                self.count(test, seen, FAIL, "", how, None)
                self.suspect, self.lost = None, True
            self.blame(how)
        again += range(seen + 1, planned + 1)
        if again:
            numbers = "+".join(str(test.number_of(nth)) for nth in again)
            self.todo.append(f"{test.name}:{numbers}")


def goes_on(boot: Boot) -> bool:
    """Would further results of a boot count that is still running?"""
    return not Outcomes(boot, "", "", running=True).lost
