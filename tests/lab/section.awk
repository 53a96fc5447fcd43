# SPDX-License-Identifier: GPL-2.0-only
# section.awk: a page with one of its sections "## Linux ..." replaced by another. Arguments: the new section, the page; -v kernel.
# What the page does not have yet goes to its end.

function new_one() {
	if (!done)
		printf "%s", section
	done = 1
}

FNR == 1 { file++ }
file == 1 { section = section $0 "\n"; next }
/^## / && old { print "" }
/^## / { old = $0 == "## Linux " kernel }
old { new_one(); next }
{ print }

END {
	if (!done)
		print ""
	new_one()
}
