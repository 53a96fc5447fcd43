# SPDX-License-Identifier: GPL-2.0-only
"""Does a boot count? Only if everything is as it has to be; what is missing is bad."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

from . import kernellog, ktap
from .boot import KILLED, SKIPPED, Boot, TestRun


class Bad(Exception):
    """A check failed; the arguments are the lines that explain it."""


class Skip(Exception):
    """A check does not apply; the argument is the reason."""


@dataclass
class TestVerdict:
    """A test is good if it says so in every way it can: exit status, results, plans."""
    test: TestRun
    lines: list[str] = field(default_factory=list)
    bad: bool = False

    def complain(self, text: str) -> None:
        self.lines.append(f"# verdict: {text}")
        self.bad = True

    def judge(self) -> None:
        structure = ktap.Structure(self.complain)
        planned = failed = False
        for line in self.test.lines:
            if ktap.RECORD.match(line):
                continue
            self.lines.append(line)
            plan, result = ktap.parse_plan(line), ktap.parse_result(line)
            if plan:
                structure.plan(plan)
                planned = planned or plan.indent == 0
            elif result:
                structure.result(result)
                failed = failed or not result.good
            elif ktap.NO_NUMBER.match(line):
                self.complain("a failed result without a number")
        structure.close_down(-1)
        for line in self.test.strays:
            self.complain(f"it speaks for the lab: {line}")
        self.judge_status(planned, failed)
        self.bad = self.bad or failed

    def judge_status(self, planned: bool, failed: bool) -> None:
        status = self.test.status
        if not planned and status != SKIPPED:
            self.complain("no plan, so no result")
        if status is None:
            self.complain("it never ended")
        elif status == 0 and failed:
            self.complain("exit status 0, but a result was not ok")
        elif status not in (0, SKIPPED):
            self.complain(f"exit status {status}{' (timed out or killed)' if status in KILLED else ''}")


class Checks:
    """What has to be so of a boot as a whole."""

    def __init__(self, boot: Boot):
        self.boot, self.want, self.facts = boot, boot.want, boot.report.facts

    def qemu_ended(self) -> None:
        if self.want["qemu"] != "finished":
            raise Bad(f"QEMU {self.want['qemu'] or 'was not seen to end'}",
                      f"the end of the kernel log ({self.boot.where / 'console'}):", *self.boot.console[-5:])

    def all_ran(self) -> None:
        begun = [test.whole for test in self.boot.report.tests]
        if begun != self.want.tests or not self.boot.report.finished or self.boot.report.strays:
            raise Bad(f"wanted: {' '.join(self.want.tests)}", f"begun: {' '.join(begun)}",
                      *self.boot.report.strays)

    def log_is_whole(self) -> None:
        if not kernellog.is_whole(self.boot.console):
            raise Bad()

    def log_is_clean(self) -> None:
        trouble = kernellog.trouble(self.boot.console)
        if trouble or not kernellog.started(self.boot.console):
            raise Bad(*trouble[:12])

    def expect(self, key: str, value: str) -> None:
        found = self.facts.get(key, "")
        if found != value:
            raise Bad(f"{key} is '{found}' instead of '{value}'")

    def lockdep_is_on(self) -> None:
        self.expect("debug_locks", "1")

    def module_is_right(self) -> None:
        if self.want["load"] == "no":
            raise Skip("the test loads it itself")
        if not self.want["srcversion"]:
            raise Bad("no vfio_ap.ko was built")
        self.expect("srcversion", self.want["srcversion"])
        taint = self.facts.get("taint", "")
        if self.want["module"] == "driver" and "O" not in taint:
            raise Bad(f"taint is '{taint}', without O for out of tree")
        if self.want["module"] in ("peer", "in-tree") and taint:
            raise Bad(f"taint is '{taint}', but a vfio_ap of the kernel tree was wanted")
        if self.want["module"] not in ("driver", "peer", "in-tree"):
            raise Bad(f"it is not known which module was wanted: '{self.want['module']}'")

    def unloaded(self) -> None:
        if self.want["load"] != "no" or self.facts.get("unload") != "absent":
            self.expect("unload", "clean")

    def no_interrupt(self) -> None:
        self.expect("irq-on", "0")

    def no_pin(self) -> None:
        self.expect("pins", "0")

    def token_arrived(self) -> None:
        if not self.want["token"] or self.boot.token != self.want["token"]:
            raise Bad("no success token on its channel",
                      *(f"withheld because of: {why}" for why in self.boot.report.withheld))

    def all(self) -> list[tuple[str, Callable[[], None]]]:
        return [
            ("QEMU ended by itself and in time", self.qemu_ended),
            ("every test of this boot began, and init came to its end", self.all_ran),
            ("the kernel log has a beginning and an end", self.log_is_whole),
            ("the kernel log has no warning, bug or lock report", self.log_is_clean),
            ("lockdep is still on", self.lockdep_is_on),
            ("the module under test is the one just built", self.module_is_right),
            ("the module unloads", self.unloaded),
            ("no queue of the emulator has its interrupt on", self.no_interrupt),
            ("no page is pinned", self.no_pin),
            ("the success token arrived", self.token_arrived),
        ]


@dataclass
class Verdict:
    """The verdict on a boot, as nested KTAP: each test that was wanted, then the boot itself."""
    boot: Boot
    lines: list[str] = field(default_factory=list)
    good: bool = True

    def __post_init__(self) -> None:
        wanted = self.boot.want.tests
        self.lines += ["KTAP version 1", f"1..{len(wanted) + 1}"]
        for number, (name, test) in enumerate(self.pair(wanted), 1):
            self.add_test(number, name, test)
        self.add_checks(len(wanted) + 1)

    def pair(self, wanted: list[str]) -> list[tuple[str, TestRun | None]]:
        """Each wanted test with what was run in its turn. What ran beyond counts in all_ran()."""
        runs = self.boot.report.tests
        return [(name, runs[at] if at < len(runs) else None) for at, name in enumerate(wanted)]

    def add_test(self, number: int, name: str, test: TestRun | None) -> None:
        skip = ""
        good = False
        if not test:
            self.lines.append("  # verdict: it never began")
        else:
            verdict = TestVerdict(test)
            verdict.judge()
            if test.whole != name:
                verdict.complain(f"{test.whole} ran in its turn")
            self.lines += [f"  {line}" for line in verdict.lines]
            good = not verdict.bad
            skip = " # SKIP all of it" if test.status == SKIPPED else ""
        self.lines.append(f"{'' if good else 'not '}ok {number} {name}{skip}")
        self.good = self.good and good

    def add_checks(self, number: int) -> None:
        checks = Checks(self.boot).all()
        all_good = True
        self.lines += ["  KTAP version 1", f"  1..{len(checks)}"]
        for nth, (promise, check) in enumerate(checks, 1):
            try:
                check()
                self.lines.append(f"  ok {nth} {promise}")
            except Skip as why:
                self.lines.append(f"  ok {nth} {promise} # SKIP {why}")
            except Bad as why:
                all_good = False
                self.lines.append(f"  not ok {nth} {promise}")
                self.lines += [f"  # {line}" for line in why.args]
        self.lines.append(f"{'' if all_good else 'not '}ok {number} verdict")
        self.good = self.good and all_good
