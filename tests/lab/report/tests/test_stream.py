# SPDX-License-Identifier: GPL-2.0-only
"""The total: counts, passes on at once, says what is running, and ends with one plain line."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from ..lab import LAB
from ..records import Part, read

ENVIRONMENT = {**os.environ, "VFIO_AP_LAB_HEARTBEAT": "0.2", "KERNEL": "6.12"}


def total(*lines: str, options: tuple[str, ...] = ("7",)) -> tuple[list[str], int]:
    done = subprocess.run([str(LAB / "results"), "total", *options], input="".join(f"{line}\n" for line in lines),
                          stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False)
    return done.stdout.splitlines(), done.returncode


class TotalTest(unittest.TestCase):
    def last(self, expected: str, *lines: str) -> None:
        said, status = total(*lines)
        self.assertEqual(said[-1], expected)
        self.assertEqual(status, 0 if " 0 failed" in expected else 1)

    def test_counts(self):
        "results are counted, those that sum up others are not"
        self.last("1 passed, 1 failed, 1 skipped", "1..2", "# part a", "  1..2", "  ok 1 x", "  ok 2 y # SKIP z",
                  "ok 1 a", "not ok 2 b")

    def test_nested_failure(self):
        "a failure counts once, and does not hide in a result that is ok"
        self.last("0 passed, 1 failed, 0 skipped", "1..1", "  1..1", "  not ok 1 x", "not ok 1 a")
        self.last("0 passed, 1 failed, 0 skipped", "1..1", "  1..1", "  not ok 1 x", "ok 1 a")

    def test_plan(self):
        "a plan that is not kept is a failure"
        self.last("1 passed, 1 failed, 0 skipped", "1..2", "ok 1 a")
        self.last("1 passed, 1 failed, 0 skipped", "1..1", "  1..2", "  ok 1 x", "ok 1 a")

    def test_nothing(self):
        "nothing at all is a failure"
        self.last("0 passed, 1 failed, 0 skipped")

    def test_cut(self):
        "a stream that ends in the middle of a part is a failure"
        self.last("1 passed, 2 failed, 0 skipped", "1..1", "# part a", "  1..2", "  ok 1 x")

    def test_records(self):
        "records are not shown and not counted"
        said, status = total("1..1", '  # json {"type": "case", "text": "ok 1 a"}', "ok 1 a")
        self.assertFalse([line for line in said if "json" in line])
        self.assertEqual((said[-1], status), ("1 passed, 0 failed, 0 skipped", 0))

    def test_times(self):
        "each part and its time are named, and what went before"
        said, _ = total("1..1", "# part a", "ok 1 a")
        self.assertIn("#      0 s  a", said)
        self.assertIn("#      7 s  before the first part", said)

    def test_parts(self):
        "what came of each part is data"
        with tempfile.TemporaryDirectory() as where:
            file = Path(where) / "parts"
            total("1..4", "# part a", "ok 1 a", "# part b", "not ok 2 b", "# part c", "ok 3 c # SKIP x", "# part d",
                  options=("--parts", str(file)))
            self.assertEqual(read(file), [Part("6.12", "a", "pass", 0), Part("6.12", "b", "fail", 0),
                                          Part("6.12", "c", "skip", 0), Part("6.12", "d", "fail", 0)])

    def test_closing(self):
        "what has to be seen stands at the end"
        said, _ = total("1..1", "# closing: NO CLIENT", "ok 1 a # SKIP")
        self.assertEqual(said[-2:], ["# NO CLIENT", "0 passed, 0 failed, 1 skipped"])

    def test_at_once(self):
        "results pass at once, and a long part is said to be running"
        with subprocess.Popen([str(LAB / "results"), "total"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, bufsize=1, env=ENVIRONMENT) as process:
            try:
                process.stdin.write("1..2\n# part b\n")
                seen = [process.stdout.readline().strip() for _ in range(3)]
                self.assertRegex(seen[2], "# still running: b, for ")
                process.stdin.write("ok 1 a\n")
                while seen[-1].startswith("# still"):
                    seen.append(process.stdout.readline().strip())
                self.assertEqual(seen[-1], "ok 1 a")
            finally:
                process.kill()
