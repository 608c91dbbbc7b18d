# SPDX-License-Identifier: Apache-2.0
"""How a run shows itself: plain lines, JSON for programs, live on a terminal."""

import json
import re

import pytest

from support.commands import run
from support.terminal import Terminal

PIPELINE = """
    version: '1.0'
    steps:
      build:
        title: Build it
        type: build
        image_name: app
        disable_push: true
        dockerfile: {content: "FROM ${{BASE}}\\nRUN echo in the build ${{SALT}}\\n"}
      use:
        image: ${{build}}
        commands:
          - echo hello from the step
      rude:
        image: ${{build}}
        commands:
          - printf '\\033]0;owned\\007\\033[2J\\033[10;10H\\033]52;c;aGVsbG8=\\007clean\\n'
          - printf 'bell\\007 back\\010 \\302\\2332J\\n'
          - printf '\\033[31mred\\033[0m\\n'
          - printf '10%%\\r50%%\\r100%%\\n'
"""


@pytest.fixture
def command(freshet, local_image, prefix):
    """The command line of a run of PIPELINE."""
    repository = freshet.make_repository(PIPELINE)

    def make(*options):
        return freshet.command(
            "run", repository.path, "--var", f"BASE={local_image}", "--var", f"SALT={prefix}",
            *options,
        )

    make.repository = repository
    return make


def run_plain(freshet, command, *options):
    return run(*command(*options), env=freshet.environment())


def test_plain_output_is_one_line_after_the_other(freshet, command, prefix):
    done = run_plain(freshet, command, "--progress", "plain")

    lines = done.stdout.splitlines()
    assert re.fullmatch(r"Build [0-9a-f]+ of pipeline 'app': 4 steps", lines[0]), done
    for line in (
        "== build (build): Build it",
        "== use (freestyle)",
        "Executing command: echo hello from the step",
        "hello from the step",
        "clean",
        "red",
        "100%",
    ):
        assert line in lines, (line, done)
    assert any(re.fullmatch(rf"#\d+ in the build {prefix}", line) for line in lines)
    vertex = rf"#\d+ \[2/2\] RUN echo in the build {prefix}"
    assert any(re.fullmatch(vertex, line) for line in lines)
    assert any(re.fullmatch(r"== use success in \d+\.\ds", line) for line in lines)
    assert re.fullmatch(r"Build [0-9a-f]+ success in \d+\.\ds", lines[-2])
    assert lines[-1].startswith(f"Logs of its steps: {freshet.data_dir}/runs/")


def test_plain_output_marks_what_was_cached(freshet, command):
    run_plain(freshet, command, "--progress", "plain")

    lines = run_plain(freshet, command, "--progress", "plain").stdout.splitlines()

    assert [line for line in lines if "RUN echo in the build" in line and line.endswith(" CACHED")]


def test_what_is_no_terminal_gets_plain_output(freshet, command):
    done = run_plain(freshet, command)

    assert "hello from the step" in done.stdout.splitlines()
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("mode", ["plain", "json"])
def test_the_output_of_a_step_holds_no_control_characters(freshet, command, mode):
    done = run_plain(freshet, command, "--progress", mode)

    assert not [c for c in done.stdout if (c < " " and c not in "\n\t") or "\x7f" <= c < "\xa0"]


def test_json_is_one_object_a_line_from_start_to_finish(freshet, command):
    done = run_plain(freshet, command, "--progress", "json")

    events = [json.loads(line) for line in done.stdout.splitlines()]
    first, last = events[0], events[-1]
    assert first["event"] == "build_started"
    assert first["pipeline"] == "app"
    assert first["revision"] == command.repository.revision
    assert [(step["name"], step["title"], step["type"]) for step in first["steps"]] == [
        ("main_clone", "Cloning the repository of the pipeline", "git-clone"),
        ("build", "Build it", "build"),
        ("use", "use", "freestyle"),
        ("rude", "rude", "freestyle"),
    ]
    assert last["event"] == "build_finished"
    assert (last["build"], last["result"]) == (first["build"], "success")
    assert last["logs"] == f"{freshet.data_dir}/runs/{first['build']}/logs"
    assert last["duration_ms"] > 0
    for step in ("main_clone", "build", "use", "rude"):
        of_step = [event["event"] for event in events if event.get("step") == step]
        assert of_step[0] == "step_started"
        assert of_step[-1] == "step_finished"
    assert {event["event"] for event in events} == {
        "build_started", "step_started", "log", "vertex", "image", "step_finished", "build_finished"
    }


