# SPDX-License-Identifier: Apache-2.0
"""Builds that are left out, because an image of the very same inputs was built before."""

import os
import socket
from types import SimpleNamespace

import pytest

from support.app import PIPELINE, App
from support.freshet import Freshet
from support.pipelines import BUILD, with_fields
from support.servers import Answer, serve

SKIPPED = "Skipping building image: app:"
NEXT = """\
      use:
        image: '${{build}}'
        commands: [cat /joined]
"""


def was_skipped(run):
    """Whether the step says so; what it says must fit together."""
    step = run["build"]
    is_built = any(line.startswith("Built ") for line in step.log)
    assert is_built != any(line.startswith(SKIPPED) for line in step.log), run
    assert is_built == bool(step.vertices), run
    return not is_built


def cached(run):
    """How many instructions were cached, of how many."""
    (line,) = [line for line in run["build"].log if line.startswith("Built ")]
    words = line.partition(": ")[2].split()
    return int(words[0]), int(words[2])


def images(run):
    return [event["image"] for event in run.events if event["event"] == "image"]


def images_key(app):
    (record,) = app.freshet.json("image", "list")["images"]
    return record["hash"]


@pytest.fixture
def app(connected, local_image, files):
    return App(connected, local_image, files)


@pytest.fixture
def another(binary, tmp_path, engine):
    """The binary with another empty data directory."""
    (tmp_path / "another").mkdir()
    return Freshet(binary, tmp_path / "another", engine)


# --- what is skipped --------------------------------------------------------------------------


def test_a_commit_that_is_built_again_is_not_built_again(app, registry, engine, prefix):
    first, second = app(), app()

    assert (was_skipped(first), was_skipped(second)) == (False, True)
    digest = registry.manifest(f"{prefix}/app", "v1").digest
    assert f"{SKIPPED}v2" in second["build"].log
    assert f"Already built: {registry.address}/{prefix}/app@{digest}" in second["build"].log
    assert registry.manifest(f"{prefix}/app", "v2").digest == digest
    names = engine.image(f"{registry.address}/{prefix}/app:v2")["RepoTags"]
    assert f"{registry.address}/{prefix}/app:v1" in names
    (record,) = app.freshet.json("image", "list")["images"]
    assert [tag["tag"] for tag in record["tags"]] == ["v1", "v2"]
    (told,) = images(second)
    assert told["internal_image_id"] == record["internal_image_id"]
    labels = registry.config(f"{prefix}/app", "v1")["config"]["Labels"]
    assert labels["io.codefresh.repo.hash"] == record["hash"]
    assert f"Image key: {record['hash']} (" in second["build"].text


def test_later_steps_use_the_image_of_a_skipped_build(connected, local_image, files):
    app = App(connected, local_image, files, PIPELINE.rstrip(" ") + NEXT)

    app()
    run = app()

    assert was_skipped(run)
    assert run["use"].result == "success", run
    assert files["a.txt"] in run["use"].text


def test_a_change_that_the_build_does_not_get_is_no_change(app):
    app.commit({".dockerignore": ".git\nnotes\n", "notes": "one"})
    app()

    assert was_skipped(app.commit({"notes": "another"})())


def test_an_image_is_copied_to_a_registry_that_lacks_it(
    both, local_image, files, registry, other_registry, prefix
):
    app = App(both, local_image, files, with_fields(PIPELINE, {"registry": "'${{WHERE}}'"}))

    app(WHERE="staging")
    run = app(WHERE="prod")

    assert was_skipped(run)
    wanted = registry.manifest(f"{prefix}/app", "v1").digest
    assert other_registry.manifest(f"{prefix}/prod/app", "v2").digest == wanted


def test_an_image_that_was_released_elsewhere_is_found_where_it_still_is(
    connected, local_image, files, registry, prefix
):
    release = """\
      release:
        type: push
        candidate: '${{build}}'
        image_name: released
        tag: '${{TAG}}'
"""
    app = App(connected, local_image, files, PIPELINE.rstrip(" ") + release)
    app()
    near = app()
    registry.remove(f"{prefix}/app", "v1")
    far = app()

    assert was_skipped(near) and was_skipped(far)
    assert "Copying" not in near["build"].text
    assert f"Copying {registry.address}/{prefix}/released@" in far["build"].text
    assert registry.tags(f"{prefix}/app") == ["v3"]
    assert registry.tags(f"{prefix}/released") == ["v1", "v2", "v3"]


def test_an_engine_without_any_image_needs_none(
    connected, base_image, files, disposable_engine, registry, prefix
):
    app = App(connected, base_image, files)

    app()
    run = app(freshet=connected.with_engine(disposable_engine))

    assert was_skipped(run)
    assert disposable_engine.get("/images/json") == []
    digest = registry.manifest(f"{prefix}/app", "v1").digest
    assert registry.manifest(f"{prefix}/app", "v2").digest == digest


