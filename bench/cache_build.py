#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A build on an emptied engine: one source file changed, and nothing changed at all."""

import itertools
import random

from measure import parse_arguments
from stage import open_stage, step_milliseconds

from registries import registry  # with the path from stage

from support.git import Repository

DEPENDENCY_SECONDS = 5
DEPENDENCY_BYTES = 40_000_000
FILES = 300
FILE_BYTES = 4000

DOCKERFILE = f"""\
ARG BASE
FROM ${{BASE}}
RUN sleep {DEPENDENCY_SECONDS}; head -c {DEPENDENCY_BYTES} /dev/urandom > /dependency
COPY src /src
RUN cat /src/* > /joined
"""
PIPELINE = """\
version: '1.0'
steps:
  main_clone:
    type: git-clone
    repo: '${{REPO_URL}}'
  build:
    type: build
    working_directory: '${{main_clone}}'
    image_name: bench/app
    tag: '${{TAG}}'
    registry: target
    build_arguments: ['BASE=${{BASE}}']
"""


def make_sources(salt):
    content = random.Random(salt)
    return {f"src/{number}": content.randbytes(FILE_BYTES).hex()[:FILE_BYTES] for number in range(FILES)}


class Bench:
    def __init__(self, stage, target):
        self.stage = stage
        self.target = target
        self.base = f"{target.address}/base:1"
        stage.docker("tag", stage.import_base_image(), self.base)
        stage.docker("push", self.base)
        stage.freshet.run(
            "registry", "add", "target", "--domain", target.address, "--username", "bench",
            "--password-stdin", stdin="none",
        )
        self.repository = Repository(stage.directory / "app")
        self.repository.commit(
            {"codefresh.yml": PIPELINE, "Dockerfile": DOCKERFILE, ".dockerignore": ".git\n",
             **make_sources("one")}
        )
        self.peer = stage.directory / "peer"
        self.peer_image = f"{target.address}/peer/app"
        self.counter = itertools.count(1)

    def change(self):
        """One source file of both sides."""
        text = f"changed {next(self.counter)}"
        self.repository.commit({"src/7": text})
        (self.peer / "src/7").write_text(text)

    def empty(self):
        self.stage.engine.empty()
        self.stage.forget_builds()

    def ours(self):
        """The build step, push and all."""
        _, told = self.stage.run_pipeline(
            self.repository.path, "--var", f"REPO_URL={self.repository.url}",
            "--var", f"TAG=t{next(self.counter)}", "--var", f"BASE={self.base}",
        )
        return step_milliseconds(told, "build"), told["build"]

    def docker(self, tag, *options):
        """Build and push."""
        image = f"{self.peer_image}:{tag}"
        built = self.stage.docker(
            "build", "--progress", "plain", "--tag", image, "--build-arg", f"BASE={self.base}",
            "--build-arg", "BUILDKIT_INLINE_CACHE=1", *options, self.peer,
        )
        pushed = self.stage.docker("push", image)
        return built.milliseconds + pushed.milliseconds, built.output


def main():
    arguments = parse_arguments(__doc__, rounds=3)
    with open_stage() as stage, registry(stage.directory / "registry") as target:
        report = stage.report("cache_build", __doc__)
        report.note(f"a dependency step of {DEPENDENCY_SECONDS} s and "
                    f"{DEPENDENCY_BYTES / 1e6:.0f} MB, {FILES} source files; build and push")
        bench = Bench(stage, target)
        changed = report.measure("freshet build step, one source changed")
        docker_changed = report.measure("docker build --cache-from, the same")
        same = report.measure("freshet build step, nothing changed")
        docker_same = report.measure("docker build --cache-from, the same again")
        first = report.measure("freshet build step, no past image")
        docker_first = report.measure("docker build, no past image")

        bench.empty()
        first.add(bench.ours()[0])
        bench.empty()
        bench.peer.mkdir()
        (bench.peer / "src").mkdir()
        for name, text in {"Dockerfile": DOCKERFILE, **make_sources("one")}.items():
            (bench.peer / name).write_text(text)
        docker_first.add(bench.docker("past")[0])
        source = ["--cache-from", f"{bench.peer_image}:past"]

        for _ in range(arguments.rounds):
            bench.change()
            bench.empty()
            taken, step = bench.ours()
            assert "1 of 3 instructions cached" in step.text, step
            changed.add(taken)
            bench.empty()
            taken, output = bench.docker("changed", *source)
            assert "CACHED" in output, output
            docker_changed.add(taken)

            bench.empty()
            taken, step = bench.ours()
            assert "Skipping building image" in step.text, step
            same.add(taken)
            bench.empty()
            docker_same.add(bench.docker("again", "--cache-from", f"{bench.peer_image}:changed",
                                         *source)[0])

    report.promise("one source changed", changed, docker_changed, "ratio", 1.05)
    report.promise("nothing changed", same, docker_same, "ratio", 0.1)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
