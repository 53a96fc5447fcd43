# SPDX-License-Identifier: GPL-2.0-only
# context-demands: "FUNCTION __must_hold(LOCKS)" of each function that asserts locks with lockdep_assert_held()

/^[a-z][a-z0-9_ *]*\(/ {
	name = substr($0, 1, index($0, "(") - 1)
	sub(/.*[ *]/, "", name)
}

/^}/ { name = "" }

name != "" && match($0, /lockdep_assert_held\(/) {
	lock = substr($0, RSTART + RLENGTH)
	sub(/\);.*/, "", lock)
	locks[name] = locks[name] (locks[name] == "" ? "" : ", ") lock
}

END {
	for (name in locks)
		print name, "__must_hold(" locks[name] ")"
}
