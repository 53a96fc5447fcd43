#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# autostart - an mdev that is defined with --auto is there after the module was loaded: uevent, udev, mdevctl
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

# Without these directories mdevctl refuses to work; the package's installation makes them.
mkdir -p /etc/mdevctl.d /usr/lib/mdevctl/scripts.d/callouts /usr/lib/mdevctl/scripts.d/notifiers

plan 1

begin "mdevctl define --auto: the mdev is there when the module is loaded"
must mdevctl define -u "$first" -p matrix -t vfio_ap-passthrough --auto
must mdevctl modify -u "$first" --addattr assign_adapter --value 5
must mdevctl modify -u "$first" --addattr assign_domain --value 4
start_udev
must rmmod vfio_ap
must insmod /lib/modules-lab/vfio_ap.ko
soon 60 test -e "$mdevs/$first/matrix" || fail "no mdev"
soon 20 grep -q . "$mdevs/$first/guest_matrix" || fail "an mdev without queues"
holds "$mdevs/$first/matrix" "05.0004"
holds "$mdevs/$first/guest_matrix" "05.0004"
if [ "$failed" = 1 ]; then
	note "$(grep -v -e 'Unknown group' -e 'Reading rules' "$work/udevd.log" | tail -n 100)"
fi
must mdevctl stop -u "$first"
must mdevctl undefine -u "$first"
end

finish
