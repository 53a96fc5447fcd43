# SPDX-License-Identifier: GPL-2.0-only
# trouble.awk: prints the lines of a kernel log that say that the kernel found something wrong since the lab began; exit status 1 if any.

/lab: start/ { started = 1 }
!started { next }

# What the kernel says when it gives up, or survives something it should not have had to.
/WARNING:|BUG:|kernel BUG at|Kernel panic|Oops|Unable to handle kernel|Call Trace|Krnl PSW|Last Breaking-Event-Address/ { report(); next }
# Lockdep and the checks of sleeping, RCU and hanging.
/INFO: (possible|trying to register|task|rcu|lockdep|suspicious|inconsistent|HARDIRQ|SOFTIRQ)/ { report(); next }
/possible (circular|recursive) locking|inconsistent lock state|irq lock inversion|suspicious RCU usage|bad unlock balance/ { report(); next }
/held lock freed|lock held (when|at)|still held|sleeping function called|scheduling while atomic|Invalid wait context/ { report(); next }
/turning off the locking correctness validator|lockdep: |rcu: INFO|self-detected stall|detected stalls|soft lockup|workqueue lockup/ { report(); next }
# Memory and reference counts.
/KASAN|KCSAN|KMSAN|KFENCE|UBSAN|kmemleak:|refcount_t:|ODEBUG:|list_(add|del) corruption|Bad page state|Slab corruption/ { report(); next }
/Objects remaining|Poison overwritten|Redzone overwritten|Trying to vfree|double free|bad: scheduling from|Object already free/ { report(); next }
# Modules that do not fit.
/Unknown symbol|disagrees about version|Invalid module format|module .* is already loaded/ { report(); next }

function report() {
	sub(/\r$/, "")
	if (++lines <= 12)
		print
}

END { exit lines > 0 || !started }
