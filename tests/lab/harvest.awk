# SPDX-License-Identifier: GPL-2.0-only
# harvest.awk: what a boot says about each case of its tests, for `compare`. Reads `want`, `report` and `console` of the boot, in this order.
# Prints, separated by tabs,
#     case TEST NUMBER ok|fail|skip|absent PROMISE WHAT-WAS-SEEN      a result that counts
#     todo TEST[:NUMBER+NUMBER...]                                    what has to be tried again in a fresh boot
# After a case that broke the kernel, or left something behind, a result in the same boot says nothing about the driver any more.
# -v early=1 prints nothing: exit status 1 if that is so already, of a boot that is still running.

# A kernel log line as a short phrase
function phrase(line) {
	sub(/^\[[^]]*\] */, "", line)
	sub(/\r$/, "", line)
	if (line ~ /^WARNING: (CPU|[^ ]+:[0-9]+ at)/ && match(line, /[A-Za-z_0-9.]+\+0x/))
		return "WARN in " substr(line, RSTART, RLENGTH - 3) "()"
	sub(/^INFO: task .* blocked/, "a task is blocked", line)
	sub(/^WARNING: possible/, "lockdep: possible", line)
	return line
}

function short(text) {
	return length(text) > 60 ? substr(text, 1, 57) "..." : text
}

function begin_test(whole,   list, i) {
	name = test = whole
	sub(/:.*/, "", test)
	delete numbers
	asked = 0
	if (index(name, ":")) {
		asked = split(substr(name, index(name, ":") + 1), list, "+")
		for (i = 1; i <= asked; i++)
			numbers[i] = list[i]
	}
	seen = 0
	planned = -1
	begin_case()
}

function begin_case() {
	splat = broken = excuse = absent = ""
	dirty = 0
}

# The number in the test's own list of its nth case in this boot
function number_of(n) {
	return asked ? numbers[n] : n
}

function again(n) {
	todo = todo (todo == "" ? "" : "+") number_of(n)
}

function count(n, result, promise, what) {
	gsub(/\t/, " ", what)
	counted[++results] = "case\t" test "\t" number_of(n) "\t" result "\t" promise "\t" what
	if (result == "fail")
		suspect = results
}

function end_case(good, promise, skipped) {
	seen++
	if (good && !lost)
		count(seen, skipped ? "skip" : "ok", promise, "")
	else if (lost)
		again(seen)
	else if (broken == "" && splat == "" && absent != "")
		count(seen, "absent", promise, absent)
	else
		count(seen, "fail", promise, broken (broken != "" && splat != "" ? "; " : "") (splat != "" ? phrase(splat) : ""))
	lost = lost || !good && dirty
	begin_case()
}

# blame HOW: a case that failed, and was not noticed to have broken anything, is the first suspect
function blame(how) {
	if (suspect && !lost)
		counted[suspect] = counted[suspect] "; soon after: " how
	lost = 1
}

# The test ended before its plan was kept: the case that was running is to blame for it, if there is no other suspect in this boot.
function end_test(how) {
	if (planned < 0) {
		left[++rest] = name
		blame(how)
		return
	}
	if (seen < planned) {
		seen++
		if (lost || suspect)
			again(seen)
		else {
			count(seen, "fail", "", how)
			lost = 1
		}
		blame(how)
	}
	while (seen < planned)
		again(++seen)
	if (todo != "")
		left[++rest] = test ":" todo
	todo = ""
	test = ""
}

# fate: why a boot did not come to its end, by its kernel log and by how QEMU ended
function fate() {
	if (bad != "")
		return phrase(bad) (place != "" && !index(bad, place) ? " in " place "()" : "") (quiet ? ", then no end within " quiet " s" : "")
	if (quiet)
		return "hung, no end within " quiet " s"
	return "the machine stopped"
}

{ sub(/\r$/, "") }

FNR == 1 { part++ }

part == 1 && $1 == "tests" { wanted = $0 }
part == 1 && $1 == "quiet" { quiet = $2 }
# The kernel log is read as well before anything is judged; the report is kept until then.
part == 2 { report[++lines] = $0; next }

/lab: case / { bad = place = ""; next }
/Unable to handle kernel|kernel BUG at|BUG: |Kernel panic/ && bad == "" { bad = $0 }
/WARNING: |INFO: task .* blocked|list_(add|del) corruption/ && bad == "" { bad = $0 }
/Krnl PSW/ && bad != "" && place == "" && match($0, /\([a-z_0-9]+\+/) { place = substr($0, RSTART + 1, RLENGTH - 2) }

END {
	for (i = 1; i <= lines; i++)
		tell(report[i])
	if (early)
		exit lost
	if (test != "")
		end_test(fate())
	for (i = 1; i <= results; i++)
		print counted[i]
	n = split(wanted, names, " ")
	for (i = 2; i <= n; i++)
		if (!(names[i] in begun))
			left[++rest] = names[i]
	for (i = 1; i <= rest; i++)
		print "todo\t" left[i]
}

function tell(line,   word, text) {
	split(line, word, " ")
	if (line ~ /^lab: begin /) {
		begun[word[3]] = 1
		begin_test(word[3])
	} else if (line ~ /^lab: end /) {
		end_test(word[4] == 143 || word[4] == 137 ? "hung, it had to be killed" : "the test ended with status " word[4])
	} else if (test == "") {
		return
	} else if (line ~ /^1\.\.[0-9]+/) {
		planned = substr(word[1], 4) + 0
	} else if (line ~ /^# kernel: /) {
		if (splat == "")
			splat = substr(line, 11)
		# A plain WARN and a report about a task that waits go on; lockdep is off after it has reported, and the rest is worse.
		if (line !~ /WARNING: (CPU|[^ ]+:[0-9]+ at)|INFO: task .* blocked/)
			dirty = 1
	} else if (line ~ /^# NOT THERE: /) {
		absent = substr(line, 14)
		excuse = 1
	} else if (line ~ /^# BROKEN PROMISE \(hang\): /) {
		# Nothing else that was seen to go wrong is as bad, and what comes after it is its consequence.
		broken = substr(line, 26)
		waiting = 0
	} else if (line ~ /^# BROKEN PROMISE /) {
		if (line ~ /\(world\.c:|a closed mediated device can be removed|R-28: .* is gone/)
			dirty = 1
		text = line
		sub(/^# BROKEN PROMISE \([^)]*\): /, "", text)
		if (!excuse && broken == "" && text !~ /nothing to complain about/) {
			broken = "\"" text "\""
			waiting = 1
		}
		excuse = ""
	} else if (waiting && line ~ / is not so$/) {
		broken = broken " is not so"
		waiting = 0
	} else if (waiting && line ~ /: expected .*, observed /) {
		text = line
		sub(/.*: expected /, "", text)
		broken = broken ": expected " text
		waiting = 0
	} else if (waiting && line ~ /^#     observed /) {
		broken = broken ": observed " short(substr(line, 16))
		waiting = 0
	} else if (line ~ /^(not )?ok [0-9]+ /) {
		text = line
		sub(/^(not )?ok [0-9]+ /, "", text)
		sub(/ # SKIP.*/, "", text)
		end_case(word[1] == "ok", text, line ~ /# SKIP/)
		waiting = 0
	}
}
