# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2317,SC2034 # functions are called by name, variables are for those who read this file
# story.sh: what the scenarios with real clients have in common. Read by them, run by the lab's VM in the clients' file system.
#
# A scenario is a list of stories, one KTAP result each: begin, what is done and expected, end. All that the clients printed meanwhile is
# evidence, shown if the story fails, or always with lab.transcript=yes on the kernel command line.

matrix=/sys/devices/vfio_ap/matrix
mdevs=/sys/bus/mdev/devices
apemu=/sys/kernel/debug/apemu/ctl
# Two guests that everybody can tell apart in a log.
first=aaaaaaaa-1111-4111-8111-111111111111
second=bbbbbbbb-2222-4222-8222-222222222222

# A QEMU that takes longer to start or to end hangs. It takes five, but on a machine with many others it was seen to take more than 60.
qemu_seconds=180

# Sockets and logs of everything that is started; its evidence.
work=$(mktemp -d /run/story.XXXXXX)
evidence=$work/evidence
number=0
broken=0
transcript=no
grep -q lab.transcript=yes /proc/cmdline && transcript=yes

# wanted NUMBER: TEST=name:3+5 asks for two of its stories only; a scenario whose stories do not need each other looks here
wanted() {
	case +${KTAP_CASES-$1}+ in
	*+"$1"+*) ;;
	*) return 1 ;;
	esac
}

plan() {
	echo "KTAP version 1"
	echo "1..$1"
}

begin() {
	story=$1
	failed=0
	: >"$evidence"
	: >"$work/remarks"
	: >"$work/records"
}

note() {
	printf '%s\n' "$*" >>"$evidence"
}

# remark TEXT: what a reader wants to know of a story that is fine, too
remark() {
	note "$*"
	printf '%s\n' "$*" >>"$work/remarks"
}

# fail WHY: the story goes on, what follows may explain it
fail() {
	note "FAILED: $*"
	printf '# json {"type": "broken", "relation": "story", "promise": "%s"}\n' \
		"$(printf '%s' "$*" | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g')" >>"$work/records"
	failed=1
}

end() {
	number=$((number + 1))
	cat "$work/records"
	if [ "$failed" = 1 ]; then
		printf 'not '
		broken=1
	fi
	echo "ok $number $story"
	if [ "$failed" = 1 ] || [ "$transcript" = yes ]; then
		sed 's/^/# /' "$evidence"
	else
		sed 's/^/# /' "$work/remarks"
	fi
}

# skip STORY WHY
skip() {
	number=$((number + 1))
	echo "ok $number $1 # SKIP $2"
}

# try COMMAND...: what somebody types, and what comes back; its output stays in $work/said
try() {
	note "\$ $*"
	"$@" >"$work/said" 2>&1 </dev/null
	status=$?
	cat "$work/said" >>"$evidence"
	[ "$status" = 0 ] || note "(exit status $status)"
	return "$status"
}

# must COMMAND...
must() {
	try "$@" || fail "it should have worked"
}

# refused COMMAND...
refused() {
	if try "$@"; then
		fail "it should have been refused"
	fi
}

# said PATTERN...: the last command printed a line like each of these
said() {
	for pattern; do
		grep -qE -- "$pattern" "$work/said" || fail "it did not say '$pattern'"
	done
}

# never_said PATTERN...
never_said() {
	for pattern; do
		if grep -qE -- "$pattern" "$work/said"; then
			fail "it said '$pattern'"
		fi
	done
}

# same WHAT EXPECTED FOUND
same() {
	[ "$2" = "$3" ] || fail "$1 is '$3' instead of '$2'"
}

# listing FILE: one line, however many it has
listing() {
	tr '\n' ' ' <"$1" | sed 's/ $//'
}

# holds FILE EXPECTED: what an attribute says
holds() {
	note "\$ cat $1"
	note "$(cat "$1" 2>&1)"
	same "$1" "$2" "$(listing "$1" 2>&1)"
}

# put FILE VALUE: a write to an attribute
put() {
	note "\$ echo $2 > $1"
	# shellcheck disable=SC2320 # echo fails if the attribute refuses
	echo "$2" 2>"$work/said" >"$1" || {
		cat "$work/said" >>"$evidence"
		return 1
	}
}

# uptime: in whole seconds; a process for that would take longer than it takes to look
uptime() {
	read -r up _ </proc/uptime
	up=${up%.*}
}

