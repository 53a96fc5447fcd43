# SPDX-License-Identifier: GPL-2.0-only
# held: reads what checks/cocci/calls.cocci prints; finds calls under a lock that end up, however deep, in something that is not to be
# called there. Calls through pointers are not followed.

function forbid(why, names,   list, n) {
	n = split(names, list)
	while (n)
		bad[list[n--]] = why
}

BEGIN {
	forbid("waits", "msleep ssleep fsleep usleep_range schedule schedule_timeout schedule_timeout_interruptible " \
		"schedule_timeout_uninterruptible schedule_timeout_killable wait_event wait_event_timeout wait_event_killable " \
		"wait_event_killable_timeout wait_event_interruptible wait_event_interruptible_timeout wait_for_completion " \
		"wait_for_completion_timeout wait_for_completion_killable flush_work flush_workqueue drain_workqueue " \
		"flush_delayed_work cancel_work_sync cancel_delayed_work_sync destroy_workqueue hrtimer_cancel synchronize_rcu " \
		"synchronize_srcu rcu_barrier")
	forbid("touches memory of user space", "copy_from_user copy_to_user get_user put_user __get_user __put_user " \
		"copy_struct_from_user clear_user strncpy_from_user memdup_user memdup_user_nul kvm_read_guest kvm_write_guest")
	forbid("pins or returns a pin", "vfio_pin_pages vfio_unpin_pages vfio_dma_rw uv_pin_shared")
	forbid("may destroy a VM", "kvm_put_kvm kvm_put_kvm_no_destroy")
	forbid("allocates", "kmalloc kzalloc kcalloc kmalloc_array kvzalloc kvmalloc kmemdup kasprintf alloc_workqueue")
}

# Functions that let go of their caller's locks before they do anything of the kind.
function lets_go(name) {
	return name ~ /^vfio_ap_lock_(wait|drop|release)$/
}

/^@call / && !lets_go($2) {
	if (!(($2, $3) in edge)) {
		edge[$2, $3] = 1
		callees[$2] = callees[$2] " " $3
	}
}

/^@held / {
	held[$2 " " $3 " " $4] = 1
}

# path: how a function gets to something forbidden, "" if it does not
function path(name,   list, n, i, found) {
	if (name in bad)
		return name "(), which " bad[name]
	if (name in known)
		return known[name]
	known[name] = ""
	n = split(callees[name], list)
	for (i = 1; i <= n; i++) {
		found = path(list[i])
		if (found != "") {
			known[name] = name "(), " found
			break
		}
	}
	return known[name]
}

END {
	for (call in held) {
		split(call, part)
		found = path(part[2])
		if (found != "")
			print part[3] ": with a lock held, " part[1] "() calls " found
		seen++
	}
	if (seen < 100)
		print "only " seen + 0 " calls with a lock held were found: the rules do not fit the code any more"
}
