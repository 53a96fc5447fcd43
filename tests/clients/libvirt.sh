#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# libvirt - virsh: mdevs as node devices, and as host devices of a guest
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh
# shellcheck source=lib/libvirt.sh
. /tests/lib/libvirt.sh

device=$(node_name "$first")

plan 6

begin "nodedev-list --cap ap_matrix shows the matrix device, its XML what can be made of it"
start_libvirt
soon 30 listed ap_matrix --cap ap_matrix || fail "no ap_matrix"
nodes nodedev-list --cap ap_matrix || fail "nodedev-list"
said '^ap_matrix$'
nodes nodedev-dumpxml ap_matrix || fail "nodedev-dumpxml"
said "<type id='vfio_ap-passthrough'>" '<deviceAPI>vfio-ap</deviceAPI>' '<availableInstances>65536</availableInstances>'
nodes nodedev-list --cap ap_queue || fail "nodedev-list"
said '^ap_05_0004$'
logs
end
# There is nothing to be learned without the daemon.
[ "$failed" = 0 ] || finish

begin "nodedev-define and nodedev-start make an mdev with its adapters and domains"
cat >"$work/node.xml" <<END
<device>
  <parent>ap_matrix</parent>
  <capability type='mdev'>
    <type id='vfio_ap-passthrough'/>
    <uuid>$first</uuid>
    <attr name='assign_adapter' value='5'/>
    <attr name='assign_domain' value='4'/>
  </capability>
</device>
END
note "$(cat "$work/node.xml")"
nodes nodedev-define "$work/node.xml" || fail "nodedev-define"
said "'$device' defined"
soon 20 listed "$device" --inactive --cap mdev || fail "it is not among the inactive ones"
nodes nodedev-start "$device" || fail "nodedev-start"
soon 20 listed "$device" --cap mdev || fail "it is not among the active ones"
nodes nodedev-dumpxml "$device" || fail "nodedev-dumpxml"
said "<type id='vfio_ap-passthrough'/>" '<iommuGroup number='
holds "$mdevs/$first/matrix" "05.0004"
logs
end

begin "a guest of libvirt starts, paused"
cat >"$work/guest.xml" <<END
<domain type='kvm'>
  <name>guest</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='s390x' machine='s390-ccw-virtio'>hvm</type></os>
  <cpu mode='host-passthrough'/>
  <devices>
    <emulator>/usr/bin/qemu-system-s390x</emulator>
    <memballoc model='none'/>
  </devices>
</domain>
END
cat >"$work/hostdev.xml" <<END
<hostdev mode='subsystem' type='mdev' model='vfio-ap'>
  <source><address uuid='$first'/></source>
</hostdev>
END
note "$(cat "$work/guest.xml")"
guests create "$work/guest.xml" --paused || fail "create"
guests list || fail "list"
said 'guest +paused'
logs
end

begin "attach-device: the guest has the queue"
note "$(cat "$work/hostdev.xml")"
guests attach-device guest "$work/hostdev.xml" || fail "attach-device"
must lszcrypt -V 05.0004
holds /sys/devices/ap/card05/05.0004/status "in use"
if guests attach-device guest "$work/hostdev.xml"; then
	fail "twice the same"
fi
logs
end

begin "detach-device: the queue is free again"
guests detach-device guest "$work/hostdev.xml" || fail "detach-device"
soon 20 grep -qx assigned /sys/devices/ap/card05/05.0004/status || fail "the queue is not free"
must lszcrypt -V 05.0004
logs
end

# libvirt looks whether it can open the group itself; the driver is not asked to give anything back.
begin "nodedev-destroy is refused while a guest has it, and works when the guest has ended"
guests attach-device guest "$work/hostdev.xml" || fail "attach-device"
if nodes nodedev-destroy "$device"; then
	fail "it should have been refused"
fi
said 'device in use'
guests dumpxml guest || fail "dumpxml"
said '<hostdev'
must lszcrypt -V 05.0004
holds /sys/devices/ap/card05/05.0004/status "in use"
guests destroy guest || fail "destroy"
soon 20 grep -qx assigned /sys/devices/ap/card05/05.0004/status || fail "the queue is not free"
nodes nodedev-destroy "$device" || fail "nodedev-destroy without a guest"
gone "$mdevs/$first" || fail "the mdev is still there"
nodes nodedev-undefine "$device" || fail "nodedev-undefine"
logs
end

finish
