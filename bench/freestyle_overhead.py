#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a freestyle step costs beside the same container run by plain HTTP and by docker."""

import json
import time

from measure import parse_arguments
from stage import open_stage, step_milliseconds

from support.engine import UnixConnection

STEPS = 10  # of the pipeline that is long
TURNS = 5  # of everything short, in each round


class PlainEngine:
    """The least that a client can do: four requests over one connection that stays open."""

    def __init__(self, socket_path, image, parts):
        """parts: {name: series} for 'create', 'start', 'wait' and 'remove'."""
        self.connection = UnixConnection(socket_path)
        self.image = image
        self.parts = parts

    def _request(self, part, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body else {}
        started = time.perf_counter()
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        response = self.connection.getresponse()
        answer = response.read()
        self.parts[part].add((time.perf_counter() - started) * 1000)
        assert response.status < 300, f"{method} {path}: {response.status} {answer}"
        return json.loads(answer) if answer else {}

    def run_true(self):
        """Returns milliseconds."""
        started = time.perf_counter()
        made = self._request(
            "create", "POST", "/containers/create", {"Image": self.image, "Cmd": ["true"]}
        )
        container = f"/containers/{made['Id']}"
        self._request("start", "POST", f"{container}/start")
        ended = self._request("wait", "POST", f"{container}/wait")
        self._request("remove", "DELETE", container)
        assert ended["StatusCode"] == 0, ended
        return (time.perf_counter() - started) * 1000


def write_pipeline(directory, image, steps):
    directory.mkdir()
    lines = ["version: '1.0'", "steps:"]
    for number in range(1, steps + 1):
        lines += [f"  step_{number}:", f"    image: {image}", "    commands: ['true']"]
    (directory / "codefresh.yml").write_text("\n".join(lines) + "\n")
    return directory


def main():
    arguments = parse_arguments(__doc__, rounds=6)
    with open_stage() as stage:
        report = stage.report("freestyle_overhead", __doc__)
        image = stage.import_base_image()
        # Neither is in a git repository, so nothing is cloned.
        long = write_pipeline(stage.directory / "long", image, STEPS)
        short = write_pipeline(stage.directory / "short", image, 1)

        plain = report.measure("plain HTTP: create, start, wait, remove")
        names = ("create", "start", "wait", "remove")
        parts = {name: report.measure(f"  plain HTTP: {name}") for name in names}
        docker = report.measure("docker run --rm IMAGE true, the process")
        first = report.measure(f"freshet, first step of {STEPS}")
        later = report.measure("freshet, a later step")
        process = report.measure("freshet run of one step, the process")
        alone = report.measure("  freshet run of one step: the step")
        http = PlainEngine(stage.engine.socket_path, image, parts)

        def take_turns():
            for _ in range(TURNS):
                plain.add(http.run_true())
                ended, told = stage.run_pipeline(short)
                process.add(ended.milliseconds)
                alone.add(step_milliseconds(told, "step_1"))
                docker.add(stage.docker("run", "--rm", image, "true").milliseconds)
            _, told = stage.run_pipeline(long)
            first.add(step_milliseconds(told, "step_1"))
            for number in range(2, STEPS + 1):
                later.add(step_milliseconds(told, f"step_{number}"))

        take_turns()  # to warm everything up
        for one in report.series:
            one.values.clear()
        for _ in range(arguments.rounds):
            take_turns()

    report.promise("a later step above plain HTTP", later, plain, "difference", 30)
    report.promise("the first step above plain HTTP", first, plain, "difference", 30)
    report.promise("a later step beside docker run", later, docker, "ratio", 1)
    report.promise("the first step beside docker run", first, docker, "ratio", 1)
    report.promise("freshet run, whole, above plain HTTP", process, plain, "difference", 150)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
