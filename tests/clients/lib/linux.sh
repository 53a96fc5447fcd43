# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154 # variables are for those who read this file, and from story.sh
# linux.sh: Linux guests in a real QEMU, asked over their console. Read after story.sh.
#
# The guests are those of lab.guest= on the kernel command line: our own lean kernel, and the one that Debian ships (tests/lab/guest). A
# function here takes the name that power_on() gave the QEMU first.

guests=/tests/lib/guests
sie=/sys/kernel/debug/apsie/state
# From the start of QEMU to the guest's init; a guest that hangs says nothing for longer than that.
boot_seconds=240
answer_seconds=120
# For what the guest's AP bus finds out by itself: it looks every five seconds, and a busy machine takes its time.
find_seconds=60

# For a few RSA operations, each of which takes some milliseconds
rsa_seconds=60

# has_guest KIND: this boot of the lab has it
has_guest() {
	[ -f "$guests/$1/kernel" ]
}

# bring PROGRAM...: Linuxes that are started from now on have these programs of the clients' Debian
bring() {
	mkdir -p "$work/tools"
	for program; do
		program=$(command -v "$program")
		for file in "$program" $(/lib/ld64.so.1 --list "$program" | grep -o '/[^ ]*'); do
			mkdir -p "$work/tools${file%/*}"
			cp "$file" "$work/tools$file"
		done
	done
	(cd "$work/tools" && find . | cpio -o -H newc 2>/dev/null) >"$work/tools.cpio"
}

# initrd KIND: with what was brought. The kernel unpacks one archive after the other; one that is not compressed has to begin at a word.
initrd() {
	if [ -f "$work/tools.cpio" ]; then
		cat "$work/tools.cpio" "$guests/$1/initrd" >"$work/initrd.$1"
		echo "$work/initrd.$1"
	else
		echo "$guests/$1/initrd"
	fi
}

# over: the end of a story whose guest the next one goes on with; after one that failed, or a guest that hangs, that would tell nothing new
over() {
	end
	[ "$broken" = 0 ] || finish
}

# start_linux VM KIND ARGUMENT...: a Linux of that kind, which begins to boot
start_linux() {
	vm=$1
	kind=$2
	shift 2
	rm -f "$work/line.$vm.in" "$work/line.$vm.out" "$work/console.$vm"
	mkfifo "$work/line.$vm.in" "$work/line.$vm.out"
	cat <"$work/line.$vm.out" >>"$work/console.$vm" &
	: >"$work/console.$vm"
	echo 0 >"$work/asked.$vm"
	uptime
	begun=$up
	# QEMU opens both ends of a pipe, so that ours may come and go.
	power_on "$vm" -m 256M -chardev "pipe,id=line,path=$work/line.$vm" -device sclpconsole,chardev=line \
		-kernel "$guests/$kind/kernel" -initrd "$(initrd "$kind")" -append "$(cat "$guests/$kind/append")" "$@" || {
		fail "QEMU does not start"
		return 1
	}
	qmp "$vm" '{"execute": "cont"}' || fail "cont"
}

# anew VM COMMAND...: does something that lets the guest boot again
anew() {
	anew_vm=$1
	shift
	: >"$work/console.$anew_vm"
	echo 0 >"$work/asked.$anew_vm"
	uptime
	begun=$up
	"$@"
}

# is_up VM: waits for its init
is_up() {
	if soon "$boot_seconds" ended "$1" '^guest: up' && grep -q '^guest: up' "$work/console.$1"; then
		uptime
		note "init after $((up - begun)) s: $(grep '^guest: up' "$work/console.$1")"
	else
		fail "the guest's init does not run"
		evidence_of_sie "$1"
		over
	fi
}

# boot_linux VM KIND ARGUMENT...: it is up when that returns
boot_linux() {
	start_linux "$@" && is_up "$1"
}

# ended VM PATTERN: such a line is on the guest's console, or QEMU is gone
ended() {
	grep -q "$2" "$work/console.$1" || dead "$(pid "$1")"
}

evidence_of_sie() {
	note "$(grep -v '^opcode' "$sie")"
	note "$(tail -n 20 "$work/console.$1")"
}

# ask VM COMMAND: the guest executes it, and its output is what was said
ask() {
	read -r asked <"$work/asked.$1"
	asked=$((asked + 1))
	echo "$asked" >"$work/asked.$1"
	note "$1# $2"
	heard=$(wc -c <"$work/console.$1")
	# Opened so, a pipe that has no reader any more keeps nobody waiting.
	echo "$2" 1<>"$work/line.$1.in"
	if ! soon "$answer_seconds" ended "$1" "guest: done $asked "; then
		fail "the guest does not answer"
		evidence_of_sie "$1"
		over
	fi
	# Its kernel writes to the same console, and a command may end without a new line.
	tail -c +$((heard + 1)) "$work/console.$1" | tr -d '\r' | sed 's/guest: done.*//; /^\[ *[0-9.]*\] /d; /^$/d' >"$work/said"
	cat "$work/said" >>"$evidence"
	grep -q "guest: done $asked 0" "$work/console.$1"
}

# answer VM COMMAND: a single line, as the value of $answered
answer() {
	answered=
	ask "$1" "$2" && read -r answered <"$work/said"
}

