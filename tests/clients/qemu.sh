#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# qemu - QEMU with a vfio-ap device, through the legacy group and through iommufd
#
# QEMU runs with -accel kvm -cpu host -S: it sets up, plugs, resets and unplugs everything; its guest just never starts.
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

# Long enough to be looked at from all sides while it lasts, also on a busy machine. A driver that waits for it answers before qmp gives up.
slow_seconds=50

# monitor_add WAY UUID: the same with device_add
monitor_add() {
	iommufd=
	[ "$1" = by_group ] || iommufd=', "iommufd": "iommufd0"'
	qmp guest "{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"vfio-ap\", \"id\": \"ap\", \"sysfsdev\": \"$mdevs/$2\"$iommufd}}"
}

monitor_del() {
	qmp guest '{"execute": "device_del", "arguments": {"id": "ap"}}'
}

# in_use APQN: says the queue's own status
in_use() {
	grep -qx 'in use' "/sys/devices/ap/card${1%.*}/$1/status"
}

free() {
	! in_use "$1"
}

# resetting NUMBER: that many queues have a reset in progress
resetting() {
	[ "$(sed -n 's/^resetting: //p' "$apemu")" -ge "$1" ]
}

qemu_version() {
	qemu-system-s390x --version | sed -n 's/.*version \([0-9]*\.[0-9]*\)\..*/\1/p'
}

cold_plug() {
	plug "$first" 3,5 4,0x11
	power_on guest -device "$("$1" "$first")" || fail "QEMU does not start"
	plugged guest || fail "no vfio-ap in QEMU"
	in_use 05.0011 || fail "the queue is not in use"
	qmp guest '{"execute": "system_reset"}' || fail "system_reset"
	in_use 05.0011 || fail "the queue is not in use after the reset"
	power_off guest
	quiet guest
	soon 10 free 05.0011 || fail "the queue is still in use"
	unplug "$first"
}

hot_plug() {
	plug "$first" 5 4
	power_on guest || fail "QEMU does not start"
	for _ in 1 2 3; do
		monitor_add "$1" "$first" || fail "device_add"
		in_use 05.0004 || fail "the queue is not in use"
		qmp guest '{"execute": "system_reset"}' || fail "system_reset"
		monitor_del || fail "device_del"
		free 05.0004 || fail "the queue is still in use"
	done
	quiet guest
	power_off guest
	unplug "$first"
}

two_guests() {
	plug "$first" 5 4
	plug "$second" 5 0x11
	power_on guest -device "$("$1" "$first")" || fail "QEMU does not start"
	power_on other -device "$("$1" "$second")" || fail "the second QEMU does not start"
	holds "$mdevs/$first/guest_matrix" "05.0004"
	holds "$mdevs/$second/guest_matrix" "05.0011"
	power_off guest
	in_use 05.0011 || fail "the other guest has lost its queue"
	power_off other
	quiet guest
	quiet other
	unplug "$first"
	unplug "$second"
}

conflict() {
	plug "$first" 5 4
	power_on guest -device "$("$1" "$first")" || fail "QEMU does not start"
	if power_on other -device "$("$1" "$first")"; then
		fail "two QEMUs with one mdev"
	fi
	# With the character device of its own it is VFIO's bind that fails, before the driver is asked.
	said 'busy|error bind device'
	# A second one for the same guest.
	plug "$second" 3 4
	if qmp guest "{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"vfio-ap\", \"sysfsdev\": \"$mdevs/$second\"}}"; then
		fail "two devices for one guest"
	fi
	in_use 05.0004 || fail "the first guest has lost its queue"
	quiet guest
	power_off guest
	unplug "$first"
	unplug "$second"
}

hot_plug_adapter() {
	plug "$first" 5 4
	power_on guest -device "$("$1" "$first")" -trace css_crw -D "$work/guest.trace" || fail "QEMU does not start"
	put "$mdevs/$first/assign_adapter" 3 || fail "assign_adapter"
	holds "$mdevs/$first/guest_matrix" "03.0004 05.0004"
	in_use 03.0004 || fail "the queue is not in use"
	case $(qemu_version) in
	10.0) note "QEMU $(qemu_version) does not ask for news of the AP configuration" ;;
	*)
		soon 10 grep -q 'queueing crw' "$work/guest.trace" || fail "QEMU was not told that the AP configuration changed"
		note "$(cat "$work/guest.trace")"
		;;
	esac
	put "$mdevs/$first/unassign_adapter" 3 || fail "unassign_adapter"
	holds "$mdevs/$first/guest_matrix" "05.0004"
	quiet guest
	power_off guest
	unplug "$first"
}

