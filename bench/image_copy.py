#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Copies between registries: a large image, within one registry, a new tag, 200 small images."""

import itertools
import random

from measure import parse_arguments, run_process
from stage import open_stage

from registries import find_peer, put_layer, registry, write_layer  # with the path from stage

LARGE_LAYERS = 6
LARGE_LAYER_BYTES = 125_000_000
SMALL_IMAGES = 200
SMALL_LAYERS = 10
SHARED_LAYERS = 8  # of those of each small image
SMALL_LAYER_BYTES = 1_500_000
OWN_LAYER_BYTES = 200_000
MEMORY_BAR_MEGABYTES = 64


def put_large(source, directory):
    layers = []
    skip = 0
    for number in range(LARGE_LAYERS):
        tar = directory / f"large-{number}.tar"
        skip += write_layer(tar, LARGE_LAYER_BYTES, skip)
        layers.append(put_layer(source, "bench/large", tar))
        tar.unlink()
    return source.put_image("bench/large", "1", layers)


def put_small(source, directory):
    """Images in a repository each, the shared layers in all of them; returns their references."""
    skip = 0
    tar = directory / "small.tar"
    shared = []
    for _ in range(SHARED_LAYERS):
        skip += write_layer(tar, SMALL_LAYER_BYTES, skip)
        shared.append(put_layer(source, "bench/small-0", tar))
    references = []
    for number in range(SMALL_IMAGES):
        repository = f"bench/small-{number}"
        for layer in shared if number > 0 else []:
            source.mount(repository, layer, "bench/small-0")
        own = []
        for index in range(SMALL_LAYERS - SHARED_LAYERS):
            tar.write_bytes(random.Random(number * 100 + index).randbytes(OWN_LAYER_BYTES))
            own.append(put_layer(source, repository, tar))
        references.append(source.put_image(repository, "1", shared + own, note=str(number)))
    return references


def main():
    arguments = parse_arguments(__doc__, rounds=3)
    with open_stage() as stage:
        report = stage.report("image_copy", __doc__)
        counter = itertools.count()
        memory = report.measure("freshet image copy, peak memory", "MB")
        peer_memory = report.measure("skopeo copy, peak memory", "MB")

        def fresh():
            return registry(stage.directory / f"registry-{next(counter)}")

        def ours(source, target):
            ended = run_process(
                stage.freshet.command("image", "copy", source, target, "--all-platforms"),
                env=stage.freshet.environment(),
            )
            memory.add(ended.peak_megabytes)
            return ended.milliseconds

        crane_program = find_peer("crane", "FRESHET_BENCH_CRANE")
        if crane_program is None:
            report.note("no crane in PATH nor in FRESHET_BENCH_CRANE: skopeo is the only peer")

        def ours_tag(image, tag):
            command = stage.freshet.command("image", "tag", image, tag)
            return run_process(command, env=stage.freshet.environment()).milliseconds

        def ours_list(pairs):
            listed = stage.directory / "images.txt"
            listed.write_text("".join(f"{source} {target}\n" for source, target in pairs))
            ended = run_process(
                stage.freshet.command("image", "copy", "--from-file", str(listed)),
                env=stage.freshet.environment(),
            )
            memory.add(ended.peak_megabytes)
            return ended.milliseconds

        def crane(source, target):
            command = [crane_program, "--insecure", "copy", source, target]
            return run_process(command).milliseconds

        def skopeo(source, target):
            command = ["skopeo", "copy", "--all", "--src-tls-verify=false"]
            command += ["--dest-tls-verify=false", f"docker://{source}", f"docker://{target}"]
            ended = run_process(command)
            peer_memory.add(ended.peak_megabytes)
            return ended.milliseconds

        with fresh() as source:
            large = put_large(source, stage.directory)
            small = put_small(source, stage.directory)
            report.note(f"large image: {LARGE_LAYERS} layers of {LARGE_LAYER_BYTES / 1e6:.0f} MB")
            sides = {"freshet": ours, "skopeo": skopeo}
            if crane_program is not None:
                sides["crane"] = crane
            many_peer = "crane" if "crane" in sides else "skopeo"
            other_registry = {n: report.measure(f"{n}, other registry") for n in sides}
            present = {n: report.measure(f"{n}, all there already") for n in sides}
            other_repository = {n: report.measure(f"{n}, other repository") for n in sides}
            tagging = {n: report.measure(f"{n}, new tag") for n in sides}
            many = {n: report.measure(f"{n}, {SMALL_IMAGES} images") for n in ("freshet", many_peer)}
            counts = report.measure("requests of freshet to a target that has all", "")

            for round_number in range(arguments.rounds):
                for name, copy in sides.items():
                    with fresh() as target:
                        to = f"{target.address}/bench/large:1"
                        other_registry[name].add(copy(large, to))
                        before = target.requests()
                        present[name].add(copy(large, to))
                        if name == "freshet":
                            counts.add(target.requests() - before)
                    mark = f"{name}-{round_number}"
                    other_repository[name].add(
                        copy(large, f"{source.address}/bench/{mark}:1")
                    )
                    if name == "freshet":
                        tagging[name].add(ours_tag(large, mark))
                    elif name == "crane":
                        tagged = run_process([crane_program, "--insecure", "tag", large, mark])
                        tagging[name].add(tagged.milliseconds)
                    else:
                        tagging[name].add(copy(large, f"{source.address}/bench/large:{mark}"))
                for name in many:
                    with fresh() as target:
                        pairs = [(one, one.replace(source.address, target.address)) for one in small]
                        if name == "freshet":
                            many[name].add(ours_list(pairs))
                        else:
                            many[name].add(sum(sides[name](*pair) for pair in pairs))

    def promise(what, series, peer, limit):
        report.promise(f"{what}, beside {peer}", series["freshet"], series[peer], "ratio", limit)

    promise("other registry", other_registry, "skopeo", 0.85)
    if crane_program is not None:
        promise("other registry", other_registry, "crane", 0.95)
        promise("other repository", other_repository, "crane", 1.0)
        promise("new tag", tagging, "crane", 1.0)
    promise(f"{SMALL_IMAGES} images", many, many_peer, 0.5)
    report.promise("peak memory", memory, peer_memory, "peak", MEMORY_BAR_MEGABYTES)
    report.print(arguments.json)


if __name__ == "__main__":
    main()
