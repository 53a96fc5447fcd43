# SPDX-License-Identifier: GPL-2.0-only
"""The kernel log of a boot: complaints of the kernel, and how a boot ended that did not end well."""

from __future__ import annotations

import re

TROUBLE = [re.compile(pattern) for pattern in (
    # The kernel gives up, or has survived what must not happen.
    r"WARNING:|BUG:|kernel BUG at|Kernel panic|Oops|Unable to handle kernel|Call Trace|Krnl PSW"
    r"|Last Breaking-Event-Address",
    # Lockdep, and the checks of sleeping, RCU and hanging.
    r"INFO: (possible|trying to register|task|rcu|lockdep|suspicious|inconsistent|HARDIRQ|SOFTIRQ)",
    r"possible (circular|recursive) locking|inconsistent lock state|irq lock inversion"
    r"|suspicious RCU usage|bad unlock balance",
    r"held lock freed|lock held (when|at)|still held|sleeping function called"
    r"|scheduling while atomic|Invalid wait context",
    r"turning off the locking correctness validator|lockdep: |rcu: INFO|self-detected stall"
    r"|detected stalls|soft lockup|workqueue lockup",
    # Memory and reference counts.
    r"KASAN|KCSAN|KMSAN|KFENCE|UBSAN|kmemleak:|refcount_t:|ODEBUG:|list_(add|del) corruption"
    r"|Bad page state|Slab corruption",
    r"Objects remaining|Poison overwritten|Redzone overwritten|Trying to vfree|double free"
    r"|bad: scheduling from|Object already free",
    # Modules that do not fit.
    r"Unknown symbol|disagrees about version|Invalid module format|module .* is already loaded",
)]

TIME = re.compile(r"^\[[^]]*\] *")


def started(lines: list[str]) -> bool:
    return any("lab: start" in line for line in lines)


def is_whole(lines: list[str]) -> bool:
    """Has the log the marks of the lab's beginning and of its end, in this order?"""
    marks = [mark for line in lines for mark in ("lab: start", "lab: finish") if mark in line]
    return "lab: start" in marks and "lab: finish" in marks[marks.index("lab: start"):]


def trouble(lines: list[str]) -> list[str]:
    """The complaints of the kernel since the lab began."""
    found, begun = [], False
    for line in lines:
        if "lab: start" in line:
            begun = True
        elif begun and any(pattern.search(line) for pattern in TROUBLE):
            found.append(line)
    return found


def without_time(line: str) -> str:
    return TIME.sub("", line)


def phrase(line: str) -> str:
    """A complaint of the kernel in a few words."""
    line = without_time(line)
    where = re.search(r"([A-Za-z_0-9.]+)\+0x", line)
    if re.match(r"WARNING: (CPU|[^ ]+:\d+ at)", line) and where:
        return f"WARN in {where[1]}()"
    line = re.sub(r"^INFO: task .* blocked", "a task is blocked", line)
    return re.sub(r"^WARNING: possible", "lockdep: possible", line)


def fate(lines: list[str], quiet: int | None) -> str:
    """Why a boot did not come to its end. quiet: it was ended after so many seconds of silence."""
    bad = place = ""
    for line in lines:
        if "lab: case " in line:
            bad = place = ""
        elif not bad and re.search(r"Unable to handle kernel|kernel BUG at|BUG: |Kernel panic|WARNING: "
                                   r"|INFO: task .* blocked|list_(add|del) corruption", line):
            bad = line
        elif bad and not place and "Krnl PSW" in line:
            symbol = re.search(r"\(([a-z_0-9]+)\+", line)
            place = symbol[1] if symbol else ""
    silence = f"no end within {quiet} s"
    if not bad:
        return f"hung, {silence}" if quiet else "the machine stopped"
    text = phrase(bad)
    if place and place not in bad:
        text += f" in {place}()"
    return f"{text}, then {silence}" if quiet else text
