"""Measurements in processes of their own: started, limited in time, their last line read as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent


class Failed(Exception):
    """A measurement that gave no figures; the message says why in a few words."""


def python(script: str, *arguments: object, limit: float = 900) -> dict[str, Any]:
    """What a script of this directory prints, and the seconds of its whole process."""
    return run([sys.executable, str(HERE / script), *arguments], limit=limit)


def node(script: str, *arguments: object, limit: float = 900) -> dict[str, Any]:
    """The same, by Node.js."""
    return run(["node", "--max-old-space-size=8192", str(HERE / script), *arguments], limit=limit)


def run(command: Sequence[object], *, limit: float) -> dict[str, Any]:
    """Runs the command; raises :class:`Failed` when it takes longer than ``limit`` seconds or fails."""
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            timeout=limit,
            cwd=ROOT,
            env=environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"not done after {limit:.0f} s") from error
    seconds = time.perf_counter() - start
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "Error" in line] or done.stderr.splitlines()
        raise Failed(said[-1].strip() if said else f"exit code {done.returncode}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**figures, "process seconds": seconds}


def environment() -> dict[str, str]:
    """Ours, but Python may keep compiled modules, as it does for everybody: they are not what is measured."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def peak_memory() -> float:
    """The largest resident set of this process so far, in MB. Linux only."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1e3
    raise OSError("/proc/self/status has no VmHWM")


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"  {text}", file=sys.stderr, flush=True)
