#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel panics after the test has said that all is well.
echo "KTAP version 1"
echo "1..1"
echo "ok 1 all is well"
insmod /lib/modules-lab/lkdtm.ko
echo PANIC >/sys/kernel/debug/provoke-crash/DIRECT
