# SPDX-License-Identifier: Apache-2.0
"""Figures of a benchmark: taken, compared with a bar, printed."""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

MEGABYTE = 1_000_000


@dataclass
class Process:
    """A program that ran to its end, by the kernel's own account."""

    command: list
    returncode: int
    milliseconds: float
    peak_megabytes: float  # resident memory of the program or, if larger, of one it started
    output: str  # stdout and stderr as they came, or stdout alone

    def __repr__(self):
        return f"$ {' '.join(self.command)}\nexit code {self.returncode}\n{self.output}"


def run_process(command, env=None, cwd=None, with_stderr=False):
    """Runs a program; fails unless it ends with 0.

    Its output goes to a file: reading it here would compete with the program for the processors.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile("w+", errors="replace") as output, tempfile.TemporaryFile(
        "w+", errors="replace"
    ) as errors:
        stderr = subprocess.STDOUT if with_stderr else errors
        started = time.perf_counter()
        child = subprocess.Popen(
            words, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=stderr
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        elapsed = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        peak = usage.ru_maxrss * 1024 / MEGABYTE
        process = Process(words, child.returncode, elapsed * 1000, peak, output.read())
        if process.returncode != 0:
            raise SystemExit(f"{process!r}\n{errors.read()}")
    return process


@dataclass
class Series:
    """One thing measured several times."""

    name: str
    unit: str = "ms"
    values: list = field(default_factory=list)

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    def to_json(self):
        return {
            "name": self.name,
            "unit": self.unit,
            "min": min(self.values),
            "median": self.median,
            "max": max(self.values),
            "values": self.values,
        }


@dataclass
class Bar:
    """What is promised of our figure beside the peer's, both by their medians.

    kind: 'ratio' (ours / peer), 'difference' (ours - peer), 'peak' (our largest alone) or 'median'
    (ours alone). Where there is no peer, it is ours.
    """

    name: str
    ours: Series
    peer: Series
    kind: str
    limit: float

    @property
    def ratio(self):
        return self.ours.median / self.peer.median

    @property
    def value(self):
        if self.kind == "ratio":
            return self.ratio
        if self.kind == "difference":
            return self.ours.median - self.peer.median
        if self.kind == "median":
            return self.ours.median
        return max(self.ours.values)

    @property
    def unit(self):
        return "x" if self.kind == "ratio" else self.ours.unit

    @property
    def is_met(self):
        return self.value <= self.limit

    def to_json(self):
        return {
            "name": self.name,
            "ours": self.ours.name,
            "peer": self.peer.name,
            "kind": self.kind,
            "ratio_of_medians": self.ratio,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "met": self.is_met,
        }


class Report:
    def __init__(self, benchmark, what, machine):
        """machine: {name: value} of what the figures depend on."""
        self.benchmark = benchmark
        self.what = what
        self.machine = machine
        self.series = []
        self.bars = []
        self.notes = []

    def measure(self, name, unit="ms"):
        self.series.append(Series(name, unit))
        return self.series[-1]

    def promise(self, *bar):
        self.bars.append(Bar(*bar))

    def note(self, text):
        self.notes.append(text)

    def print(self, as_json):
        print(json.dumps(self.to_json()) if as_json else self.to_text(), flush=True)

    def to_json(self):
        return {
            "benchmark": self.benchmark,
            "what": self.what,
            "machine": self.machine,
            "series": [one.to_json() for one in self.series],
            "bars": [bar.to_json() for bar in self.bars],
            "notes": self.notes,
        }

    def to_text(self):
        machine = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        lines = [f"{self.benchmark}: {self.what}", f"  {machine}", ""]
        lines.append(f"  {'':48}{'min':>9}{'median':>9}{'max':>9}      runs")
        for one in self.series:
            figures = "".join(
                f"{value:9.1f}" for value in (min(one.values), one.median, max(one.values))
            )
            lines.append(f"  {one.name:48}{figures} {one.unit:4}{len(one.values):5}")
        lines.append("")
        lines += [f"  note: {note}" for note in self.notes]
        for bar in self.bars:
            state = "met" if bar.is_met else "MISSED"
            figure = f"{bar.value:.2f} {bar.unit}"
            has_ratio = bar.kind != "ratio" and bar.peer is not bar.ours
            ratio = "" if not has_ratio else f" (ratio of medians {bar.ratio:.2f})"
            lines.append(f"  {state:6} {bar.name}: {figure}, bar {bar.limit:g} {bar.unit}{ratio}")
        return "\n".join(lines) + "\n"


def parse_arguments(description, rounds):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--rounds", type=int, default=rounds, help=f"how often both sides take turns ({rounds})"
    )
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments
