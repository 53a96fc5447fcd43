#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Draw the diagram of design.rst as an SVG.

diagram.py PAGE SVG          writes SVG
diagram.py PAGE SVG --check  exit status 1 if SVG is not what it would write

The source is the literal block behind the comment ".. diagram" in PAGE. Lines
are made of - | and +, arrows end in < > v or ^, everything else is text.
"""

import html
import pathlib
import re
import sys

CELL_X, CELL_Y = 8.0, 17.0
MARGIN = 8.0
COLOUR = '#1f2933'
STYLE = f'stroke="{COLOUR}" stroke-width="1.2" fill="none"'


def block(page):
    """The lines of the literal block, without their indentation."""
    found = re.search(r'^\.\. diagram.*\n\n::\n\n((?: +.*\n|\n)+)', page, re.M)
    if not found:
        raise SystemExit('there is no block behind ".. diagram"')
    lines = found.group(1).rstrip().split('\n')
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return [line[indent:].rstrip() for line in lines]


class Grid:
    """The characters of the diagram, by column and row."""

    def __init__(self, lines):
        self.lines = lines
        self.width = max(map(len, lines))
        self.drawn = set()

    def at(self, col, row):
        """The character there, a blank outside."""
        if row < 0 or row >= len(self.lines) or col < 0 or col >= len(self.lines[row]):
            return ' '
        return self.lines[row][col]

    def is_arrow(self, col, row):
        """Is it the end of a line, and no letter?"""
        char = self.at(col, row)
        if char == 'v':
            return self.at(col, row - 1) in '|+'
        if char == '^':
            return self.at(col, row + 1) in '|+'
        if char == '>':
            return self.at(col - 1, row) == '-'
        return char == '<' and self.at(col + 1, row) == '-'

    def links(self, col, row, horizontal):
        """Does a line in this direction pass here?"""
        char = self.at(col, row)
        if horizontal:
            if char == '-':
                return self.at(col - 1, row) in '-+<|' or self.at(col + 1, row) in '-+>|'
            return char == '+' or char in '<>v^' and self.is_arrow(col, row)
        return char in '|+' or char in 'v^' and self.is_arrow(col, row)


def middle(col, row):
    """The centre of a character."""
    return MARGIN + (col + 0.5) * CELL_X, MARGIN + (row + 0.5) * CELL_Y


def line(grid, start, end):
    """A line between two characters, which are no text then."""
    for col in range(start[0], end[0] + 1):
        for row in range(start[1], end[1] + 1):
            grid.drawn.add((col, row))
    (left, top), (right, bottom) = middle(*start), middle(*end)
    return f'<path d="M{left:g} {top:g}L{right:g} {bottom:g}" {STYLE}/>'


def lines_of(grid):
    """All lines, first the horizontal ones."""
    for row, text in enumerate(grid.lines):
        for run in re.finditer(r'[-+<>v^]{2,}', text):
            if '-' in run.group() and all(grid.links(col, row, True) for col in range(*run.span())):
                yield line(grid, (run.start(), row), (run.end() - 1, row))
    for col in range(grid.width):
        row = 0
        while row < len(grid.lines):
            end = row
            while grid.links(col, end, False):
                end += 1
            if end - row > 1 or end > row and grid.at(col, row) == '|':
                yield line(grid, (col, row), (col, end - 1))
            row = max(end, row + 1)


def arrows_of(grid):
    """The heads."""
    for row, text in enumerate(grid.lines):
        for col, char in enumerate(text):
            if char not in '<>v^' or not grid.is_arrow(col, row):
                continue
            grid.drawn.add((col, row))
            x, y = middle(col, row)
            head = {'v': (-4, -4, 0, 5, 4, -4), '^': (-4, 4, 0, -5, 4, 4),
                    '>': (-4, -4, 5, 0, -4, 4), '<': (4, -4, -5, 0, 4, 4)}[char]
            points = ' '.join(f'{x + head[i]:g},{y + head[i + 1]:g}' for i in (0, 2, 4))
            yield f'<polygon points="{points}" fill="{COLOUR}"/>'


def texts_of(grid):
    """What is left, word by word at its place."""
    for row, text in enumerate(grid.lines):
        rest = ''.join(' ' if (col, row) in grid.drawn else char for col, char in enumerate(text))
        for run in re.finditer(r'\S+(?: \S+)*', rest):
            x = MARGIN + run.start() * CELL_X
            y = MARGIN + row * CELL_Y + 12.5
            length = len(run.group()) * CELL_X
            yield (f'<text x="{x:g}" y="{y:g}" textLength="{length:g}">'
                   f'{html.escape(run.group())}</text>')


def svg(lines):
    """The whole picture."""
    grid = Grid(lines)
    width = 2 * MARGIN + grid.width * CELL_X
    height = 2 * MARGIN + len(lines) * CELL_Y
    parts = [*lines_of(grid), *arrows_of(grid)]
    parts += texts_of(grid)
    body = '\n'.join(parts)
    return (f'<!-- SPDX-License-Identifier: GPL-2.0-only -->\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" '
            f'fill="{COLOUR}">\n<title>Architecture of vfio_ap</title>\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n')


def main(arguments):
    """Called with the arguments of the command line."""
    if len(arguments) not in (2, 3):
        raise SystemExit(__doc__)
    picture = svg(block(pathlib.Path(arguments[0]).read_text(encoding='utf-8')))
    target = pathlib.Path(arguments[1])
    if arguments[2:] == ['--check']:
        if not target.exists() or target.read_text(encoding='utf-8') != picture:
            print(f'{target} is not what {arguments[0]} says: make diagram')
            return 1
        return 0
    target.write_text(picture, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
