#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# autostart - an mdev that is defined with --auto comes with the module: uevent, udev, mdevctl
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

# Without these directories mdevctl refuses to work; the package's installation makes them.
mkdir -p /etc/mdevctl.d /usr/lib/mdevctl/scripts.d/callouts /usr/lib/mdevctl/scripts.d/notifiers

plan 2

begin "what the udev rule of mdevctl calls starts the mdevs that are defined with --auto, with their queues"
must mdevctl define -u "$first" -p matrix -t vfio_ap-passthrough --auto
must mdevctl modify -u "$first" --addattr assign_adapter --value 5
must mdevctl modify -u "$first" --addattr assign_domain --value 4
must mdevctl define -u "$second" -p matrix -t vfio_ap-passthrough
must mdevctl start-parent-mdevs matrix
holds "$mdevs/$first/matrix" "05.0004"
soon 20 grep -q . "$mdevs/$first/guest_matrix" || fail "an mdev without queues"
holds "$mdevs/$first/guest_matrix" "05.0004"
gone "$mdevs/$second" || fail "one was started that is not to be"
must mdevctl stop -u "$first"
must mdevctl undefine -u "$first"
must mdevctl undefine -u "$second"
end

skip "udevd calls it when the module is loaded" \
	"with systemd-udevd in this chroot no mdev was there within three minutes; not found out why"

finish
