# SPDX-License-Identifier: Apache-2.0
"""What builds say about past images: which instruction these have no result of, and why."""

import pytest

from support.app import PIPELINE, App
from support.pipelines import with_fields
from support.servers import Answer, serve

DOCKERFILE = """\
ARG BASE
FROM ${BASE} AS tools
RUN echo tools > /tools
FROM ${BASE}
ARG MODE=fast
RUN echo ${MODE} > /mode
COPY a.txt b.txt /src/
COPY --from=tools /tools /tools
RUN cat /src/a.txt > /last
"""
WITH_MODE = PIPELINE.replace("'BASE=${{BASE}}'", "'BASE=${{BASE}}', 'MODE=${{MODE}}'")
MISS = "Not in past images: "


@pytest.fixture
def project(files):
    return {**files, "Dockerfile": DOCKERFILE}


@pytest.fixture
def app(connected, local_image, project):
    return App(connected, local_image, project)


def misses(run):
    return [line.removeprefix(MISS) for line in run["build"].log if line.startswith(MISS)]


def test_a_changed_file_is_named(app):
    first = app()
    second = app.commit({"b.txt": "changed"})()

    assert misses(first) == ["any of the instructions"]
    assert misses(second) == [
        "tools, line 3 and on: RUN echo tools > /tools: no past image has it",
        "stage-1, line 7 and on: COPY a.txt b.txt /src/: file changed: b.txt (1 of 2)",
    ]


def test_any_past_image_counts_not_only_the_last_one(app, project):
    app()
    app.commit({"b.txt": "changed"})()
    last = project["Dockerfile"].replace("/last", "/end")
    run = app.commit({"b.txt": project["b.txt"], "Dockerfile": last})()

    assert misses(run) == [
        "stage-1, line 9 and on: RUN cat /src/a.txt > /end: "
        "text changed: RUN cat /src/a.txt > /last -> RUN cat /src/a.txt > /end"
    ]


def test_an_image_that_only_the_caching_registry_has_counts(caching, local_image, project):
    app = App(caching, local_image, project, with_fields(PIPELINE, {"disable_push": "true"}))
    app()

    (tools, copy) = misses(app.commit({"b.txt": "changed"})())

    assert copy.startswith("stage-1, line 7 and on: COPY a.txt b.txt /src/: file changed: b.txt")


def test_an_image_that_no_registry_has_does_not_count(connected, local_image, project):
    app = App(connected, local_image, project, with_fields(PIPELINE, {"disable_push": "true"}))
    app()

    assert [line.split(": ")[-1] for line in misses(app.commit({"b.txt": "changed"})())] == [
        "no past image has it",
        "no past image has it",
    ]


PUSH = """\
      push:
        type: push
        candidate: '${{build}}'
        tag: pushed
"""


def test_an_image_that_a_later_step_pushed_counts(connected, local_image, project):
    pipeline = with_fields(PIPELINE, {"disable_push": "true"}) + PUSH
    app = App(connected, local_image, project, pipeline)
    app()

    (tools, copy) = misses(app.commit({"b.txt": "changed"})())

    assert copy.startswith("stage-1, line 7 and on: COPY a.txt b.txt /src/: file changed: b.txt")


def test_a_changed_argument_is_named(connected, local_image, project):
    app = App(connected, local_image, project, WITH_MODE)
    app(MODE="safe")
    (tools, run) = misses(app(MODE="other"))

    assert run == "stage-1, line 6 and on: RUN echo ${MODE} > /mode: argument changed: MODE"


def test_a_base_image_that_moved_is_named(connected, moving, project):
    app = App(connected, moving.name, project)
    app()
    moving.move()
    lines = misses(app())

    assert len(lines) == 2
    for line in lines:
        assert f"image {moving.name} moved: sha256:" in line