def test_every_vertex_that_starts_ends_and_its_log_names_it(freshet, command, prefix):
    done = run_plain(freshet, command, "--progress", "json")

    events = [json.loads(line) for line in done.stdout.splitlines()]
    vertices = [event for event in events if event["event"] == "vertex"]
    started = {event["number"] for event in vertices if event["state"] == "started"}
    completed = {event["number"] for event in vertices if event["state"] == "completed"}
    assert started <= completed
    (run_vertex,) = {event["number"] for event in vertices if "RUN echo" in event["name"]}
    (line,) = [e for e in events if e["event"] == "log" and e["line"] == f"in the build {prefix}"]
    assert line["vertex"] == run_vertex


def test_an_unknown_mode_is_told(freshet, command):
    done = freshet.run("run", "--progress", "fancy", check=False)

    assert done.returncode == 2
    assert done.stderr == (
        "error: 'fancy' is not a progress mode\nhint: use auto, tty, plain or json\n"
    )


# --- on a terminal ----------------------------------------------------------------------------


def on_terminal(freshet, command, *options, term="xterm"):
    terminal = Terminal(command(*options), freshet.environment({"TERM": term}))
    terminal.code = terminal.finish()
    return terminal


def test_a_terminal_shows_steps_titles_results_and_cached_marks(freshet, command):
    first = on_terminal(freshet, command)
    second = on_terminal(freshet, command)

    assert (first.code, second.code) == (0, 0), first.text
    for number, name in enumerate(("main_clone", "build", "use", "rude"), 1):
        assert f"[{number}/4] {name}" in first.text, first.text
        assert f"✔ {name} " in first.text
    assert "Build it" in first.text
    assert "hello from the step" in first.text
    assert "success in " in first.text
    assert not re.search(r"✔ \[2/2\] RUN echo in the build .* CACHED", first.text)
    assert re.search(r"✔ \[2/2\] RUN echo in the build .* CACHED", second.text), second.text


def test_the_output_of_a_step_cannot_command_the_terminal(freshet, command):
    terminal = on_terminal(freshet, command)

    for sequence in (b"\x1b]", b"\x1b[2J", b"\x1b[10;10H", b"\x07", b"\x08", b"\xc2\x9b"):
        assert sequence not in terminal.raw, sequence
    assert b"\x1b[31mred\x1b[0m" in terminal.raw  # colours are welcome
    assert "clean" in terminal.text
    # All that is left are colours, moves up to the start of the live lines, and their erasure.
    used = {bytes(found) for found in re.findall(rb"\x1b\[[0-9;]*([A-Za-z])", terminal.raw)}
    assert used <= {b"m", b"A", b"J"}


def test_a_dumb_terminal_gets_plain_output(freshet, command):
    terminal = on_terminal(freshet, command, term="dumb")

    assert terminal.code == 0
    assert b"\x1b" not in terminal.raw
    assert "hello from the step" in terminal.text.splitlines()


def test_a_failing_build_shows_its_output_and_the_error_last(freshet, local_image, prefix):
    repository = freshet.make_repository(
        """
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            disable_push: true
            dockerfile: {content: "FROM ${{BASE}}\\nRUN echo what went wrong ${{SALT}}; exit 3\\n"}
        """
    )
    terminal = Terminal(
        freshet.command(
            "run", repository.path, "--var", f"BASE={local_image}", "--var", f"SALT={prefix}"
        ),
        freshet.environment({"TERM": "xterm"}),
    )

    assert terminal.finish() == 1
    assert f"what went wrong {prefix}" in terminal.text
    assert "✘ build failure" in terminal.text
    end = terminal.text[terminal.text.rindex("error: ") :]
    assert "ended with exit code 3" in end
    assert "at inline Dockerfile:2:1" in end
