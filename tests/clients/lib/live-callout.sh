#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# live-callout.sh - tells mdevctl how the matrix of an mdev is changed while it is in use
#
# It stands in for ap-check of s390-tools, which Debian does not ship. Like that one, it turns the attributes of a configuration into masks and
# writes them to ap_config at once; unlike that one, it leaves all checks to the driver, so that the driver's answer is what the user gets.
type='' event='' action='' uuid=''
while getopts t:e:a:s:u:p: option; do
	case $option in
	t) type=$OPTARG ;;
	e) event=$OPTARG ;;
	a) action=$OPTARG ;;
	u) uuid=$OPTARG ;;
	*) ;;
	esac
done
attributes=/sys/bus/mdev/devices/$uuid

# assigned MASK: the names and numbers that one of the three masks of ap_config stands for
assigned() {
	cut -d , -f "$1" "$attributes/ap_config" | awk -v name="$2" '{
		for (i = 0; i < 256; i++) {
			nibble = index("0123456789abcdef", substr($0, 3 + int(i / 4), 1)) - 1
			if (int(nibble / substr("8421", i % 4 + 1, 1)) % 2)
				printf "%s\n", name ":" i
		}
	}'
}

# given NAME: the mask of all values of this attribute in the configuration that comes in
given() {
	for value in $(printf '%s\n' "$configuration" | grep -o "\"$1\": *\"[^\"]*\"" | sed 's/.*: *"\([^"]*\)"/\1/'); do
		echo $((value))
	done | awk '
		$1 < 0 || $1 > 255 { exit wrong = 1 }
		{ mask[int($1 / 4)] += substr("8421", $1 % 4 + 1, 1) }
		END {
			if (wrong)
				exit 1
			printf "0x"
			for (i = 0; i < 64; i++)
				printf "%x", mask[i]
		}'
}

[ "$type" = vfio_ap-passthrough ] || exit 2
# All that comes in is read, whether it is needed or not: mdevctl takes a pipe that breaks for a failure.
configuration=$(cat)
case $event-$action in
get-capabilities)
	echo '{"supports": {"version": 2,
		"actions": ["start", "stop", "define", "undefine", "modify", "attributes", "capabilities"],
		"events": ["pre", "post", "notify", "get", "live"]}}'
	;;
get-attributes)
	{
		assigned 1 assign_adapter
		assigned 2 assign_domain
		assigned 3 assign_control_domain
	} | awk -F : '
		{ printf "%s{\"%s\": \"%s\"}", NR == 1 ? "[" : ", ", $1, $2 }
		END { print NR ? "]" : "[]" }'
	;;
live-modify)
	masks=$(given assign_adapter),$(given assign_domain),$(given assign_control_domain)
	[ ${#masks} = 200 ] || exit 1
	# shellcheck disable=SC2320 # echo fails if the attribute refuses
	echo "$masks" >"$attributes/ap_config" || exit 1
	;;
esac
