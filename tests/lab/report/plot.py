# SPDX-License-Identifier: GPL-2.0-only
"""The picture: a dot plot as SVG. A row for each operation, a panel for each kernel, two dots in each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from .records import IN_KERNEL, MODULE

WIDTH = 800
MARGIN = 12
LABELS = 222        # width of the column of labels
GAP = 24            # between two panels
ROW = 22
TITLE = 26          # height of the title of a group
HEAD = 84           # legend and titles of the panels
FOOT = 44           # the axis

DARK, GREY, LIGHT = "#1b1f24", "#57606a", "#d8dee4"
COLOUR = {IN_KERNEL: "#bc4c00", MODULE: "#0550ae"}
TEXT = {IN_KERNEL: "in-kernel driver", MODULE: "this module"}


@dataclass
class PlotRow:
    label: str
    values: dict[tuple[str, str], float]        # (kernel, driver): ns


@dataclass
class PlotGroup:
    title: str
    rows: list[PlotRow]


def decade_label(exponent: int) -> str:
    """10 ** exponent nanoseconds"""
    for unit, base in (("s", 9), ("ms", 6), ("us", 3), ("ns", 0)):
        if exponent >= base:
            return f"{10 ** (exponent - base)} {unit}"
    raise ValueError("less than a nanosecond")


def decades(values: list[float]) -> tuple[int, int]:
    """The first and the last power of ten of an axis. No value lies on the frame."""
    low, high = math.log10(min(values)), math.log10(max(values))
    first, last = math.floor(low), math.ceil(high)
    return first - (low == first), last + (high == last)


@dataclass
class Picture:
    groups: list[PlotGroup]
    kernels: list[str]
    parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        values = [value for group in self.groups for row in group.rows for value in row.values.values()]
        if not values or min(values) <= 0:
            raise ValueError("a logarithmic axis needs values above zero")
        self.first, self.last = decades(values)
        self.height = HEAD + FOOT + sum(TITLE + ROW * len(group.rows) for group in self.groups)
        space = WIDTH - 2 * MARGIN - LABELS - GAP * (len(self.kernels) - 1)
        self.panel = space / len(self.kernels)

    def left(self, panel: int) -> float:
        return MARGIN + LABELS + panel * (self.panel + GAP)

    def x(self, panel: int, value: float) -> float:
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.left(panel) + share * self.panel

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> None:
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{colour}" stroke-width="{width}"/>')

    def text(self, x: float, y: float, text: str, anchor: str = "start", style: str = "") -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>')

    def dot(self, x: float, y: float, driver: str, title: str = "") -> None:
        """A circle or a square: colour is not the only difference, and both are seen in one place."""
        name = f"<title>{escape(title)}</title>" if title else ""
        if driver == MODULE:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOUR[driver]}">{name}</circle>')
        else:
            self.parts.append(f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="#ffffff" '
                              f'stroke="{COLOUR[driver]}" stroke-width="2">{name}</rect>')

    def legend(self) -> None:
        x = MARGIN + LABELS
        for driver in (MODULE, IN_KERNEL):
            self.dot(x + 6, 22, driver)
            self.text(x + 18, 26, TEXT[driver])
            x += 36 + 7.5 * len(TEXT[driver])
        self.text(WIDTH - MARGIN, 26, "further left is faster", "end", f' fill="{GREY}"')

    def axis(self, panel: int, kernel: str) -> None:
        top, bottom = HEAD - 12, self.height - FOOT
        self.text(self.left(panel), HEAD - 24, f"Linux {kernel}", style=' font-weight="bold"')
        for exponent in range(self.first, self.last + 1):
            x = self.x(panel, 10.0 ** exponent)
            self.line(x, top, x, bottom, LIGHT)
            if (exponent - self.first) % 2 == 0 or self.last - self.first < 4:
                self.line(x, bottom, x, bottom + 5, GREY)
                self.text(x, bottom + 19, decade_label(exponent), "middle", f' fill="{GREY}"')
        self.line(self.left(panel), bottom, self.left(panel) + self.panel, bottom, GREY)

    def row(self, y: float, row: PlotRow, describe) -> None:
        self.text(MARGIN + 12, y + 4, row.label)
        for panel, kernel in enumerate(self.kernels):
            both = {driver: row.values[kernel, driver] for driver in (IN_KERNEL, MODULE)
                    if (kernel, driver) in row.values}
            xs = [self.x(panel, value) for value in both.values()]
            if len(xs) == 2:
                self.line(*[xs[0], y, xs[1], y], GREY, 1.5)
            for driver, value in both.items():
                self.dot(self.x(panel, value), y, driver,
                         f"{row.label}, Linux {kernel}, {TEXT[driver]}: {describe(value)}")

    def svg(self, title: str, describe=str) -> str:
        self.parts = []
        for panel, kernel in enumerate(self.kernels):
            self.axis(panel, kernel)
        self.legend()
        y: float = HEAD
        for group in self.groups:
            self.text(MARGIN, y + 15, group.title, style=' font-weight="bold"')
            y += TITLE
            for row in group.rows:
                self.row(y + ROW / 2 - 2, row, describe)
                y += ROW
        self.text(MARGIN + LABELS, self.height - 8, "time, logarithmic", style=f' fill="{GREY}"')
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.height}" '
                f'viewBox="0 0 {WIDTH} {self.height}" font-family="sans-serif" font-size="12.5" '
                f'fill="{DARK}" role="img">')
        return "\n".join(["<!-- SPDX-License-Identifier: GPL-2.0-only -->", head,
                          f"<title>{escape(title)}</title>",
                          f'<rect width="{WIDTH}" height="{self.height}" fill="#ffffff"/>',
                          *self.parts, "</svg>", ""])
