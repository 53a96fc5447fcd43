# SPDX-License-Identifier: GPL-2.0-only
"""The verdict accepts a good boot, and rejects each boot with a fault for the right reason."""

from __future__ import annotations

import random

from ..boot import Boot
from ..verdict import Verdict
from .boots import BootTest


class GoodBoot(BootTest):
    def test_good(self):
        "a boot without a fault is accepted"
        self.accepts()

    def test_loaded_by_the_test(self):
        "a boot in which the test loads the driver is accepted"
        self.change("want", "load yes", "load no")
        self.change("report", "lab: fact unload clean", "lab: fact unload absent")
        self.drop("report", "lab: fact srcversion.*")
        self.accepts()

    def test_in_kernel_driver(self):
        "a boot with the in-kernel driver is accepted if that was wanted"
        self.change("want", "module driver", "module peer")
        self.change("report", "lab: fact taint O", "lab: fact taint ")
        self.accepts()

    def test_carriage_returns(self):
        "the ends of lines that a terminal makes do not matter"
        for name in self.files:
            self.files[name] = self.files[name].replace("\n", "\r\n")
        self.accepts()

    def test_skipped_test(self):
        "a test that was skipped as a whole is accepted, and says so"
        self.change("report", "lab: end fault-none 0", "lab: end fault-none 4")
        self.change("report", "ok 1 nothing is wrong", "ok 1 nothing is wrong # SKIP no card")
        self.accepts()
        self.assertIn("ok 1 fault-none # SKIP all of it", self.verdict().lines)

    def test_records_are_not_shown(self):
        "records stay out of what is shown"
        self.assertFalse([line for line in self.verdict().lines if "# json" in line])


class BadBoot(BootTest):
    def test_token(self):
        "no token, and the token of another boot"
        for text in ("", "fedcba9876543210\n", "0123456789abcde\n"):
            self.files["token"] = text
            self.rejects("not ok .* success token")

    def test_token_not_asked_for(self):
        "a boot that was asked for no token has no success"
        self.drop("want", "token .*")
        self.files["token"] = ""
        self.rejects("not ok .* success token")

    def test_lockdep_off(self):
        "lockdep is off at the end"
        self.change("report", "lab: fact debug_locks 1", "lab: fact debug_locks 0")
        self.rejects("not ok .* lockdep is still on")

    def test_lockdep_unknown(self):
        "no word about lockdep"
        self.drop("report", "lab: fact debug_locks 1")
        self.rejects("not ok .* lockdep is still on")

    def test_interrupt_on(self):
        "an interrupt is still on"
        self.change("report", "lab: fact irq-on 0", "lab: fact irq-on 1")
        self.rejects("not ok .* interrupt on")

    def test_pinned(self):
        "a page is still pinned"
        self.change("report", "lab: fact pins 0", "lab: fact pins 1")
        self.rejects("not ok .* pinned")

    def test_unload(self):
        "the module cannot be unloaded, or was never loaded"
        self.change("report", "lab: fact unload clean", "lab: fact unload failed: busy")
        self.rejects("not ok .* unloads")
        self.change("report", "lab: fact unload failed: busy", "lab: fact unload absent")
        self.rejects("not ok .* unloads")

    def test_other_module(self):
        "another module than the one just built"
        self.change("report", "lab: fact srcversion .*", "lab: fact srcversion FFFF")
        self.rejects("not ok .* just built")

    def test_module_of_the_tree(self):
        "a module of the kernel tree"
        self.change("report", "lab: fact taint O", "lab: fact taint ")
        self.rejects("not ok .* just built")

    def test_wrong_driver(self):
        "this module where the in-kernel driver was wanted"
        self.change("want", "module driver", "module peer")
        self.rejects("not ok .* just built")

    def test_module_in_the_tree(self):
        "this module in a kernel tree, with a taint and without"
        self.change("want", "module driver", "module in-tree")
        self.rejects("not ok .* just built")
        self.change("report", "lab: fact taint O", "lab: fact taint ")
        self.accepts()

    def test_unknown_wanted(self):
        "no word about the module that was wanted"
        self.drop("want", "module .*")
        self.change("report", "lab: fact taint O", "lab: fact taint ")
        self.rejects("not ok .* just built")

    def test_no_module(self):
        "no module was built"
        self.drop("report", "lab: fact srcversion .*")
        self.change("want", "srcversion .*", "srcversion ")
        self.rejects("not ok .* just built")

    def test_time_out(self):
        "QEMU timed out, failed, or was not seen to end"
        for how in ("timed out after 9 s", "failed with status 1: it crashed"):
            self.change("want", "qemu .*", f"qemu {how}")
            self.rejects(f"# QEMU {how}")
        self.drop("want", "qemu .*")
        self.rejects("not ok .* in time")

    def test_two_boots(self):
        "two boots that wrote to one directory"
        self.files["want"] += "qemu finished\n"
        self.rejects("not ok .* in time")


