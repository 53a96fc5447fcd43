# SPDX-License-Identifier: GPL-2.0-only
"""The data of a release: what is left of the data of `make compare` and `make bench`.

It has, for each kernel, the sum for each promise and the figures below. A kernel that was not
measured again keeps the data of the release before, under the commit and date of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

from . import lab
from .records import DRIVERS, Case, Figure, Record, of_kind, read, write
from .summary import Names, Section, figures_of, promises, sections

DATA = "Documentation/results.jsonl"
HEAD = """\
# SPDX-License-Identifier: GPL-2.0-only
# Written by `make release-notes`. The results of a release: see results.md.
"""


@dataclass(frozen=True)
class Shown:
    """A figure of the release: its name in the data, and the label of its row."""
    name: str
    label: str


STUCK = "while another guest's reset takes 2 s: "
GROUPS: list[tuple[str, list[Shown]]] = [
    ("Guest with 32 x 32 queues", [
        Shown("assign_adapter, 32x32", "assign_adapter"),
        Shown("unassign_adapter, 32x32", "unassign_adapter"),
        Shown("assign_domain, 32x32", "assign_domain"),
        Shown("ap_config (half of it added), 32x32", "ap_config, half added"),
    ]),
    ("Life of a guest", [
        Shown("open with 1024 queues", "open, 1024 queues"),
        Shown("close with 1024 queues", "close, 1024 queues"),
        Shown("VFIO_DEVICE_RESET, 32 queues, 1 ms each", "VFIO_DEVICE_RESET, 32 queues"),
        Shown("AQIC, enable, all of it", "AQIC enable"),
    ]),
    ("Changes of the host", [
        Shown("bind a queue assigned, 32x32", "bind an assigned queue"),
        Shown("an adapter of the host comes, 10 guests", "adapter comes, 10 guests"),
    ]),
    ("Another guest's reset takes 2 s", [
        Shown(f"{STUCK}AQIC enable", "AQIC enable"),
        Shown(f"{STUCK}assign_control_domain", "assign_control_domain"),
    ]),
]
NAMES = [shown.name for _, group in GROUPS for shown in group]


def reduce(section: Section) -> Section:
    """What a release keeps of a run."""
    kept: list[Record] = []
    cases = of_kind(section.records, Case)
    if cases:
        kept += promises(cases, Names.read(lab.REPO / "tests" / "promises"))
    figures = figures_of(section.records)
    for name in NAMES:
        for driver in DRIVERS:
            one = figures.best.get((driver, name, "ns"))
            if one:
                kept.append(Figure(one.kernel, driver, one.group, name, one.value, one.unit))
    rest = [record for record in section.records if not isinstance(record, (Case, Figure))]
    return Section(section.about, kept + rest)


def merge(old: Iterable[Section], new: Iterable[Section]) -> list[Section]:
    """The sections of both, the new one where both have one; sorted, so that a release can be compared."""
    found = {section.key: section for section in old}
    found.update({section.key: reduce(section) for section in new})
    return [found[key] for key in sorted(found, key=lambda key: (key[0] != "compare", key[1]))]


def measured() -> list[Section]:
    """What is in out/results."""
    found: list[Section] = []
    for what in ("compare", "bench"):
        for file in sorted(lab.results().glob(f"{what}-*.jsonl")):
            found += sections(read(file))
    return [section for section in found if section.records]


def update() -> list[Section]:
    """Bring the committed data up to date, and return it."""
    file = lab.REPO / DATA
    kept = merge(sections(read(file)), measured())
    if not kept:
        raise lab.LabError("there is no data: run make compare and make bench first")
    write(file, [record for section in kept for record in (section.about, *section.records)], HEAD)
    return kept


def path(name: str) -> Path:
    return lab.REPO / "Documentation" / name
