# SPDX-License-Identifier: GPL-2.0-only
# comparison.awk: Markdown about two sets of results (see harvest.awk; RUN in place of "case"), ours and the peer's, promise by promise.
# Arguments: tests/promises, results of ours, results of the peer; -v kernel, package, date, version, missing_runs, earlier_runs. Exit status 1 if any of ours is not good.

function name_of(id) {
	return id ~ /^(R|SPEC)/ ? id : substr(id, 1, index(id " ", " ") - 1)
}

# ids PROMISE LIST: the names in front of a description, "R-1, R-20: ..."; their number is returned
function ids(promise, list,   n, i, kind) {
	n = index(promise, ": ")
	n = split(n ? substr(promise, 1, n - 1) : "DESIGN", list, /, */)
	for (i = 1; i <= n; i++) {
		# "SPEC 1.8, 1.9" is short for two of SPEC
		if (list[i] ~ /^[0-9]/)
			list[i] = kind " " list[i]
		kind = substr(list[i], 1, index(list[i] " ", " ") - 1)
		list[i] = name_of(list[i])
		if (!(list[i] in title)) {
			title[list[i]] = ""
			order[++names] = list[i]
		}
	}
	return n
}

function text_of(promise) {
	sub(/^[^:]*: /, "", promise)
	gsub(/\|/, "\\|", promise)
	return promise
}

function cell(result, what) {
	gsub(/\|/, "\\|", what)
	gsub(/</, "\\&lt;", what)
	if (result == "ok")
		return "ok"
	if (result == "skip")
		return "skipped"
	if (result == "absent")
		return "not there: " what
	return result == "none" ? "**no result**" : "**fails**: " what
}

function share(id, side,   text) {
	text = good[side, id] + 0 " of " total[id]
	return missing[side, id] ? text ", " missing[side, id] " not there" : text
}

function some(number, what) {
	return number ? ", " number " " what : ""
}

BEGIN { FS = "\t" }

FNR == 1 { file++ }

file == 1 && !/^#/ {
	split($0, part, / *\| */)
	order[++names] = part[1]
	title[part[1]] = part[2]
	next
}

file == 1 { next }

{
	key = $1 SUBSEP $2 SUBSEP $3
	if (file == 2) {
		keys[++rows] = key
		run[key] = $1
		test[key] = $2
		promise[key] = $5
	}
	result[file, key] = $4
	what[file, key] = $6
}

END {
	for (i = 1; i <= rows; i++)
		weigh(keys[i])
	print "## Linux " kernel
	print ""
	print "`make compare KERNEL=" kernel "` on " date ": Debian's linux-source " package ", and version " version " of this module."
	print "Of " all " cases the driver in the kernel does " sum[3, "ok"] + 0 " as they want it, " sum[3, "absent"] + 0 " ask for something that it" \
		" does not have, " sum[3, "fail"] + 0 " fail" some(sum[3, "skip"], "it skips") some(sum[3, "none"], "have no result") "; ours does " \
		sum[2, "ok"] + 0 "."
	if (missing_runs != "")
		print "Not run:" missing_runs "."
	if (earlier_runs != "")
		print "Taken over from an earlier page:" earlier_runs "."
	print ""
	print "| promise | | in-kernel | ours |"
	print "|---|---|---|---|"
	for (i = 1; i <= names; i++)
		if (total[order[i]])
			print "| " order[i] " | " title[order[i]] " | " share(order[i], 3) " | " share(order[i], 2) " |"
	print ""
	print "| promise | case | run, test | in-kernel | ours |"
	print "|---|---|---|---|---|"
	for (i = 1; i <= names; i++)
		for (j = 1; j <= rows; j++)
			if (first[keys[j]] == order[i])
				print row(keys[j])
	exit sum[2, "ok"] != all
}

# weigh KEY: adds a case to the sums of all promises that it names; what neither side could do does not count
function weigh(key,   list, n, i, side) {
	n = ids(promise[key], list)
	first[key] = list[1]
	if (result[2, key] == "skip")
		return
	# What hangs a boot before it says anything has failed as well.
	if (result[3, key] == "") {
		result[3, key] = "fail"
		what[3, key] = "two boots with it came to no end"
	}
	all++
	for (side = 2; side <= 3; side++)
		sum[side, result[side, key]]++
	for (i = 1; i <= n; i++) {
		if (counted[key, list[i]]++)
			continue
		total[list[i]]++
		for (side = 2; side <= 3; side++) {
			good[side, list[i]] += result[side, key] == "ok"
			missing[side, list[i]] += result[side, key] == "absent"
		}
	}
}

function row(key,   names) {
	names = index(promise[key], ": ") ? substr(promise[key], 1, index(promise[key], ": ") - 1) : "DESIGN"
	return "| " names " | " text_of(promise[key]) " | " run[key] ", " test[key] " | " \
		cell(result[3, key], what[3, key]) " | " cell(result[2, key], what[2, key]) " |"
}
