#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# conformance - what the emulators promise about AP instructions and guest execution
#
# The tests are in the KUnit modules apemu_test, apsie_test and apuv_test. The first one init has loaded (lab.kunit=yes kunit.enable=1 kunit.autorun=1) before there was an AP bus to disturb it. KUnit
# keeps what they said, one KTAP stream for each suite.

suites=/sys/kernel/debug/kunit

if [ ! -r "$suites/apemu/results" ] || [ ! -r "$suites/apsie/results" ] || [ ! -r "$suites/apuv/results" ]; then
	echo "KTAP version 1"
	echo "1..1"
	echo "ok 1 conformance # SKIP the emulators' tests are not loaded (boot with lab.kunit=yes kunit.enable=1 kunit.autorun=1)"
	exit 4
fi
cat "$suites/apemu/results" "$suites/apsie/results" "$suites/apuv/results" >/tmp/conformance
# The suite's own level is the second; parameters below it have no plan, and count in the result above them.
echo "KTAP version 1"
awk '/^    1\.\.[0-9]+$/ { sub(/.*\.\./, ""); plan += $0 } END { print "1.." plan }' /tmp/conformance
awk '/^    ok [0-9]/ { $2 = ++n; print } /^    not ok [0-9]/ { $3 = ++n; print } /^     +not ok / { sub(/^ +/, "# "); print }' /tmp/conformance
! grep -q '^ *not ok ' /tmp/conformance
