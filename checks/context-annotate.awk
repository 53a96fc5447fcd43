# SPDX-License-Identifier: GPL-2.0-only
# context-annotate TABLE... SOURCE: SOURCE with attributes at the prototypes of functions. A line of a table is a function and its attributes;
# the first table that has a function counts.

FNR == 1 { file++ }

file < ARGC - 1 {
	if ($0 !~ /^#/ && NF > 1 && !($1 in attributes)) {
		name = $1
		sub(/^[^ \t]+[ \t]+/, "")
		attributes[name] = $0
	}
	next
}

/^[a-z][a-z0-9_ *]*\(/ {
	name = substr($0, 1, index($0, "(") - 1)
	sub(/.*[ *]/, "", name)
	wanted = name in attributes ? attributes[name] : ""
}

wanted != "" && /\);?$/ {
	end = sub(/;$/, "") ? ";" : ""
	$0 = $0 " " wanted end
	wanted = ""
}

{ print }
