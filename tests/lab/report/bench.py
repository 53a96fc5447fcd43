# SPDX-License-Identifier: GPL-2.0-only
"""The boots of `make bench`: the program tests/bench/bench.c with each driver, in the same machine.

Each group has a boot of its own: a crash takes nothing else with it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from . import ktap, lab
from .boot import Boot
from .records import DRIVERS, IN_KERNEL, Figure, Record, of_kind, read, write

SECONDS = 900


def ids(count: int, suffix: str = "") -> str:
    return ",".join(f"{one}{suffix}" for one in range(count))


def hardware(adapters: int, domains: int, largest: int) -> str:
    """Kernel command line of a host with so many adapters and domains."""
    return (f"apemu.na=63 apemu.nd={largest} apemu.cards={ids(adapters, ':cex8')} "
            f"apemu.domains={ids(domains)} apemu.controls=0")


@dataclass(frozen=True)
class Group:
    name: str
    hardware: str
    flavour: str = "bench"      # of the kernel; only "check" counts lock hold times


GROUPS = [
    Group("matrix-4", hardware(4, 4, 3)),
    Group("matrix-32", hardware(32, 32, 31)),
    Group("matrix-64", hardware(64, 64, 63)),
    Group("resets", hardware(1, 32, 63)),
    Group("host", hardware(2, 50, 63)),
    Group("aqic", hardware(4, 4, 63)),
    Group("stuck", hardware(4, 4, 63)),
    Group("memory", hardware(32, 32, 31)),
    Group("locks", f"nr_cpus=1 {hardware(2, 32, 63)}", "check"),
]


def figures_of(boot: Boot, driver: str, group: str, nth: int) -> list[Figure]:
    records = [ktap.parse_record(line) for test in boot.report.tests for line in test.lines]
    return [Figure(boot.want["kernel"], driver, group, record["name"], record["value"], record["unit"], nth)
            for record in records if record and record["type"] == "figure"]


def ended_well(boot: Boot) -> bool:
    results = [ktap.parse_result(line) for test in boot.report.tests for line in test.lines]
    return any(result and result.good and not result.indent for result in results)


def base() -> Path:
    return lab.out() / "bench" / lab.kernel()


def file_of(group: str, driver: str) -> Path:
    return base() / "results" / f"{group}-{driver}.jsonl"


def measure_once(group: Group, driver: str, nth: int) -> list[Figure]:
    where = lab.out() if group.flavour == "check" else lab.out() / "bench"
    peer = "yes" if driver == IN_KERNEL else "no"
    lab.say(f"measuring {group.name}, {lab.kernel()}, round {nth}: {driver}")
    boot = Boot.read(lab.boot(
        f"bench-{group.name}-{driver}", SECONDS,
        f"lab.icount=yes lab.timeout=600 workqueue.watchdog_thresh=120 lab.peer={peer} "
        f"lab.bench={group.name} {group.hardware}", ["bench"], OUT=str(where), FLAVOUR=group.flavour))
    if not ended_well(boot):
        lab.say(f"{group.name} did not come to its end with {driver} ({boot.where})")
    return figures_of(boot, driver, group.name, nth)


def sizes(driver: str) -> list[Figure]:
    module = base() / lab.directory_of(driver) / "vfio_ap.ko"
    size = f"{os.environ.get('CROSS_COMPILE', '')}size"
    text, data, bss = lab.output_of(size, module).split("\n")[1].split()[:3]
    return [Figure(lab.kernel(), driver, "module", "module, text", int(text), "bytes"),
            Figure(lab.kernel(), driver, "module", "module, data and bss", int(data) + int(bss), "bytes")]


def measure() -> None:
    only, rounds = os.environ.get("GROUP"), int(os.environ.get("ROUNDS") or 2)
    if only and only not in [group.name for group in GROUPS]:
        raise lab.LabError(f"GROUP={only} is none of: {' '.join(group.name for group in GROUPS)}")
    for group in GROUPS:
        if group.name in lab.left_out() or (only and only != group.name):
            continue
        if group.flavour == "check":
            # That kernel has an image of its own.
            lab.output_of(lab.LAB / "image", FLAVOUR="check")
        for driver in lab.drivers():
            figures: list[Record] = []
            for nth in range(1, rounds + 1):
                figures += measure_once(group, driver, nth)
            write(file_of(group.name, driver), figures)
    for driver in lab.drivers():
        write(file_of("module", driver), sizes(driver))


def gather() -> tuple[Path, list[Record]]:
    figures: list[Record] = []
    missing = []
    for group in [*(group.name for group in GROUPS), "module"]:
        both = [of_kind(read(file_of(group, driver)), Figure) for driver in DRIVERS]
        if any(both) and group not in lab.left_out():
            figures += both[0] + both[1]
        else:
            missing.append(group)
    file = lab.results() / f"bench-{lab.kernel()}.jsonl"
    records = [lab.about("bench", missing), *figures]
    write(file, records)
    return file, records
