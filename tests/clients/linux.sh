#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# linux - an unmodified Linux in a real QEMU uses the queues that the administrator assigned, and sees them come and go
#
# The guests are those of lab.guest= on the kernel command line: our own lean kernel, and the one that Debian ships (tests/lab/guest).
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

guests=/tests/lib/guests
sie=/sys/kernel/debug/apsie/state
# From the start of QEMU to the guest's init; a guest that hangs says nothing for longer than that.
boot_seconds=240
answer_seconds=120

# boot_guest NAME CPUS: it is up when it says so
boot_guest() {
	asked=0
	rm -f "$work/line.in" "$work/line.out" "$work/console"
	mkfifo "$work/line.in" "$work/line.out"
	cat <"$work/line.out" >"$work/console" &
	uptime
	begun=$up
	power_on guest -device "$(by_group "$first")" -m 256M -smp "$2" \
		-chardev "pipe,id=line,path=$work/line" -device sclpconsole,chardev=line \
		-kernel "$guests/$1/kernel" -initrd "$guests/$1/initrd" -append "$(cat "$guests/$1/append")" || fail "QEMU does not start"
	exec 5<>"$work/line.in"
	qmp guest '{"execute": "cont"}' || fail "cont"
	soon "$boot_seconds" ended '^guest: up' || fail "the guest's init does not run: $(tail -n 30 "$work/console")"
	uptime
	note "init after $((up - begun)) s: $(grep '^guest: up' "$work/console")"
	[ "$failed" = 0 ] || evidence_of_sie
}

# ended PATTERN: such a line is on the guest's console, or QEMU is gone
ended() {
	grep -q "$1" "$work/console" || dead "$(pid guest)"
}

evidence_of_sie() {
	note "$(grep -v '^opcode' "$sie")"
	note "$(tail -n 20 "$work/console")"
}

# ask COMMAND: the guest executes it, and its output is what was said
ask() {
	asked=$((asked + 1))
	note "guest# $1"
	heard=$(wc -c <"$work/console")
	echo "$1" >&5
	soon "$answer_seconds" ended "guest: done $asked " || fail "the guest does not answer"
	# Its kernel writes to the same console, and a command may end without a new line.
	tail -c +$((heard + 1)) "$work/console" | tr -d '\r' | sed 's/guest: done.*//; /^\[ *[0-9.]*\] /d; /^$/d' >"$work/said"
	cat "$work/said" >>"$evidence"
	grep -q "guest: done $asked 0" "$work/console"
}

# devices EXPECTED: what the guest's AP bus has
devices() {
	ask "echo 1 >/sys/bus/ap/scans; ls /sys/bus/ap/devices | tr '\n' ' '"
	[ "$(tr -s ' \n' ' ' <"$work/said" | sed 's/^ //; s/ $//')" = "$1" ]
}

finds() {
	soon 60 devices "$1" || fail "the guest's AP bus has '$(cat "$work/said")' instead of '$1'"
}

# its interrupts are on, in its own eyes and in the hardware
interrupting() {
	ask "cat /sys/bus/ap/devices/$1/interrupt" && grep -q 'Interrupts enabled' "$work/said" && grep -q "^irq $1 " "$apemu"
}

calculates() {
	ask "rsa $1" || fail "the guest's RSA is not right"
	said "^right $1 failed 0"
}

# count_requests: sets $requests
count_requests() {
	ask 'cat /sys/bus/ap/devices/card02/request_count'
	read -r requests <"$work/said" || fail "no counter"
}

switch_off() {
	echo 'poweroff -f' >&5
	soon 60 dead "$(pid guest)" || fail "QEMU does not end"
	exec 5>&-
	quiet guest
}

# has NAME: this boot has that guest
has() {
	[ -f "$guests/$1/kernel" ]
}

set_up() {
	set_hardware 'card 2 service=rsa'
	set_hardware 'card 5 service=random'
	plug "$first" 2,5 4,0x11
}

boots() {
	begin "$1, $2 CPU: a Linux boots, and its AP bus has exactly the queues that were assigned"
	set_up
	boot_guest "$1" "$2"
	ask 'nproc' && said "^$2\$"
	finds '02.0004 02.0011 05.0004 05.0011 card02 card05'
	end
}

interrupts() {
	begin "$1, $2 CPU: its zcrypt enables interrupts of its queues"
	soon 60 interrupting 02.0004 || fail "no interrupt of 02.0004"
	soon 60 interrupting 02.0011 || fail "no interrupt of 02.0011"
	end
}

rsa_is_right() {
	begin "$1, $2 CPU: RSA by the adapter is right, the card counts it, and the queue interrupts"
	count_requests
	before=$requests
	calculates 10
	count_requests
	[ "$requests" -ge $((before + 10)) ] || fail "the card has counted to $requests from $before"
	ask 'grep APB /proc/interrupts'
	never_said '^ *APB: *0 *\['
	end
}

plugs() {
	begin "$1, $2 CPU: an adapter comes and goes while it runs"
	put "$mdevs/$first/assign_adapter" 3 || fail "assign_adapter"
	finds '02.0004 02.0011 03.0004 03.0011 05.0004 05.0011 card02 card03 card05'
	put "$mdevs/$first/unassign_adapter" 5 || fail "unassign_adapter"
	finds '02.0004 02.0011 03.0004 03.0011 card02 card03'
	calculates 2
	end
}

powers_off() {
	begin "$1, $2 CPU: poweroff; no interrupt is left, and nothing is in use"
	ask 'dmesg | grep -E "WARNING|BUG|Oops|stall|lockup"'
	[ ! -s "$work/said" ] || fail "the guest's kernel complains"
	switch_off
	soon 10 grep -q '^irq-on: 0' "$apemu" || fail "an interrupt is on"
	same "what is in use" "" "$(grep -lx 'in use' /sys/devices/ap/card0*/0*/status 2>/dev/null)"
	unplug "$first"
	note "$(grep -v -e '^trap' "$sie")"
	end
	clear_away
}

whole_life() {
	for what in boots interrupts rsa_is_right plugs powers_off; do
		if has "$1"; then
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
