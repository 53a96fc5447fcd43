#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# mdevctl - mdevs as most administrators make them
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

type=vfio_ap-passthrough

# configuration VALUE...: what mdevctl keeps for an mdev, with attributes in this order: name=value
configuration() {
	start=$1
	shift
	printf '{"mdev_type": "%s", "start": "%s", "attrs": [' "$type" "$start"
	comma=
	for attr; do
		printf '%s{"%s": "%s"}' "$comma" "${attr%%=*}" "${attr#*=}"
		comma=', '
	done
	printf ']}\n'
}

# define UUID START ATTRIBUTE...
define() {
	uuid=$1
	shift
	configuration "$@" >"$work/json"
	note "\$ cat json"
	note "$(cat "$work/json")"
	must mdevctl define -u "$uuid" -p matrix --jsonfile "$work/json"
}

undefine() {
	! mdevctl list -d -u "$1" | grep -q "$1" || must mdevctl undefine -u "$1"
}

# The tool wants its directories, which the package's installation would have made.
mkdir -p /etc/mdevctl.d /usr/lib/mdevctl/scripts.d/callouts /usr/lib/mdevctl/scripts.d/notifiers

plan 7

begin "mdevctl types shows the parent, the type and how many are left"
must mdevctl types
said '^matrix$' '^ *vfio_ap-passthrough$' 'Available instances: 65536' 'Device API: vfio-ap' 'Name: VFIO AP Passthrough Device'
end

begin "mdevctl define and start: attributes are written in their order, and the guest is ready"
define "$first" manual assign_adapter=5 assign_domain=0x4 assign_adapter=0x6 assign_domain=17 assign_control_domain=0x22
must mdevctl start -u "$first"
holds "$mdevs/$first/matrix" "05.0004 05.0011 06.0004 06.0011"
holds "$mdevs/$first/control_domains" "0022"
must mdevctl list
said "$first matrix $type manual"
must mdevctl types
said 'Available instances: 65535'
must mdevctl stop -u "$first"
[ ! -e "$mdevs/$first" ] || fail "it is still there"
undefine "$first"
end

begin "mdevctl start with ap_config: everything in one write"
define "$first" manual "ap_config=0x04,0x08004,0x08"
must mdevctl start -u "$first"
holds "$mdevs/$first/matrix" "05.0004 05.0011"
must mdevctl stop -u "$first"
undefine "$first"
end

begin "mdevctl start rolls back when an attribute is refused, and says why"
plug "$second" 5 4
define "$first" manual assign_adapter=3 assign_domain=0x11 assign_adapter=5 assign_domain=4
refused mdevctl start -u "$first"
said 'Address already in use'
[ ! -e "$mdevs/$first" ] || fail "half of it is still there"
holds "$mdevs/$second/matrix" "05.0004"
undefine "$first"
define "$first" manual assign_adapter=256
refused mdevctl start -u "$first"
said 'No such device'
[ ! -e "$mdevs/$first" ] || fail "half of it is still there"
undefine "$first"
unplug "$second"
end

begin "mdevctl start of what the host has reserved is refused"
put /sys/bus/ap/apmask +3 || fail "apmask"
put /sys/bus/ap/aqmask +0x11 || fail "aqmask"
define "$first" manual assign_adapter=3 assign_domain=0x11
refused mdevctl start -u "$first"
said 'Cannot assign requested address|Address not available'
[ ! -e "$mdevs/$first" ] || fail "half of it is still there"
undefine "$first"
put /sys/bus/ap/apmask 0x0 || fail "apmask"
end

# Debian has no ap-check. Without it mdevctl does not know what an mdev has.
if [ -x /usr/lib/mdevctl/scripts.d/callouts/ap-check ]; then
	begin "mdevctl lists attributes and modifies a live mdev through ap-check"
	define "$first" manual assign_adapter=5 assign_domain=4
	must mdevctl start -u "$first"
	must mdevctl list -u "$first" -v
	said assign_adapter assign_domain
	must mdevctl modify -u "$first" --live --addattr assign_domain --value 0x11
	holds "$mdevs/$first/matrix" "05.0004 05.0011"
	must mdevctl stop -u "$first"
	undefine "$first"
	end
else
	skip "mdevctl lists attributes and modifies a live mdev through ap-check" "no ap-check in this Debian package of s390-tools"
fi

begin "mdevctl stop while a QEMU has the mdev: QEMU gives it back, and goes on"
define "$first" manual assign_adapter=5 assign_domain=4
must mdevctl start -u "$first"
power_on guest -device "$(by_iommufd "$first")" || fail "QEMU does not start"
watch_events guest
must mdevctl stop -u "$first"
[ ! -e "$mdevs/$first" ] || fail "it is still there"
soon 10 grep -q DEVICE_DELETED "$work/guest.events" || fail "QEMU says nothing of it"
unplugged guest || fail "QEMU believes that it still has it"
quiet guest
power_off guest
undefine "$first"
end

finish
