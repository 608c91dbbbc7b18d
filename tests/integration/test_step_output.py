# SPDX-License-Identifier: Apache-2.0
"""What freestyle steps print, in every form and amount."""

import re
import subprocess
from pathlib import Path


def test_a_last_line_without_line_break_is_told(steps):
    run = steps("check: {image: '${{BASE}}', commands: ['printf \"one\\ntwo\"']}")

    assert run["check"].log[-2:] == ["one", "two"]


def test_both_streams_are_told(steps):
    run = steps("check: {image: '${{BASE}}', commands: ['echo to stdout; echo to stderr >&2']}")

    assert {"to stdout", "to stderr"} <= set(run["check"].log)


def test_output_that_is_no_text_does_no_harm(steps, freshet):
    run = steps(
        """
        check:
          image: ${{BASE}}
          commands:
            - head -c 300000 /dev/urandom
            - printf 'a\\000b\\377c\\n'; echo; echo the end
        """
    )

    assert run.result == "success", run.stderr
    assert run["check"].log[-1] == "the end"
    assert "the end" in "".join(freshet.logs(run.build_id).values())


def test_a_great_deal_of_output_is_kept_whole_in_little_memory(freshet, local_image):
    count = 500_000
    repository = freshet.make_repository(
        """
        version: '1.0'
        steps:
          flood: {image: '${{BASE}}', commands: ['yes ${{LINE}} | head -n ${{COUNT}}']}
        """
    )
    line = "x" * 99
    command = freshet.command(
        "run", repository.path, "--progress", "plain", "--var", f"BASE={local_image}",
        "--var", f"LINE={line}", "--var", f"COUNT={count}",
    )
    process = subprocess.Popen(command, env=freshet.environment(), stdout=subprocess.DEVNULL)
    peak = _peak_memory_kb(process)

    assert process.wait() == 0
    (log,) = (freshet.data_dir / "runs").glob("*/logs/*-flood.log")
    lines = log.read_text().splitlines()
    assert lines[1:] == [line] * count
    assert peak < 60_000


def _peak_memory_kb(process):
    """Follows a process to its end."""
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        peak = max(peak, int(found[1]) if found else 0)
    return peak


def test_one_endless_line_is_kept_whole(steps, freshet):
    run = steps(
        """
        check:
          image: ${{BASE}}
          commands:
            - head -c 3000000 /dev/zero | tr '\\000' x; echo; echo the end
        """
    )

    assert run["check"].log[-1] == "the end"
    assert sum(line.count("x") for line in run["check"].log if set(line) == {"x"}) == 3_000_000
