#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# guest - a guest in a real QEMU that runs: a small program looks at its queues, and AQIC goes through
#
# It is our own and asks for ever; linux.sh has guests that are more than that.
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

# rc ADDRESS: the response code in a status word
rc() {
	word guest "$1" | cut -c 11-12
}

# answers_with ADDRESS RC
answers_with() {
	[ "$(rc "$1")" = "$2" ]
}

advances() {
	[ "$(word guest 0x3018)" != "$1" ]
}

plan 5

begin "a guest that runs gets the answer of the hardware for its queue, and 01 for others"
plug "$first" 5 4
power_on guest -device "$(by_iommufd "$first")" -kernel /tests/lib/guest || fail "QEMU does not start"
qmp guest '{"execute": "cont"}' || fail "cont"
soon 30 advances 0000000000000000 || fail "the guest does not run"
qmp guest '{"execute": "query-status"}' || fail "QEMU is gone"
if [ "$failed" = 1 ]; then
	for what in 'info registers' 'xp /16gx 0x10000' 'xp /2gx 0x88' 'xp /4gx 0x140'; do
		qmp guest '{"execute": "human-monitor-command", "arguments": {"command-line": "'"$what"'"}}'
	done
fi
note "words of the guest: $(word guest 0x3000) $(word guest 0x3008) $(word guest 0x3010) $(word guest 0x3018)"
soon 10 answers_with 0x3000 00 || fail "TAPQ of 05.0004 ended with $(rc 0x3000)"
soon 10 answers_with 0x3008 01 || fail "TAPQ of 03.0004 ended with $(rc 0x3008)"
end

begin "its AQIC was answered 00 and is in the hardware"
answers_with 0x3010 00 || fail "AQIC ended with $(rc 0x3010)"
try grep -E '^irq' "$apemu"
said '^irq 05.0004 '
end

begin "an adapter comes and goes while it runs"
put "$mdevs/$first/assign_adapter" 3 || fail "assign_adapter"
soon 10 answers_with 0x3008 00 || fail "TAPQ of 03.0004 ended with $(rc 0x3008)"
put "$mdevs/$first/unassign_adapter" 3 || fail "unassign_adapter"
soon 10 answers_with 0x3008 01 || fail "TAPQ of 03.0004 ended with $(rc 0x3008)"
answers_with 0x3000 00 || fail "TAPQ of 05.0004 ended with $(rc 0x3000)"
end

begin "device_del while it runs: 01 for all, no interrupt left"
qmp guest '{"execute": "device_del", "arguments": {"id": "ap"}}' || fail "device_del"
soon 10 answers_with 0x3000 01 || fail "TAPQ of 05.0004 ended with $(rc 0x3000)"
soon 10 grep -q '^irq-on: 0' "$apemu" || fail "an interrupt is on"
quiet guest
qmp guest '{"execute": "query-status"}' || fail "QEMU is gone"
power_off guest
unplug "$first"
end

begin "a queue that is withheld: 01 for TAPQ and AQIC; when its reset is done, 00 for both"
set_hardware "reset 05.0004 never"
plug "$first" 5 4
power_on guest -device "$(by_iommufd "$first")" -kernel /tests/lib/guest || fail "QEMU does not start"
must cat "$mdevs/$first/withheld"
said '^05 05\.0004 (resetting|failed)$'
qmp guest '{"execute": "cont"}' || fail "cont"
soon 30 advances 0000000000000000 || fail "the guest does not run"
answers_with 0x3000 01 || fail "TAPQ of 05.0004 ended with $(rc 0x3000)"
answers_with 0x3010 01 || fail "AQIC ended with $(rc 0x3010)"
try grep '^irq-on:' "$apemu"
said '^irq-on: 0$'
set_hardware "reset any polls=0"
soon 10 answers_with 0x3000 00 || fail "TAPQ of 05.0004 ended with $(rc 0x3000)"
soon 10 answers_with 0x3010 00 || fail "AQIC ended with $(rc 0x3010)"
note "words of the guest: $(word guest 0x3000) $(word guest 0x3008) $(word guest 0x3010) $(word guest 0x3018)"
power_off guest
unplug "$first"
end

finish
