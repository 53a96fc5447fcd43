#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# demo - the main job of the driver as a story: what the administrator did, what a Linux guest saw, what the hardware saw
#
# The adapters 2 and 3 are accelerators that do RSA, see tests/lab/demo.
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=../clients/lib/story.sh
. /tests/lib/story.sh
# shellcheck source=../clients/lib/linux.sh
. /tests/lib/linux.sh

mdev=$mdevs/$first
log=/sys/kernel/debug/apemu/log
row=0
bad_rows=0

row_begin() {
	row=$((row + 1))
	failed=0
	did='' saw='' met=''
	# What the hardware is asked about a row happened in it.
	echo 'log clear' >"$apemu"
}

# administrator TEXT, guest TEXT, hardware TEXT: a line more in that column
administrator() {
	did="$did${did:+
}$1"
}

guest() {
	saw="$saw${saw:+
}$1"
}

hardware() {
	met="$met${met:+
}$1"
}

row_end() {
	verdict=yes
	if [ "$failed" = 1 ]; then
		verdict=NO
		bad_rows=$((bad_rows + 1))
	fi
	/tests/lib/row "$row" "$verdict" "$did" "$saw" "$met"
}

# types ATTRIBUTE VALUE: into the mdev
types() {
	administrator "echo $2 > $1"
	put "$mdev/$1" "$2" || fail "$1 $2"
}

# shows QUEUE STATUS: whether a guest has it
shows() {
	soon 10 grep -qx "$2" "/sys/bus/ap/devices/$1/status" || fail "the status of $1 is not '$2'"
	administrator "cat $1/status: $(cat "/sys/bus/ap/devices/$1/status")"
}

# executed WHO FUNCTION QUEUE: at least once in this row
executed() {
	if grep -q " $1 $2 $3 " "$log"; then
		hardware "$1 $2 $3"
	else
		hardware "no $1 $2 $3"
		fail "no $1 executed $2 for $3"
	fi
}

# fact KEY: of the state of the hardware
fact() {
	sed -n "s/^$1: //p" "$apemu"
}

interrupts_on() {
	hardware "interrupts on: $(fact irq-on)"
	same "the number of interrupts that are on" "$1" "$(fact irq-on)"
}

# served CARD: what the card has done since it is there
served() {
	hardware "$(sed -n "s/^service $1 rsa \\(requests [0-9]*\\) \\(replies [0-9]*\\) errors [0-9]* \\(dropped [0-9]*\\)/card $1: \\1, \\2, \\3/p" "$apemu")"
}

# bus VM EXPECTED: what is on it in the end
bus() {
	finds "$1" "$2"
	guest "AP bus: ${2:-empty}"
}

rsa_line() {
	guest "RSA: $right right, $wrong wrong, $failures failed${errors:+ ($errors)}"
}

# all_right VM COUNT
all_right() {
	ask "$1" "rsa $2" && counts
	[ "$right" = "$2" ] || fail "of $2 RSA operations $right were right"
	guest "RSA: $right right, $wrong wrong, $failures failed"
}

# lists VM: its own lszcrypt
lists() {
	ask "$1" "lszcrypt | awk 'NR > 2 { print \$1, \$2, \$4 }'" || fail "lszcrypt"
	guest 'lszcrypt:'
	while read -r line; do
		guest "$line"
	done <"$work/said"
}

waits_in_queue() {
	grep -q "^queue $1 requests 1 " "$apemu"
}

empty() {
	! grep -q "^queue $1 requests" "$apemu"
}

looked() {
	[ "$(word next 0x3018)" != 0000000000000000 ]
}

make_device() {
	row_begin
	administrator "echo \$uuid > create"
	plug "$first" '' ''
	types assign_adapter 2
	types assign_domain 4
	row_end
}

start_guest() {
	row_begin
	administrator "qemu-system-s390x -accel kvm -device vfio-ap,sysfsdev=.../\$uuid ..."
	bring lszcrypt
	boot_linux first "$kind" -device "$(by_group "$first")"
	answer first 'uname -r'
	guest "Linux $answered"
	looks_often first
	bus first '02.0004 card02'
	shows 02.0004 'in use'
	executed guest tapq 02.0004
	row_end
}

