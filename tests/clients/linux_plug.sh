#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# linux_plug - a Linux guest does RSA all the time, while adapters, domains and the device as a whole come and go
#
# All stories are of one guest, which never boots again. The adapters 2, 3 and 5 are accelerators that do RSA (tests/clients/runs).
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh
# shellcheck source=lib/linux.sh
. /tests/lib/linux.sh

# A request that was on its way waits until the guest looks at its bus, which it does every five seconds; none waits for a reset.
bystander_ms=30000

change() {
	put "$mdevs/$first/$1" "$2" || fail "$1 $2"
}

# control_domains VM MASK: what the guest itself says
control_domains() {
	answer "$1" 'cat /sys/bus/ap/ap_control_domain_mask' && [ "$answered" = "$2" ]
}

shows_config() {
	answer guest "cat /sys/bus/ap/devices/$1/config" && [ "$answered" = "$2" ]
}

withheld() {
	grep -qE "$1" "$mdevs/$first/withheld"
}

plan 8

begin "RSA runs with the only adapter; another one is assigned, and the guest finds it"
plug "$first" 2 4
boot_linux guest lean -device "$(by_group "$first")"
looks_often guest
finds guest '02.0004 card02'
load_begins guest
change assign_adapter 3
finds guest '02.0004 03.0004 card02 card03'
goes_on guest
over

begin "the adapter in use is taken away while requests run: RSA moves to the other one"
change unassign_adapter 2
finds guest '03.0004 card03'
goes_on guest
requests guest card03
[ "$answered" -gt 0 ] || fail "card 3 has had no request"
change assign_adapter 2
finds guest '02.0004 03.0004 card02 card03'
gets_interrupts guest 02.0004
progress guest
sum_up guest
over

begin "domains come and go, and a control domain, while RSA runs"
change assign_domain 0x11
finds guest '02.0004 02.0011 03.0004 03.0011 card02 card03'
change unassign_domain 4
finds guest '02.0011 03.0011 card02 card03'
goes_on guest
change assign_domain 4
change assign_control_domain 0x22
soon "$find_seconds" control_domains guest 0x0000000020000000000000000000000000000000000000000000000000000000 ||
	fail "the guest's control domains are $answered"
change unassign_control_domain 0x22
soon "$find_seconds" control_domains guest 0x0000000000000000000000000000000000000000000000000000000000000000 ||
	fail "the guest's control domains are $answered"
finds guest '02.0004 02.0011 03.0004 03.0011 card02 card03'
goes_on guest
progress guest
sum_up guest
over

begin "an adapter is deconfigured and configured under load: RSA moves, and the adapter is used again"
set_hardware 'card 3 standby on'
soon "$find_seconds" shows_config card03 0 || fail "the guest believes that card 3 is configured"
goes_on guest
set_hardware 'card 3 standby off'
soon "$find_seconds" shows_config card03 1 || fail "the guest believes that card 3 is not configured"
requests guest card03
before=$answered
ask guest 'echo 0 >/sys/bus/ap/devices/card02/online' || fail "card 2 cannot be set offline"
goes_on guest
requests guest card03
[ "$answered" -gt "$before" ] || fail "card 3 has had no request since it is back"
ask guest 'echo 1 >/sys/bus/ap/devices/card02/online' || fail "card 2 cannot be set online"
progress guest
sum_up guest
over

begin "the reset of a queue never ends: the guest goes on with the others, and gets the queue when it is clean"
set_hardware 'reset 02.0004 never'
change unassign_adapter 2
finds guest '03.0004 03.0011 card03'
goes_on guest
# As long as the reset does not end, the adapter may write.
set_hardware 'interrupt 02.0004'
untouched_memory
change assign_adapter 2
withheld '^02 02\.0004 (resetting|failed)$' || fail "withheld is: $(cat "$mdevs/$first/withheld")"
devices guest '03.0004 03.0011 card03' || fail "the guest has a queue that is not clean: $(cat "$work/said")"
goes_on guest
progress guest
[ "$longest" -lt "$bystander_ms" ] || fail "a request of the guest took $longest ms"
set_hardware 'reset any polls=0'
finds guest '02.0004 02.0011 03.0004 03.0011 card02 card03'
goes_on guest
sum_up guest
over

begin "the last adapter goes while requests run: they fail, none hangs; it comes back, and they are right again"
change unassign_adapter 2
change unassign_adapter 3
finds guest ''
comes_to_fail guest
change assign_adapter 2
finds guest '02.0004 02.0011 card02'
goes_on guest
progress guest
sum_up guest
over

begin "device_del and device_add while RSA runs"
qmp guest '{"execute": "device_del", "arguments": {"id": "ap"}}' || fail "device_del"
soon 30 unplugged guest || fail "QEMU still has the device"
finds guest ''
comes_to_fail guest
qmp guest "{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"vfio-ap\", \"id\": \"ap\", \"sysfsdev\": \"$mdevs/$first\"}}" ||
	fail "device_add"
finds guest '02.0004 02.0011 card02'
goes_on guest
progress guest
sum_up guest
over

begin "the load ends: every operation has come back; poweroff leaves nothing"
load_ends guest
! complains guest || fail "the guest's kernel complains"
switched_off guest
nothing_left
unplug "$first"
end

finish
