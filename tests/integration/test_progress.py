# SPDX-License-Identifier: Apache-2.0
"""How a run shows itself: plain lines, JSON for programs, live on a terminal."""

import json
import re
import secrets

import pytest

from support.commands import run
from support.freshet import Freshet
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


class Shown:
    """Runs of PIPELINE, each kind of them once for all tests of this file."""

    def __init__(self, freshet, base, salt):
        self.freshet = freshet
        self.salt = salt
        self.repository = freshet.make_repository(PIPELINE)
        self.options = ["--var", f"BASE={base}", "--var", f"SALT={salt}"]
        self.ended = {}

    def command(self, *options):
        return self.freshet.command("run", self.repository.path, *self.options, *options)

    def piped(self, *options):
        if options not in self.ended:
            self.ended[options] = run(*self.command(*options), env=self.freshet.environment())
        return self.ended[options]

    def on_terminal(self, term="xterm"):
        if term not in self.ended:
            environment = self.freshet.environment({"TERM": term})
            with Terminal(self.command(), environment) as terminal:
                terminal.code = terminal.finish()
            self.ended[term] = terminal
        return self.ended[term]


@pytest.fixture(scope="module")
def shown(binary, engine, local_image, tmp_path_factory):
    return Shown(
        Freshet(binary, tmp_path_factory.mktemp("progress"), engine), local_image,
        salt=f"salt-{secrets.token_hex(4)}",
    )


def test_plain_output_is_one_line_after_the_other(shown):
    lines = shown.piped("--progress", "plain").stdout.splitlines()

    assert re.fullmatch(r"Build [0-9a-f]+ of pipeline 'app': 4 steps", lines[0])
    for line in (
        "== build (build): Build it",
        "== use (freestyle)",
        "Executing command: echo hello from the step",
        "hello from the step",
        "clean",
        "red",
        "100%",
    ):
        assert line in lines, (line, lines)
    assert any(re.fullmatch(r"#\d+ \[2/2\] RUN echo in the build \S+", line) for line in lines)
    assert any(re.fullmatch(r"== use success in \d+\.\ds", line) for line in lines)
    assert re.fullmatch(r"Build [0-9a-f]+ success in \d+\.\ds", lines[-2])
    assert lines[-1].startswith(f"Logs of its steps: {shown.freshet.data_dir}/runs/")


def test_plain_output_shows_what_a_build_prints_and_marks_what_was_cached(shown):
    command = shown.command("--progress", "plain", "--var", "SALT=in-plain-output")

    first, second = (run(*command, env=shown.freshet.environment()).stdout for _ in range(2))

    assert re.search(r"^#\d+ in the build in-plain-output$", first, re.MULTILINE), first
    cached = re.compile(r"^#\d+ \[2/2\] RUN echo in the build .* CACHED$", re.MULTILINE)
    assert not cached.search(first)
    assert cached.search(second), second


def test_what_is_no_terminal_gets_plain_output(shown):
    done = shown.piped()

    assert "hello from the step" in done.stdout.splitlines()
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("mode", ["plain", "json"])
def test_the_output_of_a_step_holds_no_control_characters(shown, mode):
    said = shown.piped("--progress", mode).stdout

    assert not [c for c in said if (c < " " and c not in "\n\t") or "\x7f" <= c < "\xa0"]


def test_json_is_one_object_a_line_from_start_to_finish(shown):
    events = [json.loads(line) for line in shown.piped("--progress", "json").stdout.splitlines()]

    first, last = events[0], events[-1]
    assert first["event"] == "build_started"
    assert first["pipeline"] == "app"
    assert first["revision"] == shown.repository.revision
    assert [(step["name"], step["title"], step["type"]) for step in first["steps"]] == [
        ("main_clone", "Cloning the repository of the pipeline", "git-clone"),
        ("build", "Build it", "build"),
        ("use", "use", "freestyle"),
        ("rude", "rude", "freestyle"),
    ]
    assert last["event"] == "build_finished"
    assert (last["build"], last["result"]) == (first["build"], "success")
    assert last["logs"] == f"{shown.freshet.data_dir}/runs/{first['build']}/logs"
    assert last["duration_ms"] > 0
    for step in ("main_clone", "build", "use", "rude"):
        of_step = [event["event"] for event in events if event.get("step") == step]
        assert of_step[0] == "step_started"
        assert of_step[-1] == "step_finished"
    assert {event["event"] for event in events} == {
        "build_started", "step_started", "log", "vertex", "image", "step_finished", "build_finished"
    }


def test_every_vertex_that_starts_ends_and_its_log_names_it(shown):
    salt = "in-json-output"
    command = shown.command("--progress", "json", "--var", f"SALT={salt}")
    said = run(*command, env=shown.freshet.environment()).stdout

    events = [json.loads(line) for line in said.splitlines()]
    vertices = [event for event in events if event["event"] == "vertex"]
    started = {event["number"] for event in vertices if event["state"] == "started"}
    completed = {event["number"] for event in vertices if event["state"] == "completed"}
    assert started <= completed
    (run_vertex,) = {event["number"] for event in vertices if "RUN echo" in event["name"]}
    logs = [event for event in events if event["event"] == "log"]
    (line,) = [event for event in logs if event["line"] == f"in the build {salt}"]
    assert line["vertex"] == run_vertex


def test_an_unknown_mode_is_told(freshet):
    done = freshet.run("run", "--progress", "fancy", check=False)

    assert done.returncode == 2
    assert done.stderr == (
        "error: 'fancy' is not a progress mode\nhint: use auto, tty, plain or json\n"
    )


# --- on a terminal ----------------------------------------------------------------------------


def test_a_terminal_shows_steps_titles_results_and_cached_marks(shown):
    shown.piped("--progress", "plain")  # fills the cache
    terminal = shown.on_terminal()

    assert terminal.code == 0, terminal.text
    for number, name in enumerate(("main_clone", "build", "use", "rude"), 1):
        assert f"[{number}/4] {name}" in terminal.text, terminal.text
        assert f"✔ {name} " in terminal.text
    assert "Build it" in terminal.text
    assert "hello from the step" in terminal.text
    assert "success in " in terminal.text
    assert re.search(r"✔ \[2/2\] RUN echo in the build .* CACHED", terminal.text), terminal.text


def test_the_output_of_a_step_cannot_command_the_terminal(shown):
    terminal = shown.on_terminal()

    for sequence in (b"\x1b]", b"\x1b[2J", b"\x1b[10;10H", b"\x07", b"\x08", b"\xc2\x9b"):
        assert sequence not in terminal.raw, sequence
    assert b"\x1b[31mred\x1b[0m" in terminal.raw  # colours are welcome
    assert "clean" in terminal.text
    # All that is left are colours, moves up to the start of the live lines, and their erasure.
    used = set(re.findall(rb"\x1b\[[0-9;]*([A-Za-z])", terminal.raw))
    assert used <= {b"m", b"A", b"J"}


def test_a_dumb_terminal_gets_plain_output(shown):
    terminal = shown.on_terminal(term="dumb")

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
    run_it = freshet.command(
        "run", repository.path, "--var", f"BASE={local_image}", "--var", f"SALT={prefix}"
    )
    with Terminal(run_it, freshet.environment({"TERM": "xterm"})) as terminal:
        code = terminal.finish()

    assert code == 1
    assert f"what went wrong {prefix}" in terminal.text
    assert "✘ build failure" in terminal.text
    end = terminal.text[terminal.text.rindex("error: ") :]
    assert "ended with exit code 3" in end
    assert "at inline Dockerfile:2:1" in end
