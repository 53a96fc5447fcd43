// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
MODULE_DESCRIPTION("AP hardware emulator: conformance tests");
MODULE_LICENSE("GPL");