class BadTest(BootTest):
    def test_more_planned(self):
        "a plan with more results than came"
        self.change("report", r"1\.\.1", "1..2")
        self.rejects("# verdict: planned 2 results, saw 1")

    def test_less_planned(self):
        "a plan with fewer results than came"
        self.change("report", r"1\.\.1", "1..0")
        self.rejects("# verdict: planned 0 results, saw 1")

    def test_no_plan(self):
        "no plan"
        self.drop("report", r"1\.\.1")
        self.rejects("# verdict: result without a plan")

    def test_plan_twice(self):
        "a second plan"
        self.after("report", r"1\.\.1", "1..1")
        self.rejects("# verdict: a second plan")

    def test_nested_plan(self):
        "a nested plan that is not kept"
        self.after("report", r"1\.\.1", "  1..3", "  ok 1 a")
        self.rejects("# verdict: planned 3 results, saw 1")

    def test_nested_result(self):
        "a nested result that is not ok"
        self.after("report", r"1\.\.1", "  1..1", "  not ok 1 a")
        self.rejects("^not ok 1 fault-none")

    def test_wrong_number(self):
        "a result with a wrong number"
        self.change("report", "ok 1 .*", "ok 2 nothing is wrong")
        self.rejects("# verdict: result number 2 where 1 was expected")

    def test_duplicate(self):
        "a result that comes twice"
        self.after("report", "ok 1 .*", "ok 1 nothing is wrong")
        self.rejects("# verdict: result number 1 where 2 was expected")

    def test_duplicate_after_failure(self):
        "a pass that follows a failure of the same case"
        self.change("report", "ok 1 .*", r"not \g<0>\nok 1 nothing is wrong")
        self.rejects("^not ok 1 fault-none")

    def test_failure(self):
        "a result that is not ok"
        self.change("report", "ok 1 .*", r"not \g<0>")
        self.rejects("^not ok 1 fault-none")
        self.rejects("# verdict: exit status 0, but a result was not ok")

    def test_failure_and_skip(self):
        "a result that is not ok, and the exit status of a test that was skipped"
        self.change("report", "ok 1 .*", r"not \g<0>")
        self.change("report", "lab: end fault-none 0", "lab: end fault-none 4")
        self.rejects("^not ok 1 fault-none")

    def test_failure_without_number(self):
        "a failure without a number"
        self.after("report", r"1\.\.1", "not ok it fails")
        self.rejects("# verdict: a failed result without a number")

    def test_status(self):
        "an exit status of a test"
        self.change("report", "lab: end fault-none 0", "lab: end fault-none 1")
        self.rejects("# verdict: exit status 1")
        self.change("report", "lab: end fault-none 1", "lab: end fault-none 143")
        self.rejects("# verdict: exit status 143 .timed out or killed.")

    def test_no_end(self):
        "a test without an end"
        self.drop("report", "lab: end .*")
        self.rejects("# verdict: it never ended")

    def test_never_began(self):
        "a test that never began"
        self.change("want", "tests .*", r"\g<0> another")
        self.rejects("# verdict: it never began")

    def test_not_wanted(self):
        "a test that was not wanted"
        self.after("report", "lab: end .*", "lab: begin more", "1..1", "ok 1 a", "lab: end more 0")
        self.rejects("not ok .* every test of this boot began")

    def test_other_order(self):
        "tests in another order"
        self.change("want", "tests .*", "tests fault-none another")
        self.change("report", "lab: begin .*", r"lab: begin another\n1..1\nok 1 a\nlab: end another 0\n\g<0>")
        self.rejects("# verdict: another ran in its turn")

    def test_no_report(self):
        "no report at all"
        self.files["report"] = ""
        self.rejects("# verdict: it never began")

    def test_nothing(self):
        "no file at all"
        for name in self.files:
            self.files[name] = ""
        self.rejects("not ok .* verdict")


