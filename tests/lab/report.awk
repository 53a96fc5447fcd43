# SPDX-License-Identifier: GPL-2.0-only
# report.awk: turns what a boot reported into nested KTAP: one result per test that was wanted, numbered, in that order.
# -v wanted="a b c": the tests of this boot. A test is good if it said so in every way it can: exit status, results, plans.

function complain(text) {
	print "  # verdict: " text
	bad = 1
}

# close_down(LEVEL): all blocks nested deeper than LEVEL are over; as many results as planned must be there
function close_down(level) {
	for (; deepest > level; deepest--) {
		if (deepest in plan && plan[deepest] != count[deepest])
			complain("planned " plan[deepest] " results, saw " count[deepest] + 0)
		delete plan[deepest]
		delete count[deepest]
	}
}

function begin(name) {
	test = name
	bad = failed = results = 0
	deepest = -1
	delete plan
	delete count
}

function planned(level, number) {
	close_down(level)
	if (level in plan)
		complain("a second plan without an end of the first")
	plan[level] = number
	count[level] = 0
	deepest = level
	if (level == 0)
		results = 1
}

function result(level, good, number) {
	close_down(level)
	if (!(level in plan)) {
		complain("result without a plan: " $0)
		return
	}
	if (number != ++count[level])
		complain("result number " number " where " count[level] " was expected")
	if (!good)
		failed = 1
}

function finish(status) {
	close_down(-1)
	if (!results && status != 4)
		complain("no plan, so no result")
	if (status == 0 && failed)
		complain("exit status 0, but a result was not ok")
	if (status != 0 && status != 4)
		complain("exit status " status (status == 143 || status == 137 ? " (timed out or killed)" : ""))
	verdict[test] = failed || bad ? "not ok" : "ok"
	if (status == 4)
		skip[test] = " # SKIP all of it"
	print_result(test)
	test = ""
}

# print_result(NAME): in the order that was wanted; a test that came out of turn does not count
function print_result(name) {
	shown++
	if (order[shown] != name)
		verdict[name] = "not ok"
	print verdict[name] " " shown " " name skip[name]
	if (verdict[name] != "ok")
		broken = 1
}

BEGIN {
	total = split(wanted, order, " ")
	print "KTAP version 1"
	print "1.." total + 1
}

{ sub(/\r$/, "") }

/^lab: begin / && test == "" { begin($3); next }
/^lab: end / && test == $3 { finish($4); next }
test == "" { next }

{ print "  " $0 }

/^ *1\.\.[0-9]+/ {
	match($0, /^ */)
	level = RLENGTH / 2
	number = $1
	sub(/1\.\./, "", number)
	planned(level, number + 0)
}

/^ *(not )?ok [0-9]+/ {
	match($0, /^ */)
	level = RLENGTH / 2
	good = $1 == "ok"
	result(level, good, (good ? $2 : $3) + 0)
}

END {
	if (test != "") {
		complain("it never ended")
		verdict[test] = "not ok"
		print_result(test)
	}
	while (shown < total) {
		print "  # verdict: it never began"
		shown++
		print "not ok " shown " " order[shown]
		broken = 1
	}
	exit broken
}
