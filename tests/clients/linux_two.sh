#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# linux_two - two Linux guests with queues of the same adapters do RSA; one is killed again and again, which the other never notices
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh
# shellcheck source=lib/linux.sh
. /tests/lib/linux.sh

# TAPQ: response code 00, nothing in it, no interrupt
empty=0000000080000000

# runs VM: rounds of the small program
runs() {
	[ "$(word "$1" 0x3018)" != 0000000000000000 ]
}

begin_other() {
	start_linux other lean -device "$(by_group "$second")"
}

# untouched: the first guest's RSA goes on, and none has failed
untouched() {
	goes_on guest 3
	[ "$failures $wrong" = '0 0' ] || fail "of the other guest's RSA $failures failed ($errors), $wrong were wrong"
}

plan 5

begin "two guests with disjoint queues of the same adapters, RSA in both"
plug "$first" 2,3 4
plug "$second" 2,3 0x11
start_linux guest lean -device "$(by_group "$first")"
begin_other
is_up guest
is_up other
looks_often guest
finds guest '02.0004 03.0004 card02 card03'
finds other '02.0011 03.0011 card02 card03'
load_begins guest
load_begins other
untouched
goes_on other
over

begin "one is killed under load, and while it boots; the other never has a failure"
killed other
untouched
begin_other
untouched
killed other
begin_other
untouched
is_up other
calculates other 5
killed other
untouched
progress guest
sum_up guest
over

begin "what the dead one left is not clean yet: the other's queues work meanwhile"
set_hardware 'reset 02.0011 never'
begin_other
killed other
untouched
set_hardware 'reset any polls=0'
unplug "$second"
over

begin "the load ends: none has failed, none is wrong"
load_ends guest
[ "$failures" = 0 ] || fail "$failures failed: $errors"
! complains guest || fail "the guest's kernel complains"
over

# A Linux resets its queues before it uses them, so the next one is a program that just looks.
begin "a queue with a request in it is taken from one guest and given to the next, which finds it empty"
set_hardware 'echo 03.0004 hold'
ask guest 'echo 0 >/sys/bus/ap/devices/card02/online' || fail "card 2 cannot be set offline"
ask guest 'rsa >/tmp/rsa &'
soon 30 grep -q '^queue 03.0004 requests 1 ' "$apemu" || fail "no request waits in 03.0004"
put "$mdevs/$first/unassign_adapter" 3 || fail "unassign_adapter"
plug "$second" 3 4
power_on other -device "$(by_group "$second")" -kernel /tests/lib/guest || fail "QEMU does not start"
qmp other '{"execute": "cont"}' || fail "cont"
soon 30 runs other || fail "the guest does not run"
state=$(word other 0x3008)
note "TAPQ of 03.0004 in the next guest: $state"
[ "$state" = "$empty" ] || fail "the next guest finds in 03.0004 what the first one left: TAPQ says $state instead of $empty"
power_off other
unplug "$second"
set_hardware 'echo 03.0004 release'
switched_off guest
nothing_left
unplug "$first"
end

finish
