# SPDX-License-Identifier: Apache-2.0
"""What 'freshet run --progress json' told, put in order."""

import json
from dataclasses import dataclass, field


@dataclass
class Vertex:
    """One line of a build's progress that came to an end."""

    name: str
    cached: bool
    state: str  # completed or failed


@dataclass
class Step:
    name: str
    type: str = None
    result: str = None  # None: it never finished
    error: dict = None
    log: list = field(default_factory=list)  # lines
    vertices: list = field(default_factory=list)

    @property
    def text(self):
        return "\n".join(self.log)

    def vertex(self, part):
        """The one vertex whose name contains the text."""
        found = [vertex for vertex in self.vertices if part in vertex.name]
        assert len(found) == 1, f"vertices with '{part}': {found} of {self.vertices}"
        return found[0]


class PipelineRun:
    """A run that ended. Printing it shows all that it said."""

    def __init__(self, command, returncode, stdout, stderr, repository=None):
        self.command = command
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        self.repository = repository
        self.events = [parse_event(line) for line in stdout.splitlines() if line.strip()]
        self.steps = _collect_steps(self.events)

    def _last(self, name):
        return next((one for one in reversed(self.events) if one["event"] == name), {})

    @property
    def build_id(self):
        return self._last("build_started").get("build")

    @property
    def result(self):
        """None when the run ended without saying how."""
        return self._last("build_finished").get("result")

    @property
    def results(self):
        """[(step, result)] in the order in which they started."""
        return [(step.name, step.result) for step in self.steps.values()]

    def __getitem__(self, name):
        assert name in self.steps, f"no step '{name}' in {self!r}"
        return self.steps[name]

    def __repr__(self):
        return (
            f"$ {' '.join(self.command)}\nexit code {self.returncode}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )


def parse_event(line):
    try:
        event = json.loads(line)
    except ValueError as error:
        raise AssertionError(f"'--progress json' printed what is not JSON: {line}") from error
    assert isinstance(event, dict) and "event" in event, f"not an event: {line}"
    return event


def _collect_steps(events):
    steps = {}
    for event in events:
        if event.get("step") is None:
            continue
        step = steps.setdefault(event["step"], Step(event["step"]))
        kind = event["event"]
        if kind == "step_started":
            step.type = event.get("type")
        elif kind == "log":
            step.log.append(event["line"])
        elif kind == "vertex" and event["state"] != "started":
            step.vertices.append(Vertex(event["name"], event["cached"], event["state"]))
        elif kind == "step_finished":
            step.result = event["result"]
            step.error = event.get("error")
    return steps
