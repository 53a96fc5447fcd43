# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2317,SC2154 # functions are called by name, variables are those of story.sh
# libvirt.sh - a libvirtd for the scenarios, and virsh to talk to it. Read by them, after story.sh.
#
# Debian has libvirtd with the drivers of virtqemud and virtnodedevd in it. It runs as root, without what the lab's VM does not have (systemd,
# cgroups, seccomp, security drivers). Its guests stay paused.

# node_name UUID: the node device of an mdev
node_name() {
	echo "mdev_$(echo "$1" | tr - _)_matrix"
}

# start_libvirt: with what the packages' installation scripts, systemd and an administrator would have made
start_libvirt() {
	mkdir -p /etc/libvirt /etc/mdevctl.d /usr/lib/mdevctl/scripts.d/callouts /usr/lib/mdevctl/scripts.d/notifiers \
		/run/libvirt /var/lib/libvirt/qemu /var/log/libvirt/qemu /var/cache/libvirt/qemu
	printf '%s\n' 'root:x:0:0:root:/tmp:/bin/sh' 'libvirt-qemu:x:64055:994::/var/lib/libvirt:/usr/sbin/nologin' >/etc/passwd
	printf '%s\n' 'root:x:0:' 'kvm:x:994:' 'libvirt-qemu:x:64055:' >/etc/group
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	cat >/etc/libvirt/qemu.conf <<-END
		user = "root"
		group = "root"
		dynamic_ownership = 0
		remember_owner = 0
		security_driver = "none"
		cgroup_controllers = []
		namespaces = []
		seccomp_sandbox = 0
		stdio_handler = "file"
	END
	printf '%s\n' 'log_level = 3' "log_outputs = \"3:file:$work/libvirtd.log\"" 'auth_unix_rw = "none"' 'auth_unix_ro = "none"' \
		>/etc/libvirt/libvirtd.conf
	start_udev
	udevadm trigger --subsystem-match=matrix --subsystem-match=ap
	udevadm settle --timeout=20
	libvirtd -d -p "$work/libvirtd.pid" >"$work/libvirtd.out" 2>&1 || echo "# libvirtd does not start"
}

nodes() {
	try virsh -c nodedev:///system "$@"
}

guests() {
	try virsh -c qemu:///system "$@"
}

# listed NODE WORD...: nodedev-list with these options shows it
listed() {
	node=$1
	shift
	virsh -c nodedev:///system nodedev-list "$@" 2>/dev/null | grep -qx "$node"
}

unlisted() {
	! listed "$@"
}

# logs: what the daemons have to say, if a story went wrong
logs() {
	if [ "$failed" = 1 ]; then
		note "$(tail -n 20 "$work"/libvirtd.* /var/log/libvirt/qemu/*.log 2>&1)"
	fi
}