def test_an_engine_without_the_image_gets_it_for_a_step_that_runs_in_it(
    connected, base_image, files, disposable_engine
):
    app = App(connected, base_image, files, PIPELINE.rstrip(" ") + NEXT)

    app()
    run = app(freshet=connected.with_engine(disposable_engine))

    assert was_skipped(run)
    assert files["a.txt"] in run["use"].text


def test_the_caching_registry_knows_images_that_others_built(
    caching, another, registry, local_image, files, prefix
):
    another.registry_add(registry, prefix=prefix, cache=True)
    app = App(caching, local_image, files)
    app()

    key = images_key(app)
    assert registry.tags(f"{prefix}/app") == sorted([key, "v1"])
    run = app(freshet=another)

    assert was_skipped(run)
    (record,) = another.json("image", "list")["images"]
    (before,) = app.freshet.json("image", "list")["images"]
    for field in ("internal_image_id", "repo_digest", "hash", "dockerfile"):
        assert record[field] == before[field], field
    assert [tag["tag"] for tag in record["tags"]] == ["v2"]


def test_an_image_that_is_not_pushed_is_kept_in_the_caching_registry(
    caching, base_image, files, disposable_engine, registry, prefix
):
    pipeline = with_fields(PIPELINE, {"disable_push": "true"})
    app = App(caching, base_image, files, pipeline)
    clean = caching.with_engine(disposable_engine)

    app()
    key = images_key(app)
    assert registry.tags(f"{prefix}/app") == [key]
    run = app(freshet=clean)

    assert was_skipped(run)
    assert registry.tags(f"{prefix}/app") == [key]
    assert disposable_engine.image("app:v2") is not None


# --- what is built ----------------------------------------------------------------------------


def commit_file(app):
    app.commit({"b.txt": "c" * 2000})


def commit_mode(app):
    (app.repository.path / "a.txt").chmod(0o755)
    app.commit({})


def commit_link(app):
    link = app.repository.path / "link"
    link.unlink()
    link.symlink_to("b.txt")
    app.commit({})


def commit_ignored_file(app):
    app.commit({".dockerignore": ".git\nb.txt\n", "Dockerfile": "ARG BASE\nFROM ${BASE}\n"})


@pytest.mark.parametrize("change", [commit_file, commit_mode, commit_link, commit_ignored_file])
def test_a_change_of_what_the_build_gets_is_built(app, change):
    (app.repository.path / "link").symlink_to("a.txt")
    app.commit({})
    app()

    change(app)

    assert not was_skipped(app())


def test_another_build_argument_is_another_image(connected, local_image, files):
    pipeline = BUILD.replace("'BASE=${{BASE}}'", "'BASE=${{BASE}}', 'MORE=${{MORE}}'")
    app = App(connected, local_image, files, with_fields(pipeline, {"tag": "'${{TAG}}'"}))

    assert not was_skipped(app(MORE="1"))
    assert not was_skipped(app(MORE="2"))
    assert was_skipped(app(MORE="1"))


def test_a_base_image_whose_tag_moved_is_built_on(connected, moving, files, registry, prefix):
    """Although the engine has the older one under that name."""
    app = App(connected, moving.name, files)
    app()
    assert was_skipped(app())

    moving.move()
    run = app()

    assert not was_skipped(run)
    assert registry.config(f"{prefix}/app", "v3")["config"]["Labels"]["moved"] == "yes"
    assert was_skipped(app())


def test_a_build_without_a_key_is_on_the_base_image_of_now(
    connected, moving, files, registry, prefix
):
    with serve(lambda *_: Answer(200, "fetched")) as server:
        dockerfile = f"ARG BASE\nFROM ${{BASE}}\nADD http://{server}/a.txt /joined\n"
        app = App(connected, moving.name, {**files, "Dockerfile": dockerfile})

        moving.move()
        app()

    assert registry.config(f"{prefix}/app", "v1")["config"]["Labels"]["moved"] == "yes"


def test_an_image_that_was_deleted_in_the_registry_is_built(app, registry, prefix):
    app()
    registry.remove(f"{prefix}/app", "v1")

    run = app()

    assert not was_skipped(run)
    assert "was built of the same, but its registry does not have it any more" in run["build"].text
    assert registry.manifest(f"{prefix}/app", "v2") is not None
    assert was_skipped(app())


