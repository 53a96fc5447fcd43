#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# s390tools - lszcrypt, chzcrypt, chzdev and lszdev of s390-tools, next to mdevs and a guest
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

# rescan: now, not in half a minute
rescan() {
	put /sys/bus/ap/scans 1 || :
}

# modern: s390-tools of Debian 12 (2.16) show no status of a queue of vfio_ap and know no masks, those of Debian 13 (2.35) do. One whose
# version nobody understands has to.
modern() {
	minor=$(lszcrypt --version | sed -n 's/.*version 2\.\([0-9]*\).*/\1/p')
	[ "${minor:-99}" -ge 35 ]
}

# shows APQN STATUS: as lszcrypt -V says it
shows() {
	modern || return 0
	soon 10 sh -c "lszcrypt -V | grep -qE '^$1 .* $2 .* vfio_ap *\$'" || fail "lszcrypt -V does not show $1 as '$2'"
	must lszcrypt -V "$1"
}

plan 6

if modern; then
	begin "lszcrypt -V: whose queue is it, and is a guest using it"
	plug "$first" 5 4
	must lszcrypt -V
	said '^05\.0004 .* assigned .* vfio_ap' '^05\.0011 .* unassigned .* vfio_ap' '^01\.0047 .* unassigned .* vfio_ap'
	power_on guest -device "$(by_group "$first")" || fail "QEMU does not start"
	must lszcrypt -V
	said '^05\.0004 .* in use .* vfio_ap' '^05\.0011 .* unassigned .* vfio_ap'
	power_off guest
	shows 05.0004 assigned
	unplug "$first"
	shows 05.0004 unassigned
	end
else
	skip "lszcrypt -V: whose queue is it, and is a guest using it" "these s390-tools are too old"
fi

# The adapter stays in what QCI says, and answers 03 to everybody. C-7: that does not unplug it.
begin "chzcrypt --config-off and --config-on of a card that a guest uses: it stays, and resets meanwhile are no errors"
plug "$first" 3,5 4
power_on guest -device "$(by_iommufd "$first")" || fail "QEMU does not start"
holds "$mdevs/$first/guest_matrix" "03.0004 05.0004"
must chzcrypt --config-off 5
rescan
must lszcrypt
said '^05 .* deconfig' '^03 .* online'
holds "$mdevs/$first/guest_matrix" "03.0004 05.0004"
qmp guest '{"execute": "system_reset"}' || fail "system_reset"
holds "$mdevs/$first/guest_matrix" "03.0004 05.0004"
must chzcrypt --config-on 5
rescan
soon 20 sh -c "lszcrypt | grep -q '^05 .* online'" || fail "the card does not come back"
must lszcrypt
soon 20 grep -q 05.0004 "$mdevs/$first/guest_matrix" || fail "the guest does not get the adapter back"
shows 05.0004 'in use'
qmp guest '{"execute": "system_reset"}' || fail "system_reset"
holds "$mdevs/$first/guest_matrix" "03.0004 05.0004"
holds "$mdevs/$first/matrix" "03.0004 05.0004"
quiet guest
power_off guest
unplug "$first"
end

if modern; then
	begin "chzdev -t ap reads and writes the masks"
	must chzdev -t ap apmask=+0xff -a
	must cat /sys/bus/ap/apmask
	said '^0x0*1$'
	must lszdev -t ap --info
	must lszdev -t ap -a
	said apmask aqmask
	must chzdev -t ap apmask=-0xff -a
	must cat /sys/bus/ap/apmask
	said '^0x0*$'
	end
else
	skip "chzdev -t ap reads and writes the masks" "these s390-tools are too old"
fi

if modern; then
	begin "chzdev -t ap refuses to take a queue from an mdev, and nothing changes"
	put /sys/bus/ap/aqmask 0x0 || fail "aqmask"
	put /sys/bus/ap/apmask +5 || fail "apmask"
	plug "$first" 5 4
	refused chzdev -t ap aqmask=+4 -a
	must cat /sys/bus/ap/aqmask
	said '^0x0*$'
	holds "$mdevs/$first/matrix" "05.0004"
	unplug "$first"
	must chzdev -t ap aqmask=+4 -a
	must cat /sys/bus/ap/aqmask
	said '^0x08'
	must chzdev -t ap aqmask=-4 apmask=-5 -a
	end
else
	skip "chzdev -t ap refuses to take a queue from an mdev, and nothing changes" "these s390-tools are too old"
fi

begin "what chzdev cannot see, the driver refuses: a mask that takes a queue from an mdev"
put /sys/bus/ap/apmask 0x0 || fail "apmask"
put /sys/bus/ap/aqmask +4 || fail "aqmask"
plug "$first" 5 4
if put /sys/bus/ap/apmask +5; then
	fail "it should have been refused"
fi
said 'busy'
unplug "$first"
put /sys/bus/ap/aqmask 0x0 || fail "aqmask"
end

begin "lszdev and lszcrypt -b and -d work with all queues in the hands of vfio_ap"
must lszdev
must lszcrypt -b
said ap_max_domain_id
must lszcrypt -d
said 'B: Both'
end

put /sys/bus/ap/aqmask 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
put /sys/bus/ap/apmask 0x0
finish
