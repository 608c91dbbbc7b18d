#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A build with a context of 20,000 files, the first time and again unchanged."""

import re

from measure import parse_arguments
from stage import image_id, open_stage, step_milliseconds, vertex_milliseconds
from trees import write_tree

from support.commands import run
from support.git import ENVIRONMENT, Repository

FILES = 20_000
FOLDERS = 1_000
MEDIAN_BYTES = 4_000
MAX_BYTES = 1_000_000

DOCKERFILE = """\
FROM scratch
COPY . /
"""
# What git keeps is no part of the context, so that both sides send the very same files.
DOCKERIGNORE = ".git\n"
PIPELINE = """\
version: '1.0'
steps:
  main_clone:
    type: git-clone
    repo: '${{REPO_URL}}'
  build:
    type: build
    working_directory: '${{main_clone}}'
    image_name: freshet-bench/context
    disable_push: true
"""
PEER_IMAGE = "freshet-bench/context-peer:1"
VERTEX = "[internal] load build context"


def make_repository(path):
    repository = Repository(path)
    repository.git("config", "core.compression", "0")  # it would only cost time
    total = write_tree(path, FILES, FOLDERS, MEDIAN_BYTES, MAX_BYTES)
    repository.commit(
        {"codefresh.yml": PIPELINE, "Dockerfile": DOCKERFILE, ".dockerignore": DOCKERIGNORE}
    )
    return repository, total


def docker_vertex_milliseconds(output):
    """What docker's '--progress plain' says of the transfer."""
    number = re.search(rf"^#(\d+) {re.escape(VERTEX)}$", output, re.MULTILINE).group(1)
    return float(re.search(rf"^#{number} DONE ([0-9.]+)s$", output, re.MULTILINE).group(1)) * 1000


class Side:
    """The series of one side for one kind of build."""

    def __init__(self, report, name, kind):
        self.whole = report.measure(f"{name}, {kind}")
        self.transfer = report.measure(f"  {name}, {kind}: transfer")

    def add(self, whole, transfer):
        self.whole.add(whole)
        self.transfer.add(transfer)


def main():
    arguments = parse_arguments(__doc__, rounds=5)
    with open_stage() as stage:
        report = stage.report("context_sync", __doc__)
        repository, total = make_repository(stage.directory / "app")
        report.note(f"{FILES} files, {total / 1e6:.0f} MB in all")
        peer_context = stage.directory / "peer"
        run("git", "clone", "--quiet", repository.url, peer_context, env=ENVIRONMENT)

        ours_first = Side(report, "freshet build step", "first")
        peer_first = Side(report, "docker build", "first")
        ours_again = Side(report, "freshet build step", "unchanged")
        peer_again = Side(report, "docker build", "unchanged")
        process_first = report.measure("freshet run, clone and build, first")
        process_again = report.measure("freshet run, clone and build, unchanged")
        layers = set()

        def layers_of(image):
            return tuple(stage.engine.image(image)["RootFS"]["Layers"])

        def build_ours(side, process):
            ended, told = stage.run_pipeline(
                repository.path, "--var", f"REPO_URL={repository.url}"
            )
            side.add(step_milliseconds(told, "build"), vertex_milliseconds(told, VERTEX))
            process.add(ended.milliseconds)
            layers.add(layers_of(next(image_id(e) for e in told.events if e["event"] == "image")))

        def build_peer(side):
            ended = stage.docker_build(peer_context, PEER_IMAGE)
            side.add(ended.milliseconds, docker_vertex_milliseconds(ended.output))
            layers.add(layers_of(PEER_IMAGE))

        def take_turns():
            stage.forget_builds()
            build_ours(ours_first, process_first)
            build_ours(ours_again, process_again)
            stage.forget_builds()
            build_peer(peer_first)
            build_peer(peer_again)

        # Once uncounted: the checkouts are on disk and in memory by then, as a second clone's are.
        take_turns()
        for one in report.series:
            one.values.clear()
        for _ in range(arguments.rounds):
            take_turns()

    report.promise("first build", ours_first.whole, peer_first.whole, "ratio", 1.2)
    report.promise("unchanged build", ours_again.whole, peer_again.whole, "ratio", 0.5)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
