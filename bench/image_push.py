#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A push from the engine: one fresh layer of 750 MB, and again with one small layer more."""

import itertools

from measure import MEGABYTE, parse_arguments, run_process
from stage import image_id, open_stage

from registries import registry, write_layer  # with the path from stage

from support.git import Repository
from support.ordinary_user import ordinary_user
from support.pipeline_run import PipelineRun

LARGE_BYTES = 750_000_000
MEMORY_BAR_MEGABYTES = 64
LARGE_IMAGE = "freshet-bench/large:1"
SMALL_IMAGE = "freshet-bench/small-change"

DOCKERFILE = f"""\
FROM {LARGE_IMAGE}
LABEL made-by=bench
"""
SMALL_DOCKERFILE = f"""\
FROM {LARGE_IMAGE}
COPY change /change
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
    image_name: bench/large
    tag: '${{TAG}}'
    registry: target
"""


def layer_bytes(target, tag):
    """Compressed, as the registry has them."""
    manifest = target.json(f"/v2/bench/large/manifests/{tag}")
    return sum(layer["size"] for layer in manifest["layers"])


class Ours:
    """The pipeline, run by one user."""

    def __init__(self, runner, directory, engine):
        self.runner = runner
        self.engine = engine
        self.repository = Repository(directory)
        self.repository.commit({"codefresh.yml": PIPELINE, "Dockerfile": DOCKERFILE})
        if hasattr(runner, "own"):
            runner.own(directory)
        self.is_connected = False

    def commit(self, files):
        if hasattr(self.runner, "commit"):  # the repository belongs to another user
            self.runner.commit(self.repository, files)
        else:
            self.repository.commit(files)

    def connect(self, target):
        """One integration, at whichever registry is the round's."""
        if self.is_connected:
            self.runner.run("registry", "remove", "target")
        self.runner.run(
            "registry", "add", "target", "--domain", target.address, "--username", "bench",
            "--password-stdin", stdin="none",
        )
        self.is_connected = True

    def push(self, tag):
        """Returns the process, how long the push took in it, and the image."""
        command = self.runner.command(
            "run", self.repository.path, "--progress", "json",
            "--var", f"REPO_URL={self.repository.url}", "--var", f"TAG={tag}",
        )
        process = run_process(command, env=self.runner.environment(), cwd=self.runner.directory)
        told = PipelineRun(command, process.returncode, process.output, "")
        assert told.result == "success", told
        (event,) = [event for event in told.events if event["event"] == "image"]
        return process, event["image"]["push_duration_ms"], image_id(event)


def main():
    arguments = parse_arguments(__doc__, rounds=3)
    with open_stage() as stage, ordinary_user(stage.freshet.binary, stage.engine) as other:
        report = stage.report("image_push", __doc__)
        tar = stage.directory / "large.tar"
        taken = write_layer(tar, LARGE_BYTES)
        report.note(f"{taken / MEGABYTE:.0f} MB of installed files in one layer")
        stage.docker("import", tar, LARGE_IMAGE)
        stage.images.add(LARGE_IMAGE)
        gzip = run_process(["sh", "-c", f"gzip -6 < {tar} | wc -c"])
        gzip_bytes = int(gzip.output)
        tar.unlink()

        sides = {
            "storage": Ours(stage.freshet, stage.directory / "root-app", stage.engine),
            "export": Ours(other, other.directory / "app", stage.engine),
        }
        fresh = {name: report.measure(f"freshet, fresh layer, by {name}") for name in sides}
        fresh["docker"] = report.measure("docker push, fresh layer")
        small = {name: report.measure(f"freshet, small change, by {name}") for name in sides}
        small["docker"] = report.measure("docker push, small change")
        memory = report.measure("freshet run, peak memory", "MB")
        docker_memory = report.measure("docker push, peak memory of the client", "MB")
        ours_size = report.measure("size that freshet pushes", "MB")
        gzip_size = report.measure("size by gzip -6", "MB")
        gzip_size.add(gzip_bytes / MEGABYTE)
        counter = itertools.count()

        def open_registry():
            return registry(stage.directory / f"registry-{next(counter)}")

        def push_ours(name):
            side = sides[name]
            side.commit({"Dockerfile": DOCKERFILE, "change": str(next(counter))})
            with open_registry() as target:
                side.connect(target)
                process, duration, image = side.push("fresh")
                fresh[name].add(duration)
                memory.add(process.peak_megabytes)
                stage.images.add(image)
                ours_size.add(layer_bytes(target, "fresh") / MEGABYTE)
                change = f"{name} {next(counter)}"
                side.commit({"Dockerfile": SMALL_DOCKERFILE, "change": change})
                process, duration, image = side.push("small")
                small[name].add(duration)
                memory.add(process.peak_megabytes)
                stage.images.add(image)

        def push_peer():
            context = stage.directory / "peer"
            context.mkdir(exist_ok=True)
            (context / "Dockerfile").write_text(SMALL_DOCKERFILE)
            (context / "change").write_text(f"docker {next(counter)}")
            with open_registry() as target:
                image = f"{target.address}/bench/large"
                stage.docker("tag", LARGE_IMAGE, f"{image}:fresh")
                ended = stage.docker("push", f"{image}:fresh")
                fresh["docker"].add(ended.milliseconds)
                docker_memory.add(ended.peak_megabytes)
                stage.docker_build(context, f"{image}:small")
                small["docker"].add(stage.docker("push", f"{image}:small").milliseconds)
                stage.engine.remove_image(f"{image}:fresh")

        for _ in range(arguments.rounds):
            push_ours("storage")
            push_ours("export")
            push_peer()

    report.promise("fresh layer by storage", fresh["storage"], fresh["docker"], "ratio", 1 / 8)
    report.promise("fresh layer by export", fresh["export"], fresh["docker"], "ratio", 1 / 2.5)
    report.promise("small change by storage", small["storage"], small["docker"], "ratio", 1)
    report.promise("small change by export", small["export"], small["docker"], "ratio", 1)
    report.promise("compressed size", ours_size, gzip_size, "ratio", 1.08)
    report.promise("peak memory", memory, docker_memory, "peak", MEMORY_BAR_MEGABYTES)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
