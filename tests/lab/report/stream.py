# SPDX-License-Identifier: GPL-2.0-only
"""A KTAP stream, passed through line by line as it comes, with the plain total as its last line.

A result that only sums up nested ones is not counted, unless it is bad and none of them is. A plan
that was not kept is bad, and so is a stream without one.

A line "# part NAME" says that a part of the whole begins. From then on, a line tells at intervals
which part is running and for how long, until its result has come. At the end stands what every part
took, the longest first. A line "# closing: TEXT" is said again there. Records are left out.
"""

from __future__ import annotations

import os
import select
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

from . import ktap
from .records import FAIL, PASS, SKIP, Part, write

PART = "# part "
CLOSING = "# closing: "


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass
class Level:
    planned: int | None = None
    count: int = 0
    bad: bool = False


@dataclass
class Tally:
    """Counts results; knows for each level of indentation the plan and what came."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    levels: dict[int, Level] = field(default_factory=dict)
    planned: bool = False

    def close_down(self, indent: int) -> bool:
        """Everything nested deeper than indent is over. Was anything in there bad?"""
        bad = False
        for at in sorted((at for at in self.levels if at > indent), reverse=True):
            level = self.levels.pop(at)
            if level.planned is not None and level.planned != level.count:
                say(f"# planned {level.planned} results, saw {level.count}")
                self.failed += 1
                level.bad = True
            bad = bad or level.bad
        return bad

    def read(self, line: str) -> None:
        plan, result = ktap.parse_plan(line), ktap.parse_result(line)
        if plan:
            self.levels.setdefault(plan.indent, Level()).planned = plan.count
            self.planned = self.planned or not plan.indent
        elif result:
            self.result(result)

    def result(self, result: ktap.Result) -> None:
        nested = any(at > result.indent for at in self.levels)
        bad_below = self.close_down(result.indent)
        level = self.levels.setdefault(result.indent, Level())
        level.count += 1
        if not result.good and not bad_below:
            self.failed += 1
        elif result.good and not nested:
            if result.skip is not None:
                self.skipped += 1
            else:
                self.passed += 1
        if not result.good or bad_below:
            level.bad = True

    def end(self) -> None:
        if not self.planned:
            say("# no plan, so no result")
            self.failed += 1
        self.close_down(-1)

    @property
    def total(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Clock:
    """Which part runs, since when, and what those before it took."""
    before: int
    interval: float
    parts: list[Part] = field(default_factory=list)
    part: str | None = None
    since: float = 0
    next: float = 0

    def __post_init__(self) -> None:
        self.begun = time.monotonic()

    def read(self, line: str) -> None:
        result = ktap.parse_result(line)
        if line.startswith(PART):
            self.end(FAIL)
            self.part, self.since = line[len(PART):], time.monotonic()
            self.next = self.since + self.interval
        elif result and not result.indent:
            outcome = FAIL if not result.good else PASS if result.skip is None else SKIP
            self.end(outcome)

    def end(self, outcome: str) -> None:
        if self.part:
            took = round(time.monotonic() - self.since)
            self.parts.append(Part(os.environ.get("KERNEL", ""), self.part, outcome, took))
        self.part = None

    def wait(self) -> float | None:
        """For how long nothing has to be said."""
        return max(0.0, self.next - time.monotonic()) if self.part else None

    def tick(self) -> None:
        if self.part and time.monotonic() >= self.next:
            say(f"# still running: {self.part}, for {time.monotonic() - self.since:.0f} s")
            self.next += self.interval

    def table(self) -> None:
        if not self.parts and not self.before:
            return
        took = [(part.seconds, part.part) for part in self.parts]
        if self.before:
            took.append((self.before, "before the first part"))
        say(f"# it took {self.before + time.monotonic() - self.begun:.0f} s:")
        for seconds, part in sorted(took, reverse=True):
            say(f"# {seconds:6.0f} s  {part}")


def lines(source: int, clock: Clock) -> Iterator[str]:
    """Each line of the input when it comes; the clock ticks between two of them."""
    pending = b""
    while True:
        clock.tick()
        if not select.select([source], [], [], clock.wait())[0]:
            continue
        piece = os.read(source, 1 << 16)
        if not piece:
            break
        *whole, pending = (pending + piece).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if pending:
        yield pending.decode(errors="replace")


def total(before: int, parts: Path | None) -> int:
    clock = Clock(before, float(os.environ.get("VFIO_AP_LAB_HEARTBEAT") or 60))
    tally, closing = Tally(), []
    for line in lines(0, clock):
        if ktap.RECORD.match(line):
            continue
        say(line)
        tally.read(line)
        clock.read(line)
        if line.startswith(CLOSING):
            closing.append(line[len(CLOSING):])
    clock.end(FAIL)
    tally.end()
    if parts:
        write(parts, clock.parts)
    clock.table()
    for text in closing:
        say(f"# {text}")
    say(tally.total)
    return int(tally.failed > 0)
