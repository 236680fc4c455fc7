"""What the demo shows while it runs, and what it adds up: steps with their time and gas."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn


@dataclass
class Step:
    """One step: ``gas`` spent on the chain, ``detail`` for the person who watches."""

    name: str
    seconds: float = 0.0
    gas: int = 0
    detail: str = ""


@dataclass
class Stage:
    """Runs steps one after the other, drawing a bar for each and a line when it is done."""

    console: Console
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[tuple[Step, Callable[[int], None]]]:
        """A step to fill in, and a callback that advances its bar."""
        step = Step(name)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        started = time.perf_counter()
        with Progress(
            *columns, console=self.console, transient=True, disable=not self.console.is_terminal
        ) as bars:
            task = bars.add_task(name, total=total)
            yield step, lambda count: bars.advance(task, count)
        step.seconds = time.perf_counter() - started
        self.steps.append(step)
        gas = f"{step.gas:>11,} gas" if step.gas else " " * 15
        self.console.print(
            f"[green]✓[/green] {name:<24}[dim]{step.seconds:6.2f} s {gas}[/dim]  {step.detail}",
            highlight=False,
            soft_wrap=True,
        )
