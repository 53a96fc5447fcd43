#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# conformance - what the emulator promises about AP instructions
#
# The tests are in the KUnit module apemu_test, which init has loaded (lab.kunit=yes kunit.enable=1 kunit.autorun=1) before there was an AP bus to disturb them. KUnit
# keeps what they said, one KTAP stream for each suite.

results=/sys/kernel/debug/kunit/apemu/results

if [ ! -r "$results" ]; then
	echo "KTAP version 1"
	echo "1..1"
	echo "ok 1 conformance # SKIP the emulator's tests are not loaded (boot with lab.kunit=yes kunit.enable=1 kunit.autorun=1)"
	exit 4
fi
# The suite's own level is the second; parameters below it have no plan, and count in the result above them.
echo "KTAP version 1"
sed -n 's/^    \(1\.\.[0-9]*\)$/\1/p; s/^    \(ok [0-9].*\)$/\1/p; s/^    \(not ok [0-9].*\)$/\1/p; s/^        *\(not ok .*\)$/# \1/p' "$results"
! grep -q '^ *not ok ' "$results"
