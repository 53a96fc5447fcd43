# SPDX-License-Identifier: GPL-2.0-only
# carried.awk: results of earlier days, out of a page that comparison.awk made: those of one line of tests/runs, as comparison.awk reads them.
# Argument: the page; -v kernel, run (the name of the line), side (4 in-kernel, 5 ours)

/^## / { inside = $0 == "## Linux " kernel; next }
!inside || !/^\| .* \| .* \| [a-z-]+, [a-z_]+ \| .* \| .* \|$/ { next }

{
	gsub(/\\\|/, "\001")
	n = split(substr($0, 3, length($0) - 4), cell, / \| /)
	split(cell[3], where, ", ")
	if (n != 5 || where[1] != run)
		next
	promise = (cell[1] == "DESIGN" ? "" : cell[1] ": ") cell[2]
	print where[1] "\t" where[2] "\t" ++number "\t" meaning(cell[side]) "\t" plain(promise) "\t" plain(what)
}

# meaning TEXT: a result, and what is to say about it goes to `what`
function meaning(text) {
	what = ""
	if (text == "ok")
		return "ok"
	if (text == "skipped")
		return "skip"
	what = text
	if (sub(/^not there: /, "", what))
		return "absent"
	return sub(/^\*\*fails\*\*: /, "", what) ? "fail" : "none"
}

function plain(text) {
	gsub(/\001/, "|", text)
	gsub(/&lt;/, "<", text)
	return text
}
