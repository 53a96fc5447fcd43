# SPDX-License-Identifier: GPL-2.0-only
"""Runs the unit tests, and reports each as a KTAP result when it has ended."""

from __future__ import annotations

import traceback
import unittest
from pathlib import Path

# In the environment: the directory of a real boot without a fault
GOOD_BOOT = "VFIO_AP_LAB_GOOD_BOOT"


def all_tests(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    found: list[unittest.TestCase] = []
    for test in suite:
        found += all_tests(test) if isinstance(test, unittest.TestSuite) else [test]
    return found


def name_of(test: unittest.TestCase) -> str:
    *_, module, _, _ = test.id().split(".")
    return f"{module.removeprefix('test_')}: {test.shortDescription() or test.id()}"


class KtapResult(unittest.TestResult):
    number = 0

    def report(self, test: unittest.TestCase, good: bool, suffix: str = "", error=None) -> None:
        self.number += 1
        if error:
            for line in "".join(traceback.format_exception(*error)).splitlines():
                print(f"# {line}")
        print(f"{'' if good else 'not '}ok {self.number} {name_of(test)}{suffix}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.report(test, True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.report(test, False, error=err)

    def addError(self, test, err):
        super().addError(test, err)
        self.report(test, False, error=err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.report(test, True, f" # SKIP {reason}")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            print(f"# {subtest}")
            self.report(test, False, error=err)


def run() -> int:
    package = __name__.rpartition(".")[0]
    here = Path(__file__).parent
    suite = unittest.TestSuite()
    for file in sorted(here.glob("test_*.py")):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromName(f"{package}.{file.stem}"))
    tests = all_tests(suite)
    print(f"KTAP version 1\n1..{len(tests)}", flush=True)
    result = KtapResult()
    unittest.TestSuite(tests).run(result)
    return int(not result.wasSuccessful() or not tests)
