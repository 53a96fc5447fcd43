# SPDX-License-Identifier: GPL-2.0-only
"""The page of a release: promises, figures, one picture. Written from data, never read."""

from __future__ import annotations

from . import lab
from .plot import Picture, PlotGroup, PlotRow
from .records import DRIVERS, IN_KERNEL, MODULE, Figure, Promise, of_kind
from .release import DATA, GROUPS
from .summary import ALL, Figures, Names, Section, human, remark, remarks, share

PICTURE = "results.svg"
TITLE = "Time of operations, in-kernel driver and this module"
NAMES = {IN_KERNEL: "in-kernel", MODULE: "this module"}

HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<!-- Written by `make release-notes` from results.jsonl; do not edit. -->
# Results of release {version}

The lab ran the same test programs with this module and with the `vfio_ap` of the same kernel source.
Kernel configuration, virtual machine and emulated AP hardware were the same for both. No result on
this page is from an IBM Z.

## Runs

{runs}

`make compare` and `make bench` repeat the runs and write every case and every figure to
`out/results`. `make release-notes` makes this page from these files.
"""

PROMISES = """\
## Promises

A cell has the number of cases that pass, of all cases that name the promise. *Absent* cases ask for
an interface that the driver does not have. [Requirements](requirements.rst) has the promises. `C`
stands for what user space knows from the in-kernel driver. `R` stands for what this module promises
beyond that; the in-kernel driver has never promised it. The tests were written for this module.

{table}
"""

FIGURES = """\
## Figures

![{title}]({picture})

{table}

* A time is the number of instructions that the virtual machine executed (QEMU `-icount shift=0`, 1 ns
  each) plus the waits of the emulated hardware. The instructions are those of the kernel, the driver
  and the emulator. A time does not say how long an IBM Z takes.
* Each time is the least of five rounds in each of two boots, on a kernel without lockdep.
* The reset of a queue takes 1 ms in the row `VFIO_DEVICE_RESET`, 2 s in the last group, and 0 ms in
  all other rows.
* The guest with 32 x 32 queues has 32 adapters and 32 domains.
"""

SLOWER = """\
## Figures where this module is slower

{list}
"""


def markdown(table: list[list[str]]) -> str:
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    return "\n".join([rows[0], "|" + "---|" * len(table[0]), *rows[1:]])


def kernels(sections: list[Section], what: str) -> list[str]:
    return [section.about.kernel for section in sections if section.about.what == what]


def columns_of(names: list[str]) -> list[str]:
    return [f"{kernel} {NAMES[driver]}" for kernel in names for driver in DRIVERS]


def run_table(sections: list[Section]) -> str:
    table = [["command", "kernel", "date", "commit", "not run"]]
    for section in sections:
        about = section.about
        table.append([f"`make {about.what} KERNEL={about.kernel}`", about.package, about.date,
                      f"{about.commit} ({about.version})", ", ".join(about.missing) or "-"])
    notes = dict.fromkeys(section.about.note for section in sections if section.about.note)
    return "\n\n".join([markdown(table), *notes])


def promise_table(sections: list[Section]) -> str:
    sums: dict[tuple[str, str, str], Promise] = {}
    for section in sections:
        for one in of_kind(section.records, Promise):
            sums[one.kernel, one.promise, one.driver] = one
    known = Names.read(lab.REPO / "tests" / "promises").titles
    names = kernels(sections, "compare")
    table = [["promise", "", *columns_of(names)]]
    order = [*known, *(name for _, name, _ in sums if name not in known and name != ALL)]
    for name in dict.fromkeys([*order, ALL]):
        cells = [sums.get((kernel, name, driver)) for kernel in names for driver in DRIVERS]
        if any(cells):
            label, title = ("all cases", "") if name == ALL else (name, known.get(name, ""))
            table.append([label, title, *(share(cell) for cell in cells)])
    return markdown(table)


def figures_by_kernel(sections: list[Section]) -> dict[str, Figures]:
    return {section.about.kernel: Figures.of(of_kind(section.records, Figure))
            for section in sections if section.about.what == "bench"}


def figure_table(figures: dict[str, Figures]) -> str:
    table = [["operation", *columns_of(list(figures))]]
    for title, shown in GROUPS:
        table.append([f"**{title}**", *[""] * (2 * len(figures))])
        for one in shown:
            table.append([one.label, *(human(of.value(driver, one.name)) for of in figures.values()
                                               for driver in DRIVERS)])
    return markdown(table)


def picture(figures: dict[str, Figures]) -> str:
    groups = []
    for title, shown in GROUPS:
        rows = []
        for one in shown:
            values = {(kernel, driver): of.value(driver, one.name) for kernel, of in figures.items()
                      for driver in DRIVERS}
            rows.append(PlotRow(one.label, {key: value for key, value in values.items() if value}))
        groups.append(PlotGroup(title, rows))
    return Picture(groups, list(figures)).svg(TITLE, lambda value: human(round(value)))


def slower_list(figures: dict[str, Figures]) -> str:
    known = remarks(lab.REPO / "tests" / "bench" / "remarks")
    lines = []
    for _, shown in GROUPS:
        for one in shown:
            ratios = [(kernel, of.ratio(one.name)) for kernel, of in figures.items()]
            slow = [f"{1 / ratio:.2f} times on {kernel}" for kernel, ratio in ratios if ratio and ratio < 0.995]
            if slow:
                lines.append(f"* {one.label}: {', '.join(slow)}. {remark(one.name, known)}")
    return "\n".join(lines) or "None."


def page(sections: list[Section]) -> str:
    parts = [HEAD.format(version=lab.version(), runs=run_table(sections))]
    if kernels(sections, "compare"):
        parts.append(PROMISES.format(table=promise_table(sections)))
    figures = figures_by_kernel(sections)
    if figures:
        parts.append(FIGURES.format(title=TITLE, picture=PICTURE, table=figure_table(figures)))
        parts.append(SLOWER.format(list=slower_list(figures)))
    return "\n".join(parts)


__all__ = ["DATA", "PICTURE", "page", "picture"]