class Forged(BootTest):
    """Text of a test that looks like a success is no success."""

    def test_in_a_diagnostic(self):
        "a pass in a diagnostic, in a record, or in a message of the kernel"
        for line in ("# ok 1 nothing is wrong", '# json {"type": "case", "outcome": "pass", "number": 1}',
                     "# kernel: ok 1 nothing is wrong", '# json {"type": "result", "good": true}'):
            with self.subTest(line):
                self.setUp()
                self.after("report", r"1\.\.1", line)
                self.change("report", "ok 1 nothing.*", r"not \g<0>")
                self.rejects("^not ok 1 fault-none")

    def test_pass_and_no_failure(self):
        "a pass in the place of the result is counted, so that the result has a wrong number"
        self.after("report", r"1\.\.1", "ok 1 forged")
        self.rejects("# verdict: result number 1 where 2 was expected")

    def test_in_a_diagnostic_alone(self):
        "a pass in a diagnostic is no result"
        self.change("report", "ok 1 .*", "# ok 1 nothing is wrong")
        self.rejects("# verdict: planned 1 results, saw 0")

    def test_own_end(self):
        "a test that claims its own end, and then dies"
        self.after("report", "ok 1 .*", "lab: end fault-none 0")
        self.change("report", "lab: end fault-none 0\nlab: end fault-none 0",
                    "lab: end fault-none 0\nlab: end fault-none 139")
        self.rejects("not ok .* every test of this boot began")

    def test_facts(self):
        "a test that says the facts of the lab"
        self.drop("report", "lab: fact pins 0")
        self.after("report", "ok 1 .*", "lab: fact pins 0")
        self.rejects("not ok .* no page is pinned")
        self.rejects("# verdict: it speaks for the lab: lab: fact pins 0")

    def test_finish(self):
        "a test that says that the lab has finished"
        self.drop("report", "lab: finish")
        self.after("report", "ok 1 .*", "lab: finish")
        self.rejects("not ok .* init came to its end")

    def test_other_test(self):
        "a test that plays another test"
        self.change("want", "tests .*", "tests fault-none another")
        self.after("report", "ok 1 .*", "lab: end fault-none 0", "lab: begin another", "1..1", "ok 1 a",
                   "lab: end another 0")
        self.rejects("not ok .* every test of this boot began")

    def test_token_in_the_report(self):
        "the token in the report is not the token on its channel"
        self.after("report", "ok 1 .*", "0123456789abcdef")
        self.files["token"] = ""
        self.rejects("not ok .* success token")


class KernelLog(BootTest):
    def test_no_beginning(self):
        "a kernel log without a beginning"
        self.drop("console", ".*lab: start")
        self.rejects("not ok .* beginning and an end")

    def test_no_end(self):
        "a kernel log without an end"
        self.drop("console", ".*lab: finish")
        self.rejects("not ok .* beginning and an end")

    def test_other_way_round(self):
        "a kernel log that ends before it begins"
        self.drop("console", ".*lab: finish")
        self.files["console"] = "[    1.000000] lab: finish\n" + self.files["console"]
        self.rejects("not ok .* beginning and an end")

    COMPLAINTS = (
        "WARNING: possible circular locking dependency detected",
        "WARNING: possible recursive locking detected",
        "WARNING: suspicious RCU usage",
        "WARNING: CPU: 0 PID: 74 at vfio_ap_queue_poller+0x81c/0xa00 [vfio_ap]",
        "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585",
        "BUG: MAX_LOCKDEP_ENTRIES too low!",
        "INFO: trying to register non-static key.",
        "INFO: task test:99 blocked for more than 30 seconds.",
        "INFO: rcu_sched self-detected stall on CPU",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
        "BUG: KASAN: slab-use-after-free in free_it+0x12/0x34",
        "UBSAN: array-index-out-of-bounds in a.c:1:2",
        "refcount_t: underflow; use-after-free.",
        "list_add corruption. prev->next should be next",
        "Unable to handle kernel pointer dereference in virtual kernel address space",
        "Call Trace:",
        "kernel BUG at mm/slub.c:553!",
        "Kernel panic - not syncing: Fatal exception",
        "vfio_ap: Unknown symbol mdev_register_driver (err -2)",
        "lockdep: fixing recursive read, lock held when returning to user space!",
    )

    def test_complaints(self):
        "every kind of complaint, anywhere in a line"
        good = self.files["console"]
        for text in self.COMPLAINTS:
            for line in (f"[    9.000000] {text}", text, f"[    9.0000[    9.1] lab: end x{text}", f"{text}\r"):
                self.files["console"] = good
                self.after("console", r".*lab: begin.*", line)
                self.rejects("not ok .* no warning")

    def test_before_the_lab(self):
        "what the kernel says before the lab begins does not count"
        self.files["console"] = "[    1.000000] WARNING: early\n" + self.files["console"]
        self.accepts()

    def test_after_the_lab(self):
        "a complaint behind the end of the lab counts"
        self.files["console"] += "[   99.000000] Kernel panic - not syncing: late\n"
        self.rejects("not ok .* no warning")

    def test_split_splat(self):
        "a splat whose lines another CPU's messages interrupt is still seen"
        lines = ["[    8.1] ------------[ cut here ]------------", "[    8.1] WARN", "[    8.1] vfio_ap: loaded",
                 "ING: CPU: 0 PID: 1 at x", "[    8.1] Call", "[    8.1] another message",
                 "[    8.1] Krnl PSW : 0704c00180000000"]
        self.after("console", ".*lab: begin.*", *lines)
        self.rejects("not ok .* no warning")


