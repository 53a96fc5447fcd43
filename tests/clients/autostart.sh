#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# autostart - an mdev that is defined with --auto comes with the module: uevent, udev, mdevctl
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh

module=/lib/modules-lab/vfio_ap.ko

# Without these directories mdevctl refuses to work; the package's installation makes them.
mkdir -p /etc/mdevctl.d /usr/lib/mdevctl/scripts.d/callouts /usr/lib/mdevctl/scripts.d/notifiers

define_both() {
	must mdevctl define -u "$first" -p matrix -t vfio_ap-passthrough --auto
	must mdevctl modify -u "$first" --addattr assign_adapter --value 5
	must mdevctl modify -u "$first" --addattr assign_domain --value 4
	must mdevctl define -u "$second" -p matrix -t vfio_ap-passthrough
}

undefine_both() {
	must mdevctl undefine -u "$first"
	must mdevctl undefine -u "$second"
}

# is_started: the one that is to be, with its queue, and not the other one
is_started() {
	soon 60 grep -q . "$mdevs/$first/guest_matrix" || fail "no mdev, or one without queues"
	holds "$mdevs/$first/matrix" "05.0004"
	holds "$mdevs/$first/guest_matrix" "05.0004"
	gone "$mdevs/$second" || fail "one was started that is not to be"
}

# rule_calls: the program in the udev rule of mdevctl
rule_calls() {
	sed -n 's|^ACTION=="change", ENV{MDEV_STATE}=="registered".* \(/[^ ]*/mdevctl\) .*|\1|p' /usr/lib/udev/rules.d/60-mdevctl.rules
}

# reload: the module as at the start of the machine; when udevd has done what it makes of that, nothing more is to be expected
reload() {
	must rmmod vfio_ap
	must insmod "$module"
	udevadm settle --timeout=60 || fail "udevd does not come to an end"
	grep -B 3 '^MDEV_STATE=' "$work/uevents" | tail -n 4 >"$work/said"
	note "the last uevent with MDEV_STATE: $(cat "$work/said")"
	said '^ACTION=change$' '^DEVPATH=/devices/vfio_ap/matrix$' '^MDEV_STATE=registered$'
	note "what the rule's program said: $(cat "$work/syslog")"
}

watch_udev() {
	start_udev
	udevadm monitor --kernel --property >"$work/uevents" 2>&1 </dev/null &
	echo $! >"$work/monitor.pid"
	# The rule gives all that mdevctl says to logger.
	syslogd -n -O "$work/syslog" </dev/null >/dev/null 2>&1 &
	echo $! >"$work/syslogd.pid"
	soon 20 grep -q '^KERNEL' "$work/uevents" || fail "udevadm monitor does not come up"
	soon 20 test -S /dev/log || fail "syslogd does not come up"
}

plan 3

begin "what the udev rule of mdevctl calls starts the mdevs that are defined with --auto, with their queues"
define_both
must mdevctl start-parent-mdevs matrix
is_started
must mdevctl stop -u "$first"
end

# Debian's rule calls /usr/sbin/mdevctl, but its package has it in /usr/bin. The link is what an administrator there has to make.
begin "udevd calls it when the module is loaded"
note "the rule calls $(rule_calls)"
if gone "$(rule_calls)"; then
	must ln -s "$(command -v mdevctl)" "$(rule_calls)"
fi
watch_udev
reload
is_started
end

begin "and each time that the module is loaded"
must mdevctl stop -u "$first"
reload
is_started
must mdevctl stop -u "$first"
undefine_both
end

finish
