# SPDX-License-Identifier: GPL-2.0-only
"""The command line of tests/lab/results."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from . import bench, campaign, kernellog, ktap, lab, page, release, summary
from .boot import Boot, read_lines
from .outcomes import Outcomes, describe, goes_on
from .records import IN_KERNEL, MODULE, Case, About, of_kind, read, write
from .stream import total
from .verdict import Verdict


def verdict(args: argparse.Namespace) -> int:
    boot = Boot.read(args.boot)
    found = Verdict(boot)
    try:
        print("\n".join(found.lines), flush=True)
    finally:
        driver = IN_KERNEL if boot.want["module"] == "peer" else MODULE
        write(args.boot / "results.jsonl", Outcomes(boot, args.boot.name, driver).cases)
    return int(not found.good)


def still_counts(args: argparse.Namespace) -> int:
    return int(not goes_on(Boot.read(args.boot)))


def evidence(args: argparse.Namespace) -> int:
    """Why a boot failed: results that are not ok, broken expectations, complaints of the kernel."""
    boot = Boot.read(args.boot)
    records = [ktap.parse_record(line) for test in boot.report.tests for line in test.lines]
    said = [describe(record) for record in records if record and record["type"] == "broken"]
    said += [line.strip() for line in Verdict(boot).lines if re.match(r" *not ok", line)]
    log = [kernellog.without_time(line) for line in kernellog.trouble(boot.console)]
    if not args.seen and not args.log:
        print("\n".join((said + log)[:8]))
        return 0
    for pattern, lines in ((args.seen, said), (args.log, log)):
        for line in lines:
            if pattern and re.search(pattern, line):
                print(re.sub(r"^not ok \d+ ", "", line))
                return 0
    return 1


def run_total(args: argparse.Namespace) -> int:
    return total(args.seconds, args.parts)


def check_data(args: argparse.Namespace) -> int:
    """The data of `make check`: what its parts and its boots have left."""
    records = [lab.about("check", [])]
    for file in args.file:
        records += read(file)
    write(lab.results() / f"check-{lab.kernel()}.jsonl", records)
    return 0


def compare(args: argparse.Namespace) -> int:
    if args.data:
        cases = of_kind(read(args.data), Case)
    else:
        campaign.measure()
        file, records = campaign.gather()
        cases = of_kind(records, Case)
        missing = of_kind(records, About)[0].missing
        if missing:
            lab.say(f"there are no results of both drivers for: {' '.join(missing)}")
        lab.say(f"every case is in {file}")
    if not cases:
        raise lab.LabError("there is no result of both drivers")
    print("\n".join(summary.compare_lines(cases, summary.Names.read(lab.REPO / "tests" / "promises"))))
    return int(not summary.module_is_good(cases))


def run_bench(args: argparse.Namespace) -> int:
    if args.data:
        records = read(args.data)
    else:
        bench.measure()
        file, records = bench.gather()
        lab.say(f"every figure is in {file}")
    figures = summary.figures_of(records)
    print("A time is a count of instructions (1 ns each) plus the waits of the emulated hardware.")
    print("Ratio: in-kernel by this module; of a rate the inverse.")
    print("PQAPs, APCB updates: in-kernel / this module.")
    print("\n".join(["", *summary.figure_table(figures), "", *summary.repeat_lines(figures)]))
    return 0


def release_notes(args: argparse.Namespace) -> int:
    sections = release.update()
    figures = page.figures_by_kernel(sections)
    if figures:
        release.path(page.PICTURE).write_text(page.picture(figures))
    release.path("results.md").write_text(page.page(sections))
    lab.say("wrote Documentation/results.jsonl, results.md and results.svg")
    return 0


def log_trouble(args: argparse.Namespace) -> int:
    found = kernellog.trouble(read_lines(args.console))
    print("\n".join(found))
    return int(bool(found))


def selftest(args: argparse.Namespace) -> int:
    from .tests import run
    if args.boot:
        os.environ[run.GOOD_BOOT] = str(args.boot.resolve())
    return run.run()


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="results", description="What the lab makes of the logs of its boots.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function, text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(run=function)
        return one

    one = command("verdict", verdict, "say as KTAP whether a boot counts; leaves results.jsonl in its directory")
    one.add_argument("boot", type=Path)
    one = command("goes-on", still_counts, "status 0 if further results of a running boot would count")
    one.add_argument("boot", type=Path)
    one = command("evidence", evidence,
                  "print the first sign of a fault that matches; without a pattern, the first eight")
    one.add_argument("boot", type=Path)
    one.add_argument("--seen", default="", help="expression for a result or a broken expectation")
    one.add_argument("--log", default="", help="expression for a complaint of the kernel")
    one = command("trouble", log_trouble, "print the complaints in a kernel log; status 1 if there are any")
    one.add_argument("console", type=Path)
    one = command("total", run_total, "pass KTAP through, with the total as the last line")
    one.add_argument("seconds", type=int, nargs="?", default=0, help="what went before the first part took")
    one.add_argument("--parts", type=Path, help="write what came of each part to this file")
    one = command("check-data", check_data, "write the data of `make check`")
    one.add_argument("file", type=Path, nargs="*")
    for name, function, text in (("compare", compare, "run all cases with both drivers"),
                                 ("bench", run_bench, "measure both drivers")):
        one = command(name, function, text)
        one.add_argument("data", type=Path, nargs="?", help="only print what this file has")
    command("release-notes", release_notes, "write the page of a release")
    one = command("selftest", selftest, "run the tests of this program, as KTAP")
    one.add_argument("boot", type=Path, nargs="?", help="a real boot without a fault, for the tests of the verdict")
    return top


def main() -> int:
    args = parser().parse_args()
    try:
        return args.run(args)
    except lab.LabError as why:
        lab.say(str(why))
        # As tests/lab/settings has it: what is wrong was said.
        return 9
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Nothing reads on, so nothing can be written at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