def test_what_nobody_can_know_is_told(connected, local_image, files):
    with serve(lambda *_: Answer(200, "fetched")) as server:
        dockerfile = f"ARG BASE\nFROM ${{BASE}}\nRUN echo 1 > /x\nADD http://{server}/a.txt /a\n"
        app = App(connected, local_image, {**files, "Dockerfile": dockerfile})
        app()
        (line,) = misses(app())

    assert line.endswith("what it adds, or what is before it, may be another every time")
    assert line.startswith("stage-0, line 4 and on: ADD ")


def test_builds_with_triggers_of_their_base_image_are_not_kept(
    connected, local_image, engine, files, prefix
):
    container = engine.docker("create", local_image, "true").stdout.strip()
    name = f"{prefix}-triggers:1"
    engine.docker("commit", "--change", "ONBUILD COPY b.txt /on", container, name)
    engine.docker("rm", container)
    dockerfile = f"ARG BASE\nFROM ${{BASE}}\nRUN echo {prefix}\n"
    app = App(connected, name, {**files, "Dockerfile": dockerfile})
    first = app()
    second = app.commit({"b.txt": "changed"})()

    for run in (first, second):
        text = run["build"].text
        assert "Not kept for later builds: base images brought instructions" in text
    assert misses(second) == [
        f"stage-0, line 3 and on: RUN echo {prefix}: no past image has it"
    ]


def test_builds_that_use_no_past_images_do_not_look_for_them(app):
    app()

    assert misses(app.commit({"b.txt": "changed"})("--no-cf-cache")) == []


def test_a_skipped_build_misses_nothing_and_is_the_last_one(app, project):
    app()
    app.commit({"b.txt": "changed"})()
    skipped = app.commit({"b.txt": project["b.txt"]})()
    run = app.commit({"a.txt": "changed"})()

    assert misses(skipped) == []
    (tools, copy) = misses(run)
    assert copy.endswith("file changed: a.txt (1 of 2)")


def test_what_is_kept_of_an_image_are_the_layers_that_it_has(app, registry, prefix):
    """In the database, for they are shown nowhere."""
    app.commit({"Dockerfile": DOCKERFILE.replace("echo ", f"echo {prefix} ")})()  # all of it runs
    layers = registry.config(f"{prefix}/app", "v1")["rootfs"]["diff_ids"]
    kept = app.freshet.query("SELECT diff_id, cost_ms FROM cache_results")

    assert len(kept) == 5
    assert all(cost is not None for _, cost in kept), kept
    found = {f"sha256:{diff_id.hex()}" for diff_id, _ in kept if diff_id}
    assert found == set(layers[-4:])


def test_trouble_with_what_is_kept_costs_a_warning(app):
    (app.freshet.data_dir / "built").write_text("no directory")
    run = app()

    assert "warning: cannot keep what this build was made of: " in run["build"].text


def test_trouble_with_the_index_costs_warnings(app):
    app()
    app.freshet.query("DROP TABLE cache_holders")
    run = app.commit({"b.txt": "changed"})()

    warnings = [line for line in run["build"].log if line.startswith("warning: ")]
    assert [line.partition(": ")[2].partition(": ")[0] for line in warnings] == [
        "cannot tell what past images lack",
        "cannot look for previous built images",
        "the image is not kept as a cache source",
    ]


def test_of_very_many_stages_ten_are_told(connected, local_image, files):
    stages = [f"FROM ${{BASE}} AS s{i}\nRUN echo {i} > /x\n" for i in range(12)]
    copies = "".join(f"COPY --from=s{i} /x /x{i}\n" for i in range(12))
    dockerfile = f"ARG BASE\n{''.join(stages)}FROM ${{BASE}}\nCOPY a.txt /\n{copies}"
    app = App(connected, local_image, {**files, "Dockerfile": dockerfile})
    app()
    lines = misses(app.commit({"a.txt": "changed"})())

    assert [line.partition(",")[0] for line in lines[:10]] == [f"s{i}" for i in range(10)]
    assert lines[10:] == ["parts of 3 more stages"]
