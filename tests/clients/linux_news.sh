#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# linux_news - with a QEMU that passes on that the AP configuration changed, a Linux guest sees it at once; iommufd
#
# Older ones do not; linux_plug.sh is about what the guest finds by looking itself.
# shellcheck disable=SC2317 # functions that are called by name
# shellcheck source=lib/story.sh
. /tests/lib/story.sh
# shellcheck source=lib/linux.sh
. /tests/lib/linux.sh

# The guest looks by itself so seldom that it cannot be the reason.
seldom=120
at_once=60

# told VM EXPECTED WHAT
told() {
	uptime
	since=$up
	soon "$at_once" devices "$1" "$2" || fail "$3: the guest's AP bus has '$(cat "$work/said")' instead of '$2' after $at_once s"
	uptime
	remark "$3: the guest knew it after $((up - since)) s"
}

plan 3
set_hardware 'card 2 service=rsa'

begin "QEMU with iommufd: a Linux guest finds its queue, and its RSA is right"
plug "$first" 2 4
boot_linux guest lean -device "$(by_iommufd "$first")"
finds guest '02.0004 card02'
load_begins guest
over

begin "it hears of what comes and goes (CFG_CHG), while RSA runs"
ask guest "echo $seldom >/sys/bus/ap/config_time" || fail "config_time"
put "$mdevs/$first/assign_adapter" 5 || fail "assign_adapter"
told guest '02.0004 05.0004 card02 card05' "assign_adapter"
put "$mdevs/$first/assign_domain" 0x11 || fail "assign_domain"
told guest '02.0004 02.0011 05.0004 05.0011 card02 card05' "assign_domain"
put "$mdevs/$first/unassign_adapter" 5 || fail "unassign_adapter"
told guest '02.0004 02.0011 card02' "unassign_adapter"
goes_on guest
over

begin "the load ends, and poweroff leaves nothing"
load_ends guest
[ "$failures" = 0 ] || fail "$failures failed: $errors"
! complains guest || fail "the guest's kernel complains"
switched_off guest
nothing_left
unplug "$first"
end

set_hardware 'card 2 service=echo'
finish
