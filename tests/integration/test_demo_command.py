# SPDX-License-Identifier: Apache-2.0
"""The README's demo command, but for the packages and the build, which are there already."""

import os

import pytest

from support.commands import run
from support.paths import SCRIPTS


@pytest.fixture
def demo(binary, engine, tmp_path):
    """Calls scripts/demo with a state directory of its own on an engine that is there already."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")},
        "FRESHET_BIN": str(binary),
        "FRESHET_DEMO_DIR": str(tmp_path / "demo"),
        "DOCKER_HOST": engine.endpoint,
        "HOME": str(tmp_path),
    }

    def call(*arguments):
        return run(SCRIPTS / "demo", *arguments, env=environment, timeout=150)

    yield call
    call("stop")


def test_the_demo_works_twice_and_says_what_it_leaves_running(demo, engine):
    for attempt in ("first", "second"):
        said = demo().stdout

        assert "demo/released/hello:latest" in said, attempt
        assert f"engine: was here before, at {engine.endpoint}" in said, attempt
        assert "registry: docker-registry, process" in said, attempt
        assert "make stop-demo" in said, attempt
        assert "Try next" in said, attempt


def test_the_demo_stops_what_it_started_and_nothing_else(demo, engine, tmp_path):
    demo()

    stopped = demo("stop")

    assert "stopped the registry" in stopped.stderr
    assert "stopped the engine" not in stopped.stderr
    assert engine.answers()
    assert (tmp_path / "demo/registry/data").is_dir()
