# SPDX-License-Identifier: GPL-2.0-only
"""The tests of the package report: `tests/lab/results selftest`."""
