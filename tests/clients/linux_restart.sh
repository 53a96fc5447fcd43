#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# linux_restart - a Linux guest that does RSA is reset, killed and rebooted, and one without interrupts polls
#
# lab.reboots=<n> on the kernel command line: so often it reboots.
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh
# shellcheck source=lib/linux.sh
. /tests/lib/linux.sh

gisa=/sys/module/kvm/parameters/use_gisa
reboots=$(sed -n 's/.*lab\.reboots=\([0-9]*\).*/\1/p' /proc/cmdline)
reboots=${reboots:-3}

system_reset() {
	qmp guest '{"execute": "system_reset"}' || fail "system_reset"
}

reboot_inside() {
	echo 'reboot -f' 1<>"$work/line.guest.in"
}

# up_again: with both queues, and RSA that is right
up_again() {
	is_up guest
	finds guest '02.0004 03.0004 card02 card03'
	gets_interrupts guest 02.0004
	calculates guest 3
}

polls() {
	ask guest 'cat /sys/bus/ap/devices/02.0004/interrupt' && grep -q 'Interrupts disabled' "$work/said"
}

plan 4

begin "system_reset under load: the guest boots again, and its RSA is right"
plug "$first" 2,3 4
boot_linux guest lean -device "$(by_group "$first")"
load_begins guest
progress guest
sum_up guest
anew guest system_reset
up_again
! complains guest || fail "the guest's kernel complains"
over

begin "kill -9 of QEMU under load, and a new one at once with the same mdev"
load_begins guest
progress guest
sum_up guest
killed guest
boot_linux guest lean -device "$(by_group "$first")"
up_again
over

begin "the guest reboots under load, $reboots times"
total=0
for round in $(seq "$reboots"); do
	load_begins guest
	progress guest
	total=$((total + right))
	[ "$wrong $failures" = '0 0' ] || fail "reboot $round: $wrong wrong, $failures failed $errors"
	anew guest reboot_inside
	up_again
	[ "$failed" = 0 ] || break
done
remark "guest: $total RSA operations right in $round lives, none failed, none wrong"
! complains guest || fail "the guest's kernel complains"
switched_off guest
nothing_left
over

begin "kvm.use_gisa=0: AQIC is refused, the guest polls, and its RSA is right"
read -r before <$gisa
put $gisa 0 || fail "use_gisa"
boot_linux guest lean -device "$(by_group "$first")"
finds guest '02.0004 03.0004 card02 card03'
polls || fail "the guest has an interrupt"
calculates guest 10
remark "guest: RSA operations: $right right, $failures failed, $wrong wrong; the longest took $longest ms"
try grep '^irq-on:' "$apemu"
said '^irq-on: 0$'
put $gisa "$before" || fail "use_gisa"
switched_off guest
nothing_left
unplug "$first"
end

finish
