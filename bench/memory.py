#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of 'freshet run' at its highest, during a build with a context of 2 GB."""

import os

from measure import parse_arguments
from stage import image_id, open_stage

from support.git import Repository

FILES = 16
FILE_MEBIBYTES = 120  # 16 of them are 2 GB

DOCKERFILE = """\
FROM scratch
COPY small /
COPY . /all/
"""
PIPELINE = f"""\
version: '1.0'
steps:
  main_clone:
    type: git-clone
    repo: '${{{{REPO_URL}}}}'
  fill:
    image: ${{{{BASE_IMAGE}}}}
    working_directory: '${{{{main_clone}}}}'
    commands:
      - |
        for n in $(seq {FILES}); do
          dd if=/dev/urandom of=large-$n bs=1M count={FILE_MEBIBYTES} 2>/dev/null
        done
  build:
    type: build
    working_directory: '${{{{main_clone}}}}'
    image_name: freshet-bench/memory
    disable_push: true
"""
FILES_OF_BOTH = {"Dockerfile": DOCKERFILE, ".dockerignore": ".git\n", "small": "small\n"}
PEER_IMAGE = "freshet-bench/memory-peer:1"


def make_peer_context(path):
    """A context as large as the step 'fill' makes it."""
    path.mkdir()
    for name, text in FILES_OF_BOTH.items():
        (path / name).write_text(text)
    for number in range(1, FILES + 1):
        with open(path / f"large-{number}", "wb") as file:
            for _ in range(FILE_MEBIBYTES):
                # In small pieces: what this process needs counts as the least of its children.
                file.write(os.urandom(1 << 20))


def main():
    arguments = parse_arguments(__doc__, rounds=3)
    with open_stage() as stage:
        report = stage.report("memory", __doc__)
        base = stage.import_base_image()
        repository = Repository(stage.directory / "app")
        repository.commit({"codefresh.yml": PIPELINE, **FILES_OF_BOTH})
        peer_context = stage.directory / "peer"
        make_peer_context(peer_context)

        ours = report.measure("freshet run, peak of resident memory", "MB")
        peer = report.measure("docker build, peak of resident memory", "MB")
        sent = report.measure("size of freshet's image", "MB")

        for _ in range(arguments.rounds):
            stage.forget_builds()
            variables = ["--var", f"REPO_URL={repository.url}", "--var", f"BASE_IMAGE={base}"]
            process, told = stage.run_pipeline(repository.path, *variables)
            ours.add(process.peak_megabytes)
            built = next(image_id(event) for event in told.events if event["event"] == "image")
            sent.add(stage.engine.image(built)["Size"] / 1e6)
            stage.forget_builds()
            peer.add(stage.docker_build(peer_context, PEER_IMAGE).peak_megabytes)

    assert min(sent.values) > 2000, sent
    report.promise("freshet run's peak", ours, peer, "peak", 60)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