# devices VM EXPECTED: what the guest's AP bus has now, without asking it to look
devices() {
	ask "$1" "ls /sys/bus/ap/devices | tr '\n' ' '"
	[ "$(tr -s ' \n' ' ' <"$work/said" | sed 's/^ //; s/ $//')" = "$2" ]
}

# looks_often VM: its AP bus looks for news every five seconds, which is the least; without that, every thirty
looks_often() {
	ask "$1" 'echo 5 >/sys/bus/ap/config_time' || fail "config_time"
}

# finds VM EXPECTED: in the end, by itself
finds() {
	soon "$find_seconds" devices "$1" "$2" || fail "the guest's AP bus has '$(cat "$work/said")' instead of '$2'"
}

# complains VM: its kernel has written that something is wrong
complains() {
	ask "$1" 'dmesg | grep -E "WARNING|BUG|Oops|stall|lockup|Unable to handle"'
	[ -s "$work/said" ]
}

# counts: $right, $wrong, $failures, $longest (ms) and $errors from what the program rsa said last
counts() {
	read -r _ right _ wrong _ failures rest <"$work/said"
	failures=${failures%,}
	longest=${rest##*longest }
	longest=${longest% ms}
	errors=
	case $rest in
	*'('*) errors=${rest#*(} && errors=${errors%%)*} ;;
	esac
}

# calculates VM COUNT: RSA operations, all of them right
calculates() {
	right=0 wrong=0 failures=0 longest=0 errors=
	ask "$1" "timeout -s KILL $rsa_seconds rsa $2"
	if ! grep -q '^right' "$work/said"; then
		fail "of $2 RSA operations of the guest one did not come back within $rsa_seconds s"
		return
	fi
	counts
	[ "$right $wrong $failures" = "$2 0 0" ] || fail "of $2 RSA operations $right were right, $wrong wrong, $failures failed $errors"
}

# load_begins VM: RSA operations one after the other, until load_ends
load_begins() {
	ask "$1" '{ rsa load >/tmp/load; echo >/tmp/load.over; } &'
	goes_on "$1" 1
}

# progress VM: what came of them so far
progress() {
	right=0 wrong=0 failures=0 longest=0 errors=
	ask "$1" 'cat /tmp/load' || return 1
	[ ! -s "$work/said" ] || counts
}

more_right() {
	progress "$1" && [ "$right" -ge "$2" ]
}

more_failed() {
	progress "$1" && [ "$failures" -gt "$2" ]
}

# goes_on VM [COUNT]: so many more are right, starting now
goes_on() {
	progress "$1"
	soon "$find_seconds" more_right "$1" $((right + ${2:-5})) ||
		fail "the guest's RSA does not go on: right $right failed $failures $errors in the last $find_seconds s"
}

# comes_to_fail VM: there is no adapter that could answer
comes_to_fail() {
	progress "$1"
	soon "$find_seconds" more_failed "$1" "$failures" || fail "the guest's RSA has no errors ($right right), though it has no adapter"
}

# load_ends VM: each operation has come back, and none was wrong; the result is told
load_ends() {
	ask "$1" 'killall rsa'
	soon "$find_seconds" ask "$1" '[ -e /tmp/load.over ]' || fail "an RSA operation of the guest never comes back"
	progress "$1" || fail "no result"
	ask "$1" 'rm -f /tmp/load.over'
	sum_up "$1"
}

# sum_up VM: the counts as they are, and none is wrong
sum_up() {
	remark "$1: RSA operations: $right right, $failures failed${errors:+ ($errors)}, $wrong wrong; the longest took $longest ms"
	[ "$wrong" = 0 ] || fail "$wrong RSA operations of the guest came back with the wrong number"
}

# gets_interrupts VM QUEUE
gets_interrupts() {
	soon "$find_seconds" enabled "$1" "$2" || fail "the guest gets no interrupts of $2: $(cat "$work/said")"
}

# requests VM CARD: $answered is how many the card has had, says the guest
requests() {
	answer "$1" "cat /sys/bus/ap/devices/$2/request_count"
}

# enabled VM QUEUE: the interrupt is on, in the guest's eyes and in the hardware
enabled() {
	ask "$1" "cat /sys/bus/ap/devices/$2/interrupt" && grep -q 'Interrupts enabled' "$work/said" && grep -q "^irq $2 " "$apemu"
}

# switched_off VM: from inside
switched_off() {
	echo 'poweroff -f' 1<>"$work/line.$1.in"
	soon "$find_seconds" dead "$(pid "$1")" || fail "QEMU does not end"
	quiet "$1"
}

# killed VM: the hard way
killed() {
	note "\$ kill -9 $(pid "$1")"
	kill -9 "$(pid "$1")"
	soon 30 dead "$(pid "$1")" || fail "QEMU does not die"
}

# untouched_memory: the adapters wrote to no page that the guest may have for something else by now
untouched_memory() {
	stores=$(sed -n 's/^unchecked-stores: //p' "$apemu")
	[ "$stores" = 0 ] || fail "an adapter has written $stores times to memory of the guest that was its own again"
}

# nothing_left: no interrupt is on, and no queue is with a guest
nothing_left() {
	soon 10 grep -q '^irq-on: 0' "$apemu" || fail "an interrupt is on"
	same "what is in use" "" "$(grep -lx 'in use' /sys/devices/ap/card*/*/status 2>/dev/null)"
	untouched_memory
}
