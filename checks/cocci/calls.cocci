// SPDX-License-Identifier: GPL-2.0-only
// calls: who calls whom, and which of these calls are made with a lock held. checks/held.awk makes findings of it.
// Each line is "@call caller callee file:line" or "@held ...". See macros.h for scoped_... and guard_...

@initialize:python@
@@
def say(kind, g, p):
    print(f"@{kind} {p[0].current_element} {g} {p[0].file}:{p[0].line}")

@call@
identifier g;
position p;
@@
g@p(...)

@script:python@
g << call.g;
p << call.p;
@@
say("call", g, p)

// What a function asserts to be held is held by what it calls afterwards.
@asserted exists@
identifier g;
position p;
@@
lockdep_assert_held(...);
... when != \(mutex_unlock\|spin_unlock\|vfio_ap_lock_release_outer\|vfio_ap_lock_release\)(...)
    when any
g@p(...)

@script:python@
g << asserted.g;
p << asserted.p;
@@
say("held", g, p)

// vfio_ap_lock_wait() lets go of what its caller took, and may take all of it again.
@acquired exists@
identifier g;
position p;
@@
\(vfio_ap_lock_acquire\|vfio_ap_lock_acquire_killable\|vfio_ap_lock_acquire_kvm\|vfio_ap_lock_try_guest\|vfio_ap_lock_all\|vfio_ap_lock_outer\|vfio_ap_assign_begin\|vfio_ap_lock_wait\)(...)
... when != \(vfio_ap_lock_release\|vfio_ap_lock_release_guest\|vfio_ap_lock_drop\|vfio_ap_lock_release_outer\|vfio_ap_lock_wait\)(...)
    when any
g@p(...)

@script:python@
g << acquired.g;
p << acquired.p;
@@
say("held", g, p)

@locked exists@
identifier g;
expression L;
position p;
@@
\(mutex_lock\|spin_lock\)(L)
... when != \(mutex_unlock\|spin_unlock\)(L)
    when != \(vfio_ap_lock_release\|vfio_ap_lock_drop\|vfio_ap_lock_wait\)(...)
    when any
g@p(...)

@script:python@
g << locked.g;
p << locked.p;
@@
say("held", g, p)

@scoped@
identifier g;
position p;
@@
while (\(scoped_mutex\|scoped_spinlock\|scoped_rwsem_write\|scoped_rwsem_read\)(...)) {
	<+... g@p(...) ...+>
}

@script:python@
g << scoped.g;
p << scoped.p;
@@
say("held", g, p)

@guarded exists@
identifier g;
position p;
@@
\(guard_mutex\|guard_spinlock\|guard_rwsem_write\|guard_rwsem_read\)(...);
...
    when any
g@p(...)

@script:python@
g << guarded.g;
p << guarded.p;
@@
say("held", g, p)
