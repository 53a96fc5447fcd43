#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# linux - an unmodified Linux in a real QEMU uses the queues that the administrator assigned, and sees them come and go
#
# The guests are those of lab.guest= on the kernel command line: our own lean kernel, and the one that Debian ships (tests/lab/guest).
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh
# shellcheck source=lib/linux.sh
. /tests/lib/linux.sh

set_up() {
	set_hardware 'card 2 service=rsa'
	set_hardware 'card 5 service=random'
	plug "$first" 2,5 4,0x11
}

boots() {
	begin "$1, $2 CPU: a Linux boots, and its AP bus has exactly the queues that were assigned"
	set_up
	boot_linux guest "$1" -device "$(by_group "$first")" -smp "$2"
	ask guest 'nproc' && said "^$2\$"
	finds guest '02.0004 02.0011 05.0004 05.0011 card02 card05'
	end
}

interrupts() {
	begin "$1, $2 CPU: its zcrypt enables interrupts of its queues"
	soon 60 enabled guest 02.0004 || fail "no interrupt of 02.0004"
	soon 60 enabled guest 02.0011 || fail "no interrupt of 02.0011"
	end
}

rsa_is_right() {
	begin "$1, $2 CPU: RSA by the adapter is right, the card counts it, and the queue interrupts"
	requests guest card02 || fail "no counter"
	before=$answered
	calculates guest 10
	requests guest card02 || fail "no counter"
	[ "$answered" -ge $((before + 10)) ] || fail "the card has counted to $answered from $before"
	ask guest 'grep APB /proc/interrupts'
	never_said '^ *APB: *0 *\['
	end
}

plugs() {
	begin "$1, $2 CPU: an adapter comes and goes while it runs"
	put "$mdevs/$first/assign_adapter" 3 || fail "assign_adapter"
	looks_often guest
	finds guest '02.0004 02.0011 03.0004 03.0011 05.0004 05.0011 card02 card03 card05'
	put "$mdevs/$first/unassign_adapter" 5 || fail "unassign_adapter"
	finds guest '02.0004 02.0011 03.0004 03.0011 card02 card03'
	calculates guest 2
	end
}

powers_off() {
	begin "$1, $2 CPU: poweroff; no interrupt is left, and nothing is in use"
	! complains guest || fail "the guest's kernel complains"
	switched_off guest
	nothing_left
	unplug "$first"
	note "$(grep -v -e '^trap' "$sie")"
	end
	clear_away
}

whole_life() {
	for what in boots interrupts rsa_is_right plugs powers_off; do
		if has_guest "$1"; then
			"$what" "$1" "$2"
		else
			skip "$1, $2 CPU: $what" "this boot has no such guest"
		fi
	done
}

plan 15
whole_life lean 1
whole_life lean 2
whole_life debian 1
set_hardware 'card 2 service=echo'
set_hardware 'card 5 service=echo'
finish
