#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A WARN somewhere in the kernel, while the test sees nothing of it.
echo "KTAP version 1"
echo "1..1"
insmod /lib/modules-lab/lkdtm.ko
echo WARNING >/sys/kernel/debug/provoke-crash/DIRECT
rmmod lkdtm
echo "ok 1 all is well"
