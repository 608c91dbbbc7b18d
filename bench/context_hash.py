#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The digest of a build context of 100,000 files and 2.1 GB, the first time and again unchanged."""

import os
import shutil
import tempfile
from pathlib import Path

from measure import Report, parse_arguments, run_process
from stage import Freshet, freshet_binary
from trees import write_tree

FILES = 100_000
FOLDERS = 2_000
MEDIAN_BYTES = 11_500
MAX_BYTES = 2_000_000
FIRST_BAR_RATIO = 1.2
AGAIN_BAR_MILLISECONDS = 500

# All processors, several files a process: the quickest that these tools allow.
PEER = "find . -type f -print0 | xargs -0 -n 200 -P $(nproc) sha256sum | sort -k 2 | sha256sum"


def main():
    arguments = parse_arguments(__doc__, rounds=5)
    machine = {"CPUs": os.cpu_count(), "load": f"{os.getloadavg()[0]:.1f}"}
    report = Report("context_hash", __doc__, machine)
    with tempfile.TemporaryDirectory(prefix="freshet-bench-") as name:
        directory = Path(name)
        tree = directory / "tree"
        total = write_tree(tree, FILES, FOLDERS, MEDIAN_BYTES, MAX_BYTES)
        (tree / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
        report.note(f"{FILES} files, {total / 1e6:.0f} MB in all, in the page cache")
        freshet = Freshet(freshet_binary(), directory / "freshet", engine=None)

        ours_first = report.measure("freshet cache context, first")
        peer = report.measure("sha256sum on all processors")
        ours_again = report.measure("freshet cache context, unchanged")
        digests = set()

        def digest(series):
            command = freshet.command("cache", "context", tree)
            ended = run_process(command, env=freshet.environment(), cwd=directory)
            series.add(ended.milliseconds)
            digests.add(ended.output.split(": ")[0])

        def take_turns():
            shutil.rmtree(freshet.data_dir / "contexts", ignore_errors=True)
            digest(ours_first)
            peer.add(run_process(["sh", "-c", PEER], cwd=tree).milliseconds)
            digest(ours_again)

        take_turns()  # once uncounted: all is read from memory by then, for both sides
        for one in report.series:
            one.values.clear()
        for _ in range(arguments.rounds):
            take_turns()

    assert len(digests) == 1, digests
    report.promise("first", ours_first, peer, "ratio", FIRST_BAR_RATIO)
    report.promise("unchanged", ours_again, ours_again, "peak", AGAIN_BAR_MILLISECONDS)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
