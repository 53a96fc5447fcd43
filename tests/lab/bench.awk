# SPDX-License-Identifier: GPL-2.0-only
# bench.awk: what `bench` measured, as Markdown. Arguments: tests/bench/remarks, the results, "ROUND|WHO|GROUP|what|value|unit" (two rounds).
# -v part=table   for each group a table: ours, in-kernel, ratio
# -v part=worse   where ours is not better, and why, as far as the remarks tell
# -v part=repeat  how far the two rounds are apart

function human(v, unit) {
	if (v == "")
		return "-"
	if (unit != "ns")
		return v " " unit
	if (v < 10000)
		return v " ns"
	if (v < 10000000)
		return sprintf("%.1f us", v / 1000)
	return sprintf("%.1f ms", v / 1000000)
}

# counts A B UNIT NAME: does A count and not B? Of the longest time the longest, of others the least; of a rate the highest.
function counts(a, b, unit, name) {
	return unit == "1/s" || name ~ /^held at most:/ ? a > b : a < b
}

# more than 1 is in our favour; "" if there is nothing to divide
function ratio(o, p, unit) {
	return o + 0 > 0 && p + 0 > 0 ? (unit == "1/s" ? o / p : p / o) : ""
}

function is_count(unit) {
	return unit == "PQAPs" || unit == "APCB updates"
}

# both KEY UNIT: "ours / in-kernel" of what was counted along with a row
function both(name, unit) {
	if (!(("ours", name, unit) in value) && !(("in-kernel", name, unit) in value))
		return ""
	return value["ours", name, unit] " / " value["in-kernel", name, unit]
}

BEGIN { FS = "|" }

FNR == 1 { file++ }

file == 1 && !/^#/ && NF {
	split($0, one, / +\| +/)
	pattern[++remarks] = one[1]
	remark[remarks] = one[2]
}
file == 1 { next }

{
	who = $2; group = $3; name = $4; v = $5; unit = $6
	if (!((name, unit) in seen)) {
		seen[name, unit] = 1
		order[++rows] = name
		units[rows] = unit
		groups[rows] = group
	}
	if (!((who, name, unit) in value) || counts(v, value[who, name, unit], unit, name))
		value[who, name, unit] = v
	if (unit == "ns" || unit == "1/s") {
		if ((who, name) in earlier)
			compare(who, name, earlier[who, name], v)
		else
			earlier[who, name] = v
	}
}

function compare(who, name, a, b,   apart) {
	apart = (a > b ? a - b : b - a) * 100 / (a < b ? a : b)
	compared++
	if (apart > 1) {
		beyond++
		list = list sprintf("\n* %s, %s: %.1f %%", name, who, apart)
	}
	if (apart >= largest) {
		largest = apart
		culprit = name ", " who
	}
}

END {
	if (part == "table")
		tables()
	else if (part == "worse")
		worse()
	else
		repeats()
}

function tables(   i, last, r) {
	for (i = 1; i <= rows; i++) {
		if (is_count(units[i]))
			continue
		if (groups[i] != last)
			printf "%s### %s\n\n| | ours | in-kernel | ratio | PQAPs | APCB updates |\n|---|---|---|---|---|---|\n", last == "" ? "" : "\n", groups[i]
		last = groups[i]
		r = ratio(value["ours", order[i], units[i]], value["in-kernel", order[i], units[i]], units[i])
		printf "| %s | %s | %s | %s | %s | %s |\n", order[i], human(value["ours", order[i], units[i]], units[i]),
			human(value["in-kernel", order[i], units[i]], units[i]), r == "" ? "-" : sprintf("%.2f", r),
			both(order[i], "PQAPs"), both(order[i], "APCB updates")
	}
}

# reason NAME: the remark about that row, or none
function reason(name,   i) {
	for (i = 1; i <= remarks; i++)
		if (name ~ "^" pattern[i] "$")
			return i
	return 0
}

function worse(   i, r, why, n) {
	for (i = 1; i <= rows; i++) {
		r = ratio(value["ours", order[i], units[i]], value["in-kernel", order[i], units[i]], units[i])
		if (r == "" || r >= 0.995)
			continue
		why = reason(order[i])
		found[why] = found[why] (found[why] == "" ? "" : "; ") sprintf("%s%s (%.2f)", order[i], is_count(units[i]) ? ", " units[i] : "", r)
		n++
	}
	for (i = 1; i <= remarks; i++)
		if (found[i] != "")
			print "* *" found[i] "*: " remark[i]
	if (found[0] != "")
		print "* *" found[0] "*: no reason is known."
	if (!n)
		print "Nowhere."
}

function repeats() {
	if (!compared) {
		print "No time was measured twice."
		return
	}
	printf "%d times and rates were measured in two boots, %d of them repeat within 1 %%; the largest deviation is %.1f %% (%s).\n",
		compared, compared - beyond, largest, culprit
	if (beyond)
		print "Beyond 1 %:\n" list
}