class Random(BootTest):
    """What is damaged at random is rejected. The seed is fixed, so that a failure repeats."""

    def setUp(self) -> None:
        super().setUp()
        self.dice = random.Random(20)
        self.good = dict(self.files)

    def test_truncated(self):
        "each file, cut at any place"
        for name, text in self.good.items():
            whole = text.rstrip("\n")
            cuts = range(len(whole)) if len(whole) < 1500 else sorted(self.dice.sample(range(len(whole)), 400))
            for cut in cuts:
                self.files = {**self.good, name: whole[:cut]}
                self.assertFalse(self.verdict().good, f"{name} cut at {cut} of {len(whole)}")

    def test_line_lost(self):
        "any line of the report that counts is lost"
        lines = self.good["report"].split("\n")
        for at, line in enumerate(lines):
            if line and not line.startswith(("#", "lab: start", "lab: fact held-", "KTAP")):
                self.files["report"] = "\n".join(lines[:at] + lines[at + 1:])
                self.assertFalse(self.verdict().good, f"without: {line}")

    def test_line_twice(self):
        "any result, plan, beginning or end comes twice"
        lines = self.good["report"].split("\n")
        for at, line in enumerate(lines):
            if line.startswith(("ok", "1..", "lab: begin", "lab: end")):
                self.files["report"] = "\n".join(lines[:at + 1] + lines[at:])
                self.assertFalse(self.verdict().good, f"twice: {line}")

    def test_interleaved(self):
        "messages of the kernel between the lines of its log change nothing, complaints do"
        for _ in range(100):
            lines = self.good["console"].rstrip("\n").split("\n")
            start = next(at for at, line in enumerate(lines) if "lab: start" in line)
            for _ in range(5):
                lines.insert(self.dice.randrange(len(lines) + 1), "[    3.3] vfio_ap matrix: MDEV: Registered")
            self.files["console"] = "\n".join(lines)
            self.accepts()
            at = self.dice.randrange(start + 6, len(lines) + 1)
            lines.insert(at, "[    3.3] refcount_t: saturated; leaking memory.")
            self.files["console"] = "\n".join(lines)
            self.assertFalse(self.verdict().good, f"at {at}")

    def test_shuffled(self):
        "the lines of the report in another order"
        lines = [line for line in self.good["report"].split("\n") if line]
        for _ in range(200):
            first, second = sorted(self.dice.sample(range(len(lines)), 2))
            other = [*lines]
            other[first], other[second] = other[second], other[first]
            both = {lines[first].split(" ")[0], lines[second].split(" ")[0]}
            words = {" ".join(lines[at].split(" ")[:2]) for at in (first, second)}
            if words <= {"lab: fact", "lab: start"} or both & {"KTAP", "#"}:
                continue
            self.files["report"] = "\n".join(other)
            self.assertFalse(self.verdict().good, f"{lines[first]} <-> {lines[second]}")

    def test_noise(self):
        "bytes that are no text do not end the program"
        for name in self.good:
            noise = bytes(self.dice.randrange(256) for _ in range(3000))
            self.boot()
            (self.dir / name).write_bytes(noise)
            self.assertFalse(Verdict(Boot.read(self.dir)).good)
