# SPDX-License-Identifier: GPL-2.0-only
"""The lines of a KTAP stream: plans, results, and the records of tests/lib/ktap.c."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Callable

PLAN = re.compile(r"( *)1\.\.(\d+)")
RESULT = re.compile(r"( *)(not )?ok (\d+)\b *(.*)$")
NO_NUMBER = re.compile(r" *not ok\b(?! \d)")
DIRECTIVE = re.compile(r" *# SKIP\b ?(.*)$")
RECORD = re.compile(r" *# json ")


@dataclass(frozen=True)
class Plan:
    indent: int
    count: int


@dataclass(frozen=True)
class Result:
    indent: int
    good: bool
    number: int
    text: str
    skip: str | None = None     # the reason


def parse_plan(line: str) -> Plan | None:
    match = PLAN.match(line)
    return Plan(len(match[1]), int(match[2])) if match else None


def parse_result(line: str) -> Result | None:
    match = RESULT.match(line)
    if not match:
        return None
    text = match[4]
    skip = DIRECTIVE.search(text)
    if skip:
        text = text[:skip.start()]
    return Result(len(match[1]), not match[2], int(match[3]), text, skip[1] if skip else None)


def parse_record(line: str) -> dict | None:
    """The object of a record; None for any other line, and for a record that is damaged."""
    match = RECORD.match(line)
    if not match:
        return None
    try:
        record = json.loads(line[match.end():])
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("type"), str) else None


@dataclass
class Block:
    """What is known about one level of nesting."""
    planned: int
    count: int = 0


@dataclass
class Structure:
    """Holds each plan of a stream against the results that came, on every level of nesting.

    complain() gets a sentence for everything that is wrong with the structure.
    """
    complain: Callable[[str], None]
    blocks: dict[int, Block] = field(default_factory=dict)

    def close_down(self, indent: int) -> None:
        """Everything nested deeper than indent is over."""
        for deeper in sorted((at for at in self.blocks if at > indent), reverse=True):
            block = self.blocks.pop(deeper)
            if block.planned != block.count:
                self.complain(f"planned {block.planned} results, saw {block.count}")

    def plan(self, plan: Plan) -> None:
        self.close_down(plan.indent)
        if plan.indent in self.blocks:
            self.complain("a second plan without an end of the first")
        self.blocks[plan.indent] = Block(plan.count)

    def result(self, result: Result) -> None:
        self.close_down(result.indent)
        block = self.blocks.get(result.indent)
        if block is None:
            self.complain(f"result without a plan: ok {result.number} {result.text}")
            return
        block.count += 1
        if result.number != block.count:
            self.complain(f"result number {result.number} where {block.count} was expected")