look_around() {
	row_begin
	lists first
	said '^02\.0004 '
	soon "$find_seconds" enabled first 02.0004 || fail "the interrupt of the queue is off"
	guest "02.0004: $(cat "$work/said")"
	interrupts_on 1
	row_end
}

calculate() {
	row_begin
	all_right first 20
	ask first "lszcrypt 02 | tail -n 1 | awk '{ print \$NF }'" && read -r answered <"$work/said"
	guest "lszcrypt: $answered requests"
	[ "$answered" -ge 20 ] || fail "the card has counted to $answered"
	executed guest nqap 02.0004
	executed guest dqap 02.0004
	served 02
	row_end
}

plug_another() {
	row_begin
	types assign_adapter 3
	bus first '02.0004 03.0004 card02 card03'
	executed guest tapq 03.0004
	row_end
}

unplug_in_use() {
	row_begin
	load_begins first
	guest 'RSA all the time from now on'
	types unassign_adapter 2
	bus first '03.0004 card03'
	goes_on first
	rsa_line
	executed host zapq 02.0004
	served 02
	interrupts_on 1
	row_end
}

deconfigure() {
	row_begin
	administrator 'chzcrypt --config-off 3'
	must chzcrypt --config-off 3
	comes_to_fail first
	rsa_line
	interrupts_on 0
	row_end

	row_begin
	administrator 'chzcrypt --config-on 3'
	must chzcrypt --config-on 3
	goes_on first
	load_ends first
	rsa_line
	executed guest nqap 03.0004
	row_end
}

power_down() {
	row_begin
	administrator '(the card takes a request and does not answer)'
	set_hardware 'echo 03.0004 hold'
	ask first 'rsa 1 &'
	soon 30 waits_in_queue 03.0004 || fail "no request waits"
	guest 'RSA: waits'
	hardware "$(sed -n 's/^queue \(03.0004 requests [0-9]*\) .*/\1/p' "$apemu")"
	row_end

	row_begin
	switched_off first
	guest 'poweroff'
	shows 03.0004 'assigned'
	executed host zapq 03.0004
	served 03
	interrupts_on 0
	soon 10 empty 03.0004 || fail "something is in the queue"
	hardware '03.0004 is empty'
	set_hardware 'echo 03.0004 release'
	row_end
}

# A Linux would reset the queue before it uses it, so the next guest is a program that just looks (tests/clients/lib/guest.S).
next_guest() {
	row_begin
	administrator "qemu-system-s390x ... (another guest, with the same device)"
	power_on next -device "$(by_group "$first")" -kernel /tests/lib/guest || fail "QEMU does not start"
	qmp next '{"execute": "cont"}' || fail "cont"
	soon 30 looked || fail "the guest does not run"
	state=$(word next 0x3008)
	case $state in
	0000000080000000) guest 'TAPQ 03.0004: 00, there, empty, no interrupt' ;;
	*)
		guest "TAPQ 03.0004: $state"
		fail "the queue is not empty, or not there"
		;;
	esac
	executed guest tapq 03.0004
	row_end
}

clear_up() {
	row_begin
	administrator '(ended the other guest)'
	power_off next
	unplug "$first"
	administrator 'echo 1 > remove'
	gone "$mdev" || fail "the device is still there"
	interrupts_on 0
	hardware "resets running: $(fact resetting)"
	same "the number of resets that run" 0 "$(fact resetting)"
	row_end
}

for kind in lean debian; do
	! has_guest "$kind" || break
done
plan 1
begin "C-15: the main job, with a Linux as guest"
echo 'A Linux in QEMU does RSA with an AP queue that vfio_ap passed through.'
/tests/lib/row begin
make_device
start_guest
look_around
calculate
plug_another
unplug_in_use
deconfigure
power_down
next_guest
clear_up
/tests/lib/row end
failed=0
[ "$bad_rows" = 0 ] || fail "$bad_rows rows are not as expected"
if [ "$failed" = 1 ]; then
	echo 'NOT as expected.'
else
	echo 'Every line was as expected.'
fi
end
finish
