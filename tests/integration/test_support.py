# SPDX-License-Identifier: Apache-2.0
"""That what the other tests stand on is what they take it for."""

import pytest

from support.commands import run
from support.waiting import wait_for


def test_the_registry_lets_in_only_who_has_the_password(registry, base_image):
    assert registry.request("GET", "/v2/")[0] == 200
    assert registry.request("GET", "/v2/", password="wrong")[0] == 401
    assert "base" in registry.repositories()
    assert registry.tags("base") == ["1"]
    assert registry.tags("no-such-repository") == []
    assert registry.manifest("base", "no-such-tag") is None


def test_the_password_of_the_registry_is_in_no_process(registry, base_image):
    everything = run("ps", "axeww").stdout

    assert registry.password not in everything


def test_the_base_image_is_the_same_each_time(registry, base_image):
    registry.push_base_image("again:1")

    assert registry.manifest("again", "1").digest == registry.manifest("base", "1").digest


def test_the_engine_pulls_and_runs_the_base_image(engine, registry, base_image):
    config = registry.docker_config()
    engine.remove_image(base_image)
    refused = engine.docker("pull", base_image, check=False)
    engine.docker("pull", base_image, config=config)
    said = engine.docker("run", "--rm", base_image, "sh", "-c", "echo hello from $(whoami)")

    assert refused.returncode != 0
    assert said.stdout == "hello from root\n"
    assert engine.image(base_image)["Os"] == "linux"
    assert engine.image("no-such-image") is None


def test_the_engine_builds_with_buildkit(engine, registry, base_image, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {base_image}\nRUN echo built >/file\n")
    engine.docker("pull", base_image, config=registry.docker_config())

    built = engine.docker(
        "build", "--progress=plain", "--iidfile", tmp_path / "id", tmp_path,
        env={"DOCKER_BUILDKIT": "1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    read = engine.docker("run", "--rm", (tmp_path / "id").read_text(), "cat", "/file")

    assert "exporting to image" in built.stderr
    assert read.stdout == "built\n"


def test_a_registry_keeps_its_images_and_address_when_it_is_started_again(disposable_registry):
    disposable_registry.push_base_image("kept:1")
    address, password = disposable_registry.address, disposable_registry.password

    disposable_registry.stop()
    assert not disposable_registry.answers()
    disposable_registry.start()
    disposable_registry.kill()
    disposable_registry.start()

    assert (disposable_registry.address, disposable_registry.password) == (address, password)
    assert disposable_registry.tags("kept") == ["1"]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_an_engine_keeps_its_images_and_nothing_else_when_it_is_started_again(
    disposable_engine, registry, base_image, how
):
    engine = disposable_engine
    engine.docker("pull", base_image, config=registry.docker_config())
    engine.docker("network", "create", "--label", "mark=1", "net")
    options = ["--label", "mark=1", "--net", "net", "--stop-signal", "KILL"]
    engine.docker("run", "-d", *options, base_image, "sleep", "4321")
    assert _sleepers(4321)

    getattr(engine, how)()
    assert not engine.answers()
    engine.start()

    wait_for(lambda: not _sleepers(4321), "the end of the container's process")
    assert engine.image(base_image)
    assert [one["State"] for one in engine.containers("mark=1")] == ["exited"]
    assert [one["Name"] for one in engine.networks("mark")] == ["net"]
    assert engine.volumes() == []


def _sleepers(seconds):
    return run("pgrep", "-xf", f"sleep {seconds}", check=False).stdout.split()