# soon SECONDS COMMAND...: something that happens by itself, and in time
soon() {
	uptime
	deadline=$((up + $1))
	shift
	until "$@" 2>/dev/null; do
		uptime
		[ "$up" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# plug QUEUES...: a new mdev; UUID ADAPTERS DOMAINS, both lists with commas
plug() {
	put "$matrix/mdev_supported_types/vfio_ap-passthrough/create" "$1" || fail "no mdev $1"
	for id in $(echo "$2" | tr , ' '); do
		put "$mdevs/$1/assign_adapter" "$id" || fail "adapter $id of $1"
	done
	for id in $(echo "$3" | tr , ' '); do
		put "$mdevs/$1/assign_domain" "$id" || fail "domain $id of $1"
	done
}

unplug() {
	[ ! -e "$mdevs/$1" ] || put "$mdevs/$1/remove" 1 || fail "mdev $1 cannot be removed"
}

gone() {
	[ ! -e "$1" ]
}

# dead PID: gone, or a zombie that only waits for its parent to look. A process whose first thread is a zombie still has its files
# open as long as there are other threads. No process is started for that, because it is asked often.
dead() {
	for stat in "/proc/$1/task"/*/stat; do
		{ read -r line <"$stat"; } 2>/dev/null || continue
		case ${line##*) } in
		Z* | X*) ;;
		*) return 1 ;;
		esac
	done
}

# group UUID: the character device of its VFIO group; cdev UUID: its own
group() {
	echo "/dev/vfio/$(basename "$(readlink "$mdevs/$1/iommu_group")")"
}

# by_group UUID, by_iommufd UUID: what QEMU is to be told to get that mdev in either way
by_group() {
	echo "vfio-ap,id=ap,sysfsdev=$mdevs/$1"
}

by_iommufd() {
	echo "vfio-ap,id=ap,sysfsdev=$mdevs/$1,iommufd=iommufd0"
}

# qmp NAME COMMAND: to a running QEMU
qmp() {
	note "(qmp $1) $2"
	/tests/lib/qmp "$work/$1.qmp" "$2" >"$work/said" 2>&1
	status=$?
	cat "$work/said" >>"$evidence"
	return "$status"
}

# answers NAME: its monitor does, or never will. It has its socket long before it answers; qmp waits for that.
answers() {
	if [ -S "$work/$1.qmp" ]; then
		/tests/lib/qmp "$work/$1.qmp" '{"execute": "query-status"}' >/dev/null 2>&1 || dead "$(pid "$1")"
	else
		dead "$(pid "$1")"
	fi
}

# power_on NAME ARGUMENT...: the QEMU of this release, with a guest that waits for a start that never comes. The device is set up,
# plugged, reset and unplugged all the same. Returns when its monitor answers; fails if it ends instead.
power_on() {
	vm=$1
	shift
	rm -f "$work/$vm."*
	note "\$ qemu-system-s390x -accel kvm -cpu host -S ... $*"
	qemu-system-s390x -accel kvm -cpu host -S -M s390-ccw-virtio -m 64M -nodefaults -display none -no-user-config \
		-qmp "unix:$work/$vm.qmp,server=on,wait=off" -qmp "unix:$work/$vm.more,server=on,wait=off" \
		-object iommufd,id=iommufd0 "$@" >"$work/$vm.stderr" 2>&1 </dev/null &
	echo $! >"$work/$vm.pid"
	soon "$qemu_seconds" answers "$vm" || fail "QEMU neither answers nor ends"
	cp "$work/$vm.stderr" "$work/said"
	cat "$work/said" >>"$evidence"
	! dead "$(pid "$vm")"
}

# word NAME ADDRESS: a doubleword of guest memory
word() {
	/tests/lib/qmp "$work/$1.qmp" '{"execute": "human-monitor-command", "arguments": {"command-line": "xp /1gx '"$2"'"}}' |
		sed -n 's/.*0x\([0-9a-f]*\)[^0-9a-fx]*"}.*/\1/p'
}

# watch_events NAME: collects them from now on
watch_events() {
	/tests/lib/qmp "$work/$1.more" >"$work/$1.events" 2>/dev/null </dev/null &
	soon 20 grep -q watching "$work/$1.events" || fail "QEMU does not let us watch"
}

# pid NAME
pid() {
	read -r id <"$work/$1.pid"
	echo "$id"
}

# power_off NAME: as the user of a QEMU does it
power_off() {
	if [ -f "$work/$1.pid" ]; then
		qmp "$1" '{"execute": "quit"}' || :
		soon "$qemu_seconds" dead "$(pid "$1")" || fail "QEMU does not end"
	fi
}

# quiet NAME: QEMU had nothing to complain about from its start to now
quiet() {
	if [ -s "$work/$1.stderr" ]; then
		note "QEMU complains: $(cat "$work/$1.stderr")"
		fail "QEMU has something to say on stderr"
	fi
}

# plugged NAME: has this QEMU a vfio-ap device?
plugged() {
	/tests/lib/qmp "$work/$1.qmp" '{"execute": "qom-list", "arguments": {"path": "/machine/peripheral"}}' | grep -q vfio-ap
}

unplugged() {
	! plugged "$1"
}

# start_udev: the daemon believes that it has nothing to do in a chroot, unless told otherwise
start_udev() {
	mkdir -p /etc/udev
	export SYSTEMD_IGNORE_CHROOT=1
	/usr/lib/systemd/systemd-udevd >"$work/udevd.log" 2>&1 </dev/null &
	echo $! >"$work/udevd.pid"
	# Its rules take seconds to read here.
	soon 60 udevadm control --ping --timeout=60 || fail "udevd does not come up"
}

# clear_away: after each story nothing is left, whatever happened in it
clear_away() {
	for file in "$work"/*.pid; do
		id=
		# Some write theirs without an end of line, which read takes for a failure.
		! [ -f "$file" ] || read -r id <"$file" || :
		if [ -n "$id" ] && ! dead "$id"; then
			kill -9 "$id" 2>/dev/null
			soon 30 dead "$id"
		fi
		rm -f "$file"
	done
	for uuid in "$first" "$second"; do
		[ ! -e "$mdevs/$uuid" ] || echo 1 >"$mdevs/$uuid/remove"
	done
}

# set_hardware COMMAND: what the emulated adapters do from now on
set_hardware() {
	note "\$ echo $1 > $apemu"
	echo "$1" >"$apemu" || fail "the emulator does not know that"
}

# hardware_as_it_was: for the next scenario
hardware_as_it_was() {
	printf '%s\n' 'reset any polls=0' 'card 5 standby off' >"$apemu"
}

finish() {
	clear_away
	hardware_as_it_was
	rm -rf "$work"
	exit "$broken"
}
trap 'clear_away' EXIT
