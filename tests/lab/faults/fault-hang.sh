#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The test never comes back, and does not mind being asked to.
echo "KTAP version 1"
echo "1..1"
echo "ok 1 all is well"
trap '' TERM
while :; do
	sleep 1
done
