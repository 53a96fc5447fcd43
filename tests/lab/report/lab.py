# SPDX-License-Identifier: GPL-2.0-only
"""Where the lab is, what it was told, and what it can do: boot. Set up by tests/lab/settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from .records import DRIVERS, IN_KERNEL, About

LAB = Path(__file__).resolve().parent.parent
REPO = LAB.parent.parent


class LabError(Exception):
    """Something that the user is told in one sentence."""


def out() -> Path:
    return Path(os.environ.get("OUT") or REPO / "out")


def kernel() -> str:
    return os.environ.get("KERNEL") or "6.12"


def results() -> Path:
    """Where the data of runs goes."""
    return out() / "results"


def say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)


def drivers() -> list[str]:
    """Those that WHO leaves."""
    who = os.environ.get("WHO")
    if who and who not in DRIVERS:
        raise LabError(f"WHO={who} is neither of: {' '.join(DRIVERS)}")
    return [who] if who else list(DRIVERS)


def left_out() -> list[str]:
    return (os.environ.get("LEAVE_OUT") or "").split()


def directory_of(driver: str) -> str:
    """As tests/lab/modules and tests/lab/peer call it."""
    return "peer" if driver == IN_KERNEL else "driver"


def output_of(*command: str | Path, **environment: str) -> str:
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, **environment}, cwd=REPO)
    if done.returncode:
        raise LabError(f"{command[0]} failed with status {done.returncode}")
    return done.stdout.strip()


def boot(name: str, seconds: int, append: str, tests: list[str], **environment: str) -> Path:
    """Boot the virtual machine; the directory with the four files of the boot."""
    where = Path(environment.get("OUT") or out()) / "boot" / name
    subprocess.run([str(LAB / "boot"), name, str(seconds), append, *tests], check=True,
                   stdin=subprocess.DEVNULL, env={**os.environ, **environment})
    return where


def runs() -> list[tuple[str, str, list[str]]]:
    """The lines of tests/runs: name, extra kernel command line, tests."""
    found = []
    for line in (REPO / "tests" / "runs").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line:
            name, append, tests = (re.sub(r"\s+", " ", part.strip()) for part in line.split("|"))
            found.append((name, append, tests.split()))
    return found


def version() -> str:
    return [line for line in (REPO / "VERSION").read_text().split("\n") if line[:1].isdigit()][0]


def commit() -> str:
    """With "+" behind it if the work tree has changes."""
    try:
        name = output_of("git", "rev-parse", "--short=12", "HEAD")
        return name + ("+" if output_of("git", "status", "--porcelain", "--untracked-files=no") else "")
    except (LabError, FileNotFoundError):
        return ""


def about(what: str, missing: list[str]) -> About:
    source = Path(output_of(LAB / "kernel", "source"))
    qemu = output_of("qemu-system-s390x", "--version").split("\n")[0]
    return About(what, kernel(), source.name, datetime.now(timezone.utc).strftime("%Y-%m-%d"), commit(),
                 version(), qemu, missing)
