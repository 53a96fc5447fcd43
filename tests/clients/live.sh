#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# live - the queues of an mdev are changed while a guest uses it: virsh nodedev-update --live, and driverctl
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh
# shellcheck source=lib/libvirt.sh
. /tests/lib/libvirt.sh

device=$(node_name "$first")

# configure ATTRIBUTE...: the XML of the mdev with these attributes, as name=value
configure() {
	{
		printf '%s\n' '<device>' "  <name>$device</name>" '  <parent>ap_matrix</parent>' "  <capability type='mdev'>" \
			"    <type id='vfio_ap-passthrough'/>" "    <uuid>$first</uuid>"
		for attr; do
			printf "    <attr name='%s' value='%s'/>\n" "${attr%%=*}" "${attr#*=}"
		done
		printf '%s\n' '  </capability>' '</device>'
	} >"$work/node.xml"
	note "$(cat "$work/node.xml")"
}

# update ATTRIBUTE...
update() {
	configure "$@"
	nodes nodedev-update "$device" "$work/node.xml" --live
}

# has QUEUES [CONTROL_DOMAINS]: exactly these, assigned and passed through
has() {
	holds "$mdevs/$first/matrix" "$1"
	soon 10 sh -c "[ \"\$(tr '\\n' ' ' <$mdevs/$first/guest_matrix | sed 's/ \$//')\" = '$1' ]" || :
	holds "$mdevs/$first/guest_matrix" "$1"
	holds "$mdevs/$first/control_domains" "${2-}"
}

# conflicts WHAT ATTRIBUTE...: the update fails and changes nothing
conflicts() {
	what=$1
	shift
	before=$(cat "$mdevs/$first/ap_config")
	if update "$@"; then
		fail "$what: it should have been refused"
	fi
	same "ap_config after: $what" "$before" "$(cat "$mdevs/$first/ap_config")"
	has "03.0004 03.0011 05.0004 05.0011"
}

# rc ADDRESS: the response code in a status word of the guest
rc() {
	/tests/lib/qmp "$work/guest.qmp" '{"execute": "human-monitor-command", "arguments": {"command-line": "xp /1gx '"$1"'"}}' |
		sed -n 's/.*0x\([0-9a-f]*\)[^0-9a-fx]*"}.*/\1/p' | cut -c 11-12
}

# answers_with ADDRESS RC
answers_with() {
	[ "$(rc "$1")" = "$2" ]
}

# bound_to QUEUE DRIVER
bound_to() {
	[ "$(basename "$(readlink "/sys/bus/ap/devices/$1/driver")")" = "$2" ]
}

plan 6

begin "an mdev without queues is attached to a guest of libvirt"
mkdir -p /usr/lib/mdevctl/scripts.d/callouts
must cp /tests/lib/live-callout.sh /usr/lib/mdevctl/scripts.d/callouts/
must chmod 755 /usr/lib/mdevctl/scripts.d/callouts/live-callout.sh
must /usr/lib/mdevctl/scripts.d/callouts/live-callout.sh -t vfio_ap-passthrough -e get -a capabilities -s none -u "$first" -p matrix
start_libvirt
soon 30 listed ap_matrix --cap ap_matrix || fail "no ap_matrix"
configure
nodes nodedev-define "$work/node.xml" || fail "nodedev-define"
soon 20 listed "$device" --inactive --cap mdev || fail "it is not among the inactive ones"
nodes nodedev-start "$device" || fail "nodedev-start"
soon 20 listed "$device" --cap mdev || fail "it is not among the active ones"
cat >"$work/guest.xml" <<END
<domain type='kvm'>
  <name>guest</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='s390x' machine='s390-ccw-virtio'>hvm</type></os>
  <cpu mode='host-passthrough'/>
  <devices>
    <emulator>/usr/bin/qemu-system-s390x</emulator>
    <memballoon model='none'/>
    <hostdev mode='subsystem' type='mdev' model='vfio-ap'>
      <source><address uuid='$first'/></source>
    </hostdev>
  </devices>
</domain>
END
guests create "$work/guest.xml" --paused || fail "create"
has ""
logs
end
# Without the guest there is nothing to be seen.
[ "$failed" = 0 ] || finish

begin "nodedev-update --live from no queue to one"
update assign_adapter=5 assign_domain=4 || fail "nodedev-update"
has "05.0004"
soon 10 grep -qx "in use" /sys/devices/ap/card05/05.0004/status || fail "05.0004 is not in use"
logs
end

begin "nodedev-update --live from some queues to others, with a control domain"
update assign_adapter=1 assign_adapter=5 assign_domain=4 assign_domain=0x11 assign_control_domain=0x22 || fail "nodedev-update"
has "01.0004 01.0011 05.0004 05.0011" 0022
update assign_adapter=3 assign_adapter=5 assign_domain=4 assign_domain=0x11 || fail "nodedev-update"
has "03.0004 03.0011 05.0004 05.0011"
nodes nodedev-dumpxml "$device" || fail "nodedev-dumpxml"
logs
end

begin "an update with an APQN of another mdev, with one of the host, or with something that is no adapter, is refused"
plug "$second" 6 0x47
conflicts "a queue of another mdev" assign_adapter=3 assign_adapter=5 assign_adapter=6 assign_domain=4 assign_domain=0x47
put /sys/bus/ap/apmask +1 || fail "apmask"
conflicts "a queue of the host" assign_adapter=1 assign_adapter=5 assign_domain=4
put /sys/bus/ap/apmask -1 || fail "apmask"
conflicts "no adapter" assign_adapter=5 assign_adapter=256 assign_domain=4
unplug "$second"
logs
end

begin "nodedev-update --live from some queues to none"
update assign_adapter=5 assign_domain=4 || fail "nodedev-update"
has "05.0004"
update || fail "nodedev-update"
has ""
soon 10 grep -qx unassigned /sys/devices/ap/card05/05.0004/status || fail "05.0004 is not unassigned"
guests list || fail "list"
said 'guest +paused'
guests destroy guest || fail "destroy"
soon 20 nodes nodedev-destroy "$device" || fail "nodedev-destroy"
nodes nodedev-undefine "$device" || fail "nodedev-undefine"
logs
end

story="driverctl set-override gives a guest its queue, and unset-override takes it back"
if [ ! -e /sys/bus/ap/devices/05.0004/driver_override ]; then
	skip "$story" "the AP bus of this kernel has no driver_override"
	finish
fi
begin "$story"
for mask in apmask aqmask; do
	put "/sys/bus/ap/$mask" 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff || fail "$mask"
done
soon 10 bound_to 05.0004 cex4queue || fail "the host does not have 05.0004"
must driverctl -b ap set-override 05.0004 vfio_ap
bound_to 05.0004 vfio_ap || fail "vfio_ap does not have 05.0004"
plug "$first" 5 4
power_on guest -device "$(by_iommufd "$first")" -kernel /tests/lib/guest || fail "QEMU does not start"
qmp guest '{"execute": "cont"}' || fail "cont"
soon 30 answers_with 0x3000 00 || fail "TAPQ of 05.0004 ended with $(rc 0x3000)"
must driverctl -b ap unset-override 05.0004
soon 10 bound_to 05.0004 cex4queue || fail "the host has not got 05.0004 back"
soon 10 answers_with 0x3000 01 || fail "TAPQ of 05.0004 ended with $(rc 0x3000)"
holds "$mdevs/$first/matrix" "05.0004"
holds "$mdevs/$first/withheld" "05 05.0004 unbound"
quiet guest
power_off guest
unplug "$first"
put /sys/bus/ap/apmask 0x0
logs
end

finish
