/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For coccinelle, which does not read the kernel's headers: what looks like a
 * call and is more than that. A guard becomes a call that calls.cocci knows.
 */
#define scoped_guard(kind, ...) while (scoped_##kind(__VA_ARGS__))
#define guard(kind) guard_##kind
#define ap_mask_for_each(...) while (1)
#define list_for_each_entry(...) while (1)
#define list_for_each_entry_safe(...) while (1)
