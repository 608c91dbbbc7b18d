# SPDX-License-Identifier: Apache-2.0
"""examples/hello, run for real: clone, build, push, and a step in the image that was built."""

import pytest

from support.git import Repository
from support.paths import EXAMPLES


@pytest.fixture
def hello(freshet, registry, prefix, base_image, tmp_path):
    """Runs the example, as often as it is called, on a git repository of its own."""
    freshet.registry_add(registry, prefix=prefix)
    repository = Repository(tmp_path / "hello")
    repository.commit_copy_of(EXAMPLES / "hello", message="Say hello")

    def run():
        return freshet.run_repository(repository, {"BASE_IMAGE": base_image})

    run.repository = repository
    return run


def test_the_example_is_cloned_built_released_and_run(hello):
    run = hello()

    assert run.result == "success", run
    assert run.returncode == 0, run
    assert run.results == [
        ("main_clone", "success"),
        ("build", "success"),
        ("push", "success"),
        ("try_it", "success"),
    ]
    assert [step.type for step in run.steps.values()] == [
        "git-clone",
        "build",
        "push",
        "freestyle",
    ]


def test_the_freestyle_step_runs_the_program_that_was_built(hello):
    run = hello()

    assert f"Hello, from revision {hello.repository.short_revision}!" in run["try_it"].log, run
    assert "Hei, Freshet!" in run["try_it"].log, run


def test_the_image_is_pushed_by_the_build_and_released_under_two_tags(hello, registry, prefix):
    assert hello().result == "success"

    short_revision = hello.repository.short_revision
    released = f"{prefix}/released/hello"
    assert registry.tags(f"{prefix}/hello") == ["main"]
    assert registry.tags(released) == sorted([short_revision, "latest"])
    digests = {
        registry.manifest(f"{prefix}/hello", "main").digest,
        registry.manifest(released, short_revision).digest,
        registry.manifest(released, "latest").digest,
    }
    assert len(digests) == 1


def test_the_released_image_serves_other_clients(hello, engine, registry, prefix):
    assert hello().result == "success"

    repository = f"{prefix}/released/hello"
    reference = f"{registry.address}/{repository}:latest"
    inspected = registry.skopeo_inspect(repository, "latest")
    engine.remove_image(reference)
    engine.docker("pull", reference, config=registry.docker_config())
    said = engine.docker("run", "--rm", reference, "hello", "Docker")

    assert inspected["Digest"] == registry.manifest(repository, "latest").digest
    assert f"HELLO_REVISION={hello.repository.short_revision}" in inspected["Env"]
    assert said.stdout == "Hello, Docker!\n"


def test_the_images_are_read_back_from_the_registry(hello, freshet, registry, prefix):
    assert hello().result == "success"

    listed = freshet.run("registry", "images", "local").stdout.splitlines()

    repository = f"{prefix}/released/hello"
    digest = registry.manifest(repository, "latest").digest
    assert [f"{registry.address}/{repository}:latest", digest] in [line.split() for line in listed]


def test_a_second_run_builds_nothing_anew(hello):
    first, second = hello(), hello()

    assert (first.result, second.result) == ("success", "success")
    assert first["build"].vertices != []
    assert second["build"].vertices == [], second
    assert any(line.startswith("Skipping building image: hello:") for line in second["build"].log)
    assert second["try_it"].log == first["try_it"].log


def test_a_new_commit_is_released_beside_the_old_one(hello, registry, prefix):
    assert hello().result == "success"
    old = hello.repository.short_revision
    hello.repository.commit({"greetings.txt": "en Good day\nfi Moi\n"})
    # The Dockerfile has a test of its own, which the new greeting breaks.
    refused = hello()
    hello.repository.commit({"greetings.txt": "en Hello\nfi Moi\n"})
    run = hello()

    assert refused.results == [
        ("main_clone", "success"),
        ("build", "failure"),
        *refused.results[2:],
    ]
    assert refused.returncode != 0
    assert "Moi, Freshet!" in run["try_it"].log, run
    new = hello.repository.short_revision
    assert registry.tags(f"{prefix}/released/hello") == sorted([old, new, "latest"])


def test_nothing_of_a_run_is_left_on_the_engine(hello, engine):
    def left():
        resources = [*engine.containers(), *engine.networks(), *engine.volumes()]
        return {one.get("Id") or one["Name"] for one in resources}

    before = left()
    assert hello().result == "success"

    assert left() == before