@pytest.mark.parametrize(
    ("fields", "arguments", "why", "is_cached"),
    [
        ({"no_cf_cache": "true"}, [], "'no_cf_cache' is set", True),
        ({"no_cache": "'yes'"}, [], "'no_cache' is set", False),
        ({}, ["--no-cf-cache"], "'--no-cf-cache' was given", True),
        ({}, ["--no-cache"], "'--no-cache' was given", False),
    ],
)
def test_a_switch_makes_every_build_run(
    connected, local_image, files, fields, arguments, why, is_cached
):
    app = App(connected, local_image, files, with_fields(PIPELINE, fields))

    app(*arguments)
    run = app(*arguments)

    assert not was_skipped(run)
    assert f"Not looking for an image built before: {why}" in run["build"].log
    assert cached(run) == ((2, 2) if is_cached else (0, 2))


def test_a_build_that_fetches_what_may_change_is_run(connected, local_image, files):
    with serve(lambda *_: Answer(200, "fetched")) as server:
        url = f"http://{server}/a.txt"
        dockerfile = f"ARG BASE\nFROM ${{BASE}}\nARG WHAT={url}\nADD $WHAT /joined\n"
        app = App(connected, local_image, {**files, "Dockerfile": dockerfile})

        app()
        run = app()

    assert not was_skipped(run)
    assert run["build"].log[0] == (
        f"Not looking for an image built before: line 4 adds '{url}', which may change elsewhere: "
        "give it a --checksum, or COPY it"
    )


def test_without_a_registry_nothing_is_looked_for(freshet, local_image, files):
    app = App(freshet, local_image, files)

    app()
    run = app()

    assert not was_skipped(run)
    assert "Image key" not in run["build"].text


# --- trouble ----------------------------------------------------------------------------------


def test_a_caching_registry_that_fails_costs_a_warning(
    freshet, local_image, files, registry, disposable_registry, prefix
):
    freshet.registry_add(registry, prefix=prefix)
    freshet.registry_add(disposable_registry, name="cache", default=False, cache=True)
    disposable_registry.stop()
    app = App(freshet, local_image, files)

    run = app()

    assert not was_skipped(run)
    assert "warning: cannot look for an image built before: " in run["build"].text
    assert "warning: the caching registry did not take the image: " in run["build"].text
    assert registry.tags(f"{prefix}/app") == ["v1"]
    assert was_skipped(app())


def test_a_caching_registry_that_is_silent_holds_up_a_build_for_seconds(
    freshet, local_image, files, registry, prefix
):
    freshet.registry_add(registry, prefix=prefix)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = SimpleNamespace(
            address=f"127.0.0.1:{silent.getsockname()[1]}", username="ada", password="none"
        )
        freshet.registry_add(cache, name="cache", default=False, cache=True)
        app = App(freshet, local_image, files)

        run = app()

    assert not was_skipped(run)
    text = run["build"].text
    assert "warning: cannot look for an image built before: looking for an image built" in text
    assert "warning: the caching registry did not take the image: " in text
    (ended,) = [e for e in run.events if e["event"] == "step_finished" and e["step"] == "build"]
    assert ended["duration_ms"] < 30_000  # 5 seconds before the build, 5 after it


# --- what a build gets of a folder ------------------------------------------------------------


def test_the_context_of_a_folder_is_listed_with_a_digest_for_each_file(freshet, tmp_path):
    folder = tmp_path / "context"
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / ".dockerignore").write_text("*.log\nDockerfile\n.dockerignore\n")
    (folder / "src/main.c").write_text("int main() {}\n")
    (folder / "notes.log").write_text("today")

    def listed(*options):
        return freshet.json("cache", "context", folder, "--list", *options)

    before = listed()
    os.utime(folder / "src/main.c", (1, 1))
    (folder / "notes.log").write_text("tomorrow")
    assert listed()["digest"] == before["digest"]
    (folder / "src/main.c").chmod(0o755)
    after = listed()

    assert [entry["path"] for entry in before["entries"]] == ["src", "src/main.c"]
    assert (before["files"], before["bytes"]) == (1, 14)
    assert after["digest"] != before["digest"]
    assert after["entries"][0] == before["entries"][0]
    assert after["entries"][1] != before["entries"][1]
    text = freshet.run("cache", "context", folder, "--list").stdout.splitlines()
    assert text[1] == f"{after['entries'][1]['digest']}  src/main.c"
    assert text[2].startswith(f"{after['digest']}: 1 file, 14 B, ")

    (folder / "other.dockerignore").write_text("src\n")
    (folder / "other").write_text("FROM scratch\n")
    paths = [entry["path"] for entry in listed("--file", "other")["entries"]]
    assert "notes.log" in paths
    assert "src" not in paths


def test_a_context_without_its_dockerfile_is_told(freshet, tmp_path):
    refused = freshet.run("cache", "context", tmp_path, check=False)

    assert refused.returncode == 1
    assert refused.stderr == f"error: no Dockerfile found at '{tmp_path}/Dockerfile'\n"