remove_attached() {
	plug "$first" 5 4
	power_on guest -device "$("$1" "$first")" || fail "QEMU does not start"
	watch_events guest
	unplug "$first"
	gone "$mdevs/$first" || fail "the mdev is still there"
	soon 10 unplugged guest || fail "QEMU believes that it still has it"
	soon 10 grep -q DEVICE_DELETED "$work/guest.events" || fail "QEMU says nothing of it"
	note "events: $(cat "$work/guest.events")"
	note "stderr: $(cat "$work/guest.stderr")"
	# What VFIO's container does with a group that is gone is not the driver's.
	if grep -qvE 'vfio_container_dma_unmap|error disconnecting group' "$work/guest.stderr"; then
		fail "QEMU has something to say on stderr"
	fi
	qmp guest '{"execute": "query-status"}' || fail "QEMU is gone"
	power_off guest
}

kill_and_restart() {
	plug "$first" 5 4
	power_on guest -device "$("$1" "$first")" || fail "QEMU does not start"
	kill -9 "$(pid guest)"
	note "\$ kill -9 $(pid guest)"
	soon 10 dead "$(pid guest)" || fail "QEMU does not die"
	power_on guest -device "$("$1" "$first")" || fail "QEMU does not start again"
	soon 10 in_use 05.0004 || fail "the new guest does not have the queue"
	quiet guest
	power_off guest
	unplug "$first"
}

# Unplugging starts the reset; who unplugs waits for 2.5 s at most, and who comes next gets the queue when it is clean.
slow_unplug() {
	plug "$first" 3,5 4
	power_on guest || fail "QEMU does not start"
	monitor_add "$1" "$first" || fail "device_add"
	set_hardware "reset 05.0004 ns=${slow_seconds}000000000"
	before=$(cut -d. -f1 /proc/uptime)
	monitor_del || fail "device_del"
	note "device_del took $(($(cut -d. -f1 /proc/uptime) - before)) s"
	resetting 1 || fail "device_del waited for the reset"
	free 05.0004 || fail "the queue is still in use"
	monitor_add "$1" "$first" || fail "device_add"
	resetting 1 || fail "device_add waited for the reset"
	free 05.0004 || fail "the guest got a queue that is not clean"
	in_use 03.0004 || fail "the guest did not get the queue that is clean"
	holds "$mdevs/$first/guest_matrix" "03.0004"
	must cat "$mdevs/$first/withheld"
	said '^05 05\.0004 (resetting|failed)$'
	set_hardware "reset any polls=0"
	soon 10 in_use 05.0004 || fail "the guest did not get the queue when it was clean"
	note "stderr: $(cat "$work/guest.stderr")"
	# A VFIO_DEVICE_RESET that could not be verified is EIO, and QEMU says so.
	if grep -qviE 'reset' "$work/guest.stderr"; then
		fail "QEMU has something to say on stderr"
	fi
	power_off guest
	unplug "$first"
}

slow_kill() {
	plug "$first" 5 4
	power_on guest -device "$("$1" "$first")" || fail "QEMU does not start"
	set_hardware "reset 05.0004 ns=${slow_seconds}000000000"
	note "\$ kill -9 $(pid guest)"
	kill -9 "$(pid guest)"
	soon 10 dead "$(pid guest)" || fail "QEMU does not die"
	resetting 1 || fail "QEMU died only after the reset"
	set_hardware "reset any polls=0"
	unplug "$first"
}

stories='cold_plug hot_plug two_guests conflict hot_plug_adapter remove_attached kill_and_restart slow_unplug slow_kill'

# each DO: does it with every story that is wanted, in both ways of getting the device
each() {
	story_number=0
	for way in by_group by_iommufd; do
		for what in $stories; do
			story_number=$((story_number + 1))
			! wanted "$story_number" || "$1"
		done
	done
}

count=0
one_more() {
	count=$((count + 1))
}

tell() {
	begin "QEMU $(qemu_version) $way: $what"
	"$what" "$way"
	end
	clear_away
}

each one_more
plan "$count"
each tell
finish
