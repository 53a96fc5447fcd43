# SPDX-License-Identifier: GPL-2.0-only
"""Results as data: one JSON object in a line (JSON Lines), each with its kind.

    case    one case of a test, with one driver on one kernel
    part    one part of `make check`
    figure  one measured value
    about   which kernel, driver and date the lines that follow are of
    promise what came of all cases that name a promise (only in the data of a release)
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Iterable

# The two drivers as the data names them
MODULE, IN_KERNEL = "module", "in-kernel"
DRIVERS = (IN_KERNEL, MODULE)

PASS, FAIL, SKIP, ABSENT = "pass", "fail", "skip", "absent"

# "R-1, R-20: what is promised"; "SPEC 1.8, 1.9: ..." is short for two of SPEC
NUMBER = r"P?\d[\d.]*"
IDS = re.compile(rf"([A-Za-z]+[- ]{NUMBER}(?:, (?:[A-Za-z]+[- ])?{NUMBER})*): ")
NO_ID = "DESIGN"


def split_promise(text: str) -> tuple[list[str], str]:
    """The names in front of a case's description, and the rest."""
    match = IDS.match(text)
    if not match:
        return [NO_ID], text
    ids, kind = [], ""
    for one in match[1].split(", "):
        if re.fullmatch(NUMBER, one):
            one = f"{kind} {one}"
        kind = re.split("[- ]", one)[0]
        # Promises have numbers. The other names stand for a kind of case each.
        ids.append(one if re.match(r"[RC]-|SPEC", one) else kind)
    return list(dict.fromkeys(ids)), text[match.end():]


@dataclass
class Case:
    kernel: str
    driver: str
    run: str
    test: str
    number: int
    case: str
    promises: list[str]
    outcome: str
    why: str = ""
    ms: int | None = None


@dataclass
class Part:
    kernel: str
    part: str
    outcome: str
    seconds: int


@dataclass
class Figure:
    kernel: str
    driver: str
    group: str
    name: str
    value: int
    unit: str
    round: int = 1


@dataclass
class About:
    """what: "compare", "bench" or "check"; missing: what was not run or left out; note: for readers"""
    what: str
    kernel: str
    package: str
    date: str
    commit: str
    version: str
    qemu: str = ""
    missing: list[str] = field(default_factory=list)
    note: str = ""


@dataclass
class Promise:
    kernel: str
    promise: str
    driver: str
    passed: int
    absent: int
    cases: int


KINDS = {"case": Case, "part": Part, "figure": Figure, "about": About, "promise": Promise}
Record = Case | Part | Figure | About | Promise


def dump(record: Record) -> str:
    kind = next(name for name, cls in KINDS.items() if type(record) is cls)
    values = {key: value for key, value in asdict(record).items() if value not in (None, "", [])}
    return json.dumps({"kind": kind, **values}, ensure_ascii=False)


def load(line: str) -> Record:
    """One line of data. A kind or key that is not known is an error, not something to ignore."""
    values = json.loads(line)
    cls = KINDS[values.pop("kind")]
    missing = {"why": "", "qemu": "", "missing": [], "promises": [], "note": ""}
    for one in fields(cls):
        if one.name not in values and one.name in missing:
            values[one.name] = missing[one.name]
    return cls(**values)


def read(path: Path) -> list[Record]:
    if not path.exists():
        return []
    return [load(line) for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]


def write(path: Path, records: Iterable[Record], head: str = "") -> None:
    """All or nothing: a reader sees the old file or the new one. head: comment lines on top."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(head + "".join(dump(record) + "\n" for record in records))
    new.replace(path)


def of_kind(records: Iterable[Record], cls: type) -> list:
    return [record for record in records if type(record) is cls]
