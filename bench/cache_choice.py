#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The choice of past images out of an index of a million, and the size of that index."""

import json
import os
import sys
import tempfile
from pathlib import Path

from measure import Report, parse_arguments, run_process

IMAGES = int(os.environ.get("FRESHET_BENCH_IMAGES", 1_000_000))
PROGRAM = Path(__file__).resolve().parent.parent / "build" / "release" / "cache_choice"
KINDS = {
    "commit": "the next commit of a pipeline",
    "new_pipeline": "a new pipeline, common instructions",
    "torn": "two popular results no image shares",
}


def main():
    arguments = parse_arguments(__doc__, rounds=1000)
    if not PROGRAM.exists():
        sys.exit(f"there is no {PROGRAM}: run scripts/build")
    with tempfile.TemporaryDirectory(prefix="freshet-bench-") as parent:
        process = run_process([PROGRAM, Path(parent) / "data", IMAGES, arguments.rounds])
    figures = json.loads(process.output)
    report = Report(
        "cache_choice",
        f"choosing past images out of {figures['images']:,}",
        {"CPUs": os.cpu_count(), "load": f"{os.getloadavg()[0]:.1f}"},
    )
    report.note(
        f"{figures['instructions']:.1f} instructions an image, {figures['new_keys']:.1f} of them new; "
        f"recording one took {figures['record_ms']:.2f} ms"
    )
    for kind, name in KINDS.items():
        series = report.measure(name, "us")
        series.values = [1000 * value for value in figures[kind]["milliseconds"]]
        report.promise(name, series, series, "median", 1000)
        report.note(
            f"{name}: {100 * figures[kind]['share']:.1f} % of the time saved, "
            f"{figures[kind]['cut_short']} cut short"
        )
    size = report.measure("size of the index, by image", "B")
    size.add(figures["bytes"] / figures["images"])
    report.promise(size.name, size, size, "peak", 2000)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
