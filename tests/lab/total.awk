# SPDX-License-Identifier: GPL-2.0-only
# total.awk: passes KTAP through and ends it with one plain line: N passed, N failed[, N skipped]; exit status 1 if anything failed.
# A result that only sums up nested ones is not counted, unless it is bad and none of them is. A plan that was not kept is bad.

# close_down(LEVEL): everything nested deeper than LEVEL is over; says whether anything in there was bad
function close_down(level, found) {
	for (; deepest > level; deepest--) {
		if (deepest in plan && plan[deepest] != count[deepest]) {
			print "# planned " plan[deepest] " results, saw " count[deepest] + 0
			failed++
			bad[deepest] = 1
		}
		found = found || bad[deepest]
		delete plan[deepest]
		delete count[deepest]
		delete bad[deepest]
	}
	return found
}

BEGIN { deepest = -1 }

{
	print
	fflush()
}

/^ *1\.\.[0-9]+/ {
	match($0, /^ */)
	plan[RLENGTH] = substr($1, 4) + 0
	if (RLENGTH > deepest)
		deepest = RLENGTH
	if (RLENGTH == 0)
		planned = plan[0]
}

/^ *(not )?ok [0-9]+/ {
	match($0, /^ */)
	level = RLENGTH
	good = $1 == "ok"
	nested = deepest > level
	bad_below = close_down(level)
	if (level > deepest)
		deepest = level
	count[level]++
	if (!good && !bad_below)
		failed++
	else if (!nested && good && /# SKIP/)
		skipped++
	else if (!nested && good)
		passed++
	if (!good || bad_below)
		bad[level] = 1
}

END {
	if (planned == "") {
		print "# no plan, so no result"
		failed++
	}
	close_down(-1)
	printf "%d passed, %d failed", passed, failed
	if (skipped)
		printf ", %d skipped", skipped
	print ""
	exit failed > 0
}
