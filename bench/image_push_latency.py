#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A push from the engine to a registry that is far away: ten fresh layers of 20 MB, and one."""

import itertools

from image_push import MEMORY_BAR_MEGABYTES, Ours
from measure import MEGABYTE, parse_arguments
from slow_line import SlowLine
from stage import open_stage

from registries import registry, write_layer  # with the path from stage

LAYERS = 10
LAYER_BYTES = 20_000_000
DELAY_MS = 20  # each way
IMAGES = {"ten layers": ("freshet-bench/ten:1", LAYERS), "one layer": ("freshet-bench/one:1", 1)}


def build_image(stage, image, layers):
    """Returns how many bytes of files it has."""
    context = stage.directory / "layers"
    context.mkdir()
    lines = ["FROM scratch"]
    taken = 0
    for index in range(layers):
        taken += write_layer(context / f"{index}.tar", LAYER_BYTES, skip=index * LAYER_BYTES)
        lines.append(f"ADD {index}.tar /{index}/")
    (context / "Dockerfile").write_text("\n".join(lines) + "\n")
    stage.docker_build(context, image)
    for file in context.iterdir():
        file.unlink()
    context.rmdir()
    return taken


def main():
    arguments = parse_arguments(__doc__, rounds=5)
    with open_stage() as stage:
        report = stage.report("image_push_latency", __doc__)
        report.note(f"a request takes {2 * DELAY_MS} ms and what the registry takes")
        ours = Ours(stage.freshet, stage.directory / "app", stage.engine)
        times = {}
        for what, (image, layers) in IMAGES.items():
            taken = build_image(stage, image, layers)
            report.note(f"{what}: {taken / MEGABYTE:.0f} MB of installed files")
            times[what] = (report.measure(f"freshet, {what}"), report.measure(f"docker, {what}"))
        memory = report.measure("freshet run, peak memory", "MB")
        docker_memory = report.measure("docker push, peak memory of the client", "MB")
        counter = itertools.count()

        def push_ours(image):
            ours.commit({"Dockerfile": f"FROM {image}\nLABEL made-by={next(counter)}\n"})
            with registry(stage.directory / f"registry-{next(counter)}") as target:
                with SlowLine(target.port, DELAY_MS) as line:
                    ours.connect(line)
                    process, duration, built = ours.push("fresh")
                    stage.images.add(built)
            return process, duration

        def push_peer(image):
            with registry(stage.directory / f"registry-{next(counter)}") as target:
                with SlowLine(target.port, DELAY_MS) as line:
                    name = f"{line.address}/bench/large:fresh"
                    stage.docker("tag", image, name)
                    ended = stage.docker("push", name)
                    stage.engine.remove_image(name)
            return ended

        for turn in range(arguments.rounds + 1):
            for what, (image, _) in IMAGES.items():
                process, duration = push_ours(image)
                ended = push_peer(image)
                if turn > 0:
                    mine, theirs = times[what]
                    mine.add(duration)
                    memory.add(process.peak_megabytes)
                    theirs.add(ended.milliseconds)
                    docker_memory.add(ended.peak_megabytes)

    for what, (mine, theirs) in times.items():
        report.promise(what, mine, theirs, "ratio", 1 / 2)
    report.promise("peak memory", memory, docker_memory, "peak", MEMORY_BAR_MEGABYTES)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
