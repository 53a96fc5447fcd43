# SPDX-License-Identifier: GPL-2.0-only
"""The files that a boot leaves (see tests/lab/boot), and the tests in its report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

# A test ended by `timeout` has one of these as its exit status.
KILLED = (137, 143)
# Everything in it was skipped.
SKIPPED = 4


def read_lines(path: Path) -> list[str]:
    """Lines without their ends. A file that is not there has none."""
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


@dataclass
class Want:
    """What the boot was to be: lines "KEY VALUE" written by tests/lab/boot."""
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, lines: list[str]) -> Want:
        values: dict[str, str] = {}
        for line in lines:
            key, _, value = line.partition(" ")
            # Two boots in one directory would write a key twice. Then neither value is right.
            values[key] = f"{values[key]}\n{value}" if key in values else value
        return cls(values)

    def __getitem__(self, key: str) -> str:
        return self.values.get(key, "")

    @property
    def tests(self) -> list[str]:
        return self["tests"].split()

    @property
    def quiet(self) -> int | None:
        return int(self["quiet"]) if self["quiet"].isdigit() else None


@dataclass
class TestRun:
    """What one test printed. Its name is NAME, or NAME:3+5 for two of its cases."""
    whole: str
    lines: list[str] = field(default_factory=list)
    status: int | None = None       # None: it never ended
    strays: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.whole.partition(":")[0]

    @property
    def numbers(self) -> list[int] | None:
        _, colon, numbers = self.whole.partition(":")
        return [int(number) for number in numbers.split("+")] if colon else None

    def number_of(self, nth: int) -> int:
        """The number in the test's own list of its nth case in this boot."""
        numbers = self.numbers
        return numbers[nth - 1] if numbers and nth <= len(numbers) else nth


@dataclass
class Report:
    """What init and the tests said. Only init's own lines, outside of all tests, are facts."""
    tests: list[TestRun] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    withheld: list[str] = field(default_factory=list)
    finished: bool = False
    strays: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, lines: list[str]) -> Report:
        report, test = cls(), None
        for line in lines:
            word, _, rest = line.removeprefix("lab: ").partition(" ")
            if not line.startswith("lab: "):
                if test:
                    test.lines.append(line)
            elif test and word != "begin":
                end = re.fullmatch(r"(\S+) (\d+)", rest) if word == "end" else None
                if end and end[1] == test.whole:
                    test.status, test = int(end[2]), None
                else:
                    test.strays.append(line)
            elif word == "begin" and not report.finished:
                if test:
                    test.strays.append(line)
                test = TestRun(rest)
                report.tests.append(test)
            else:
                report.fact(word, rest, line)
        return report

    def fact(self, word: str, rest: str, line: str) -> None:
        if self.finished:
            self.strays.append(line)
        elif word == "fact":
            key, _, value = rest.partition(" ")
            self.facts[key] = value
        elif word == "withhold":
            self.withheld.append(rest)
        elif word == "finish":
            self.finished = True
        elif word != "start":
            self.strays.append(line)


@dataclass
class Boot:
    want: Want
    report: Report
    console: list[str]
    token: str
    where: Path

    @classmethod
    def read(cls, where: Path) -> Boot:
        return cls(Want.parse(read_lines(where / "want")), Report.parse(read_lines(where / "report")),
                   read_lines(where / "console"), "".join(read_lines(where / "token")), where)
