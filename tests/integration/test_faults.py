# SPDX-License-Identifier: Apache-2.0
"""What breaks in the middle of a run: the engine, the program itself, the user's patience."""

import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

import pytest

from support.commands import run as run_program
from support.engine import Engine
from support.freshet import Freshet
from support.servers import Answer, serve
from support.waiting import wait_for

# Each waits, with a number of seconds that marks its process, until somebody ends it.
IN_A_STEP = """
    version: '1.0'
    steps:
      wait: {image: '${{BASE}}', commands: ['echo ready', 'sleep ${{SECONDS}}']}
      never: {image: '${{BASE}}', commands: ['true']}
"""
IN_A_BUILD = """
    version: '1.0'
    steps:
      wait:
        type: build
        image_name: app
        disable_push: true
        dockerfile: {content: "FROM ${{BASE}}\\nRUN echo ready; sleep ${{SECONDS}}\\n"}
      never: {image: '${{BASE}}', commands: ['true']}
"""
QUICK = """
    version: '1.0'
    steps:
      quick: {image: '${{BASE}}', commands: ['echo done']}
"""


@pytest.fixture
def seconds(prefix):
    """A duration that no other test's sleep has, and far longer than any test."""
    return str(10_000_000 + int(prefix.removeprefix("t-"), 16) % 80_000_000)


def sleepers(seconds):
    return run_program("pgrep", "-xf", f"sleep {seconds}", check=False).stdout.split()


def left_of(engine, build):
    """Everything in the engine that carries the label of the build."""
    label = f"io.freshet.build={build}"
    return [*engine.containers(label), *engine.volumes(label), *engine.networks(label)]


def record_of(freshet, build):
    ((result, reason, finished_at),) = freshet.query(
        "SELECT result, reason, finished_at FROM builds WHERE id = ?", build
    )
    return result, reason, finished_at


def start(freshet, pipeline, base, seconds):
    """Starts the pipeline; returns it, waiting in the middle, and its build."""
    live = freshet.start_pipeline(pipeline, vars={"BASE": base, "SECONDS": seconds})
    live.wait_for_event("log", step="wait", line="ready")
    wait_for(lambda: sleepers(seconds), "the sleeper")
    return live, live.wait_for_event("build_started")["build"]


# --- no engine --------------------------------------------------------------------------------


@pytest.mark.parametrize("has_socket", [False, True])
def test_an_engine_that_does_not_run_is_told(freshet, tmp_path, has_socket):
    path = tmp_path / "no.sock"
    if has_socket:  # one that a dead engine left, where nobody listens
        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(str(path))
    offline = freshet.with_engine(Engine(endpoint=f"unix://{path}"))

    run = offline.run_pipeline(QUICK, vars={"BASE": "unused"})

    assert run.returncode == 3
    assert run.events == []
    assert run.stderr == (
        f"error: no Docker engine at unix://{path}\n"
        "hint: start it, or name another with --engine or DOCKER_HOST\n"
    )


def test_the_engine_of_the_environment_is_used(freshet, engine, local_image, tmp_path):
    anywhere = freshet.with_engine(None)
    repository = anywhere.make_repository(QUICK)

    good = anywhere.run_repository(
        repository, {"BASE": local_image}, env={"DOCKER_HOST": engine.endpoint}
    )
    bad = anywhere.run_repository(
        repository, {"BASE": local_image}, env={"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    )

    assert good.result == "success", good
    assert f"no Docker engine at unix://{tmp_path}/no.sock" in bad.stderr


def test_an_engine_on_another_machine_is_refused_with_the_reason(freshet):
    remote = freshet.with_engine(Engine(endpoint="tcp://192.0.2.1:2376"))

    run = remote.run_pipeline(QUICK, vars={"BASE": "unused"})

    assert run.returncode == 2
    assert "error: the engine at tcp://192.0.2.1:2376 is on another machine\n" in run.stderr


def test_what_is_no_engine_is_told(freshet):
    with serve(lambda *request: Answer(200, "<html>", {"Content-Type": "text/html"})) as address:
        run = freshet.with_engine(Engine(endpoint=f"tcp://{address}")).run_pipeline(QUICK)

    assert run.returncode != 0
    assert run.events == []
    assert address in run.stderr
    assert "bug" not in run.stderr


@pytest.fixture
def as_nobody(binary, engine):
    """The binary as another user, in a place of that user's own."""
    directory = Path(tempfile.mkdtemp(prefix="freshet-nobody-"))
    copy = directory / "freshet"
    shutil.copy(binary, copy)  # where it was built may be closed to others
    runner = Freshet(copy, directory, engine)
    (directory / "codefresh.yml").write_text(
        "version: '1.0'\nsteps:\n  quick: {image: x, commands: ['true']}\n"
    )
    for path in [directory, *directory.rglob("*")]:
        os.chown(path, 65534, 65534)

    def run(*arguments):
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        return run_program(
            *user, *runner.command(*arguments), env=runner.environment(), cwd=directory, check=False
        )

    yield run
    shutil.rmtree(directory)


def test_a_socket_without_permission_is_told_with_the_way_out(as_nobody, engine):
    done = as_nobody("run")

    assert done.returncode == 1
    assert done.stderr == (
        f"error: no permission to use the Docker engine at {engine.endpoint}\n"
        "hint: become a member of the group that owns the socket "
        "('sudo usermod -aG docker $USER'), then log in again\n"
    )


# --- the engine dies --------------------------------------------------------------------------


@pytest.mark.parametrize("pipeline", [IN_A_STEP, IN_A_BUILD], ids=["in a step", "in a build"])
def test_an_engine_that_dies_is_told_at_once_and_the_next_run_cleans_up(
    freshet, registry, disposable_engine, base_image, seconds, pipeline
):
    engine = disposable_engine
    freshet = freshet.with_engine(engine)
    freshet.registry_add(registry)
    live, build = start(freshet, pipeline, base_image, seconds)

    engine.kill()
    run = live.finish(timeout=30)

    assert run["wait"].result == "failure", run
    error = run["wait"].error
    assert "went away" in error["message"] or "no Docker engine at" in error["message"], run
    assert error["code"] == "unavailable"
    assert run.results[-1] == ("never", "skipped")
    assert run.returncode == 3
    assert record_of(freshet, build)[0] == "failure"

    engine.start()
    again = freshet.run_pipeline(QUICK, vars={"BASE": base_image})

    assert again.result == "success", again
    assert left_of(engine, build) == []
    assert left_of(engine, again.build_id) == []
    assert sleepers(seconds) == []


# --- stopped by the user ----------------------------------------------------------------------


@pytest.mark.parametrize("pipeline", [IN_A_STEP, IN_A_BUILD], ids=["in a step", "in a build"])
@pytest.mark.parametrize("signal", ["interrupt", "terminate"])
def test_a_stopped_run_ends_quickly_and_leaves_nothing(
    freshet, engine, local_image, seconds, pipeline, signal
):
    live, build = start(freshet, pipeline, local_image, seconds)

    began = time.monotonic()
    getattr(live, signal)()
    run = live.finish(timeout=30)
    took = time.monotonic() - began

    assert run.returncode == 130, run
    assert took < 5
    assert "stopping: cleaning up (again to stop at once)" in run.stderr
    assert "bug" not in run.stderr
    assert run.result == "terminated", run
    assert run["wait"].result == "terminated"
    assert run.results[-1] == ("never", "skipped")
    assert left_of(engine, build) == []
    wait_for(lambda: not sleepers(seconds), "the end of the step's process")
    result, _, finished_at = record_of(freshet, build)
    assert (result, finished_at is not None) == ("terminated", True)
    assert not (freshet.data_dir / "runs" / build / "running").exists()


@pytest.fixture
def silent_address():
    """Of a server that accepts connections and never says anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_run_is_stopped_while_git_clones(freshet, engine, silent_address):
    live = freshet.start_pipeline(
        """
        version: '1.0'
        steps:
          wait: {type: git-clone, repo: 'http://${{ADDRESS}}/a/b.git'}
        """,
        vars={"ADDRESS": silent_address},
    )
    live.wait_for_event("log", step="wait", line="Cloning")

    live.interrupt()
    run = live.finish(timeout=15)

    assert run.returncode == 130, run
    assert run["wait"].result == "terminated"
    assert left_of(engine, run.build_id) == []
    wait_for(
        lambda: not run_program("pgrep", "-f", silent_address, check=False).stdout,
        "git and its helpers to be gone",
    )


def test_a_second_signal_stops_at_once_and_the_next_run_cleans_up(
    freshet, engine, local_image, seconds
):
    live, build = start(freshet, IN_A_STEP, local_image, seconds)

    live.interrupt()
    live.interrupt()
    run = live.finish(timeout=10)
    again = freshet.run_pipeline(QUICK, vars={"BASE": local_image})

    assert run.returncode == 130
    assert again.result == "success", again
    assert left_of(engine, build) == []


# --- killed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pipeline", [IN_A_STEP, IN_A_BUILD], ids=["in a step", "in a build"])
def test_after_a_kill_the_next_run_cleans_up_and_the_database_is_sound(
    freshet, engine, local_image, seconds, pipeline
):
    live, build = start(freshet, pipeline, local_image, seconds)
    live.kill()
    killed = live.finish()
    assert killed.returncode == -9
    assert left_of(engine, build) != []
    assert record_of(freshet, build)[2] is None

    again = freshet.run_pipeline(QUICK, vars={"BASE": local_image})

    assert again.result == "success", again
    assert f"build {build} left something behind: removing it" in again.stdout
    assert left_of(engine, build) == []
    wait_for(lambda: not sleepers(seconds), "the end of the step's process")
    result, reason, finished_at = record_of(freshet, build)
    assert (result, reason) == ("terminated", "its process ended without a word")
    assert finished_at is not None
    assert freshet.query("PRAGMA integrity_check") == [("ok",)]
    kept = (freshet.data_dir / "runs" / build).iterdir()
    assert [path.name for path in kept if path.is_dir()] == ["logs"]


def test_what_a_step_said_before_a_kill_is_in_its_log(freshet, local_image, seconds):
    live, build = start(freshet, IN_A_STEP, local_image, seconds)

    live.kill()
    live.finish()

    assert "ready" in freshet.logs(build)["02-wait.log"].splitlines()
    assert freshet.run_pipeline(QUICK, vars={"BASE": local_image}).result == "success"


def test_a_run_that_still_lives_is_not_cleaned_up(freshet, engine, local_image, seconds):
    live, build = start(freshet, IN_A_STEP, local_image, seconds)

    repository = freshet.make_repository(QUICK, name="other")
    other = freshet.run_repository(repository, {"BASE": local_image})

    assert other.result == "success", other
    assert len(left_of(engine, build)) == 2  # its container and its volume
    assert sleepers(seconds)
    live.interrupt()
    assert live.finish().returncode == 130


def test_what_another_data_directory_made_is_left_alone(
    freshet, engine, binary, local_image, seconds, tmp_path
):
    stranger = Freshet(binary, tmp_path / "stranger", engine)
    live, build = start(stranger, IN_A_STEP, local_image, seconds)
    live.kill()
    live.finish()

    assert freshet.run_pipeline(QUICK, vars={"BASE": local_image}).result == "success"

    assert len(left_of(engine, build)) == 2
    assert stranger.run_pipeline(QUICK, vars={"BASE": local_image}).result == "success"
    assert left_of(engine, build) == []


# --- two at once ------------------------------------------------------------------------------


def test_runs_at_once_on_one_data_directory_that_push_the_same_name_each_get_their_own_image(
    connected, registry, local_image, prefix
):
    pipeline = """
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            tags: [one, two]
            dockerfile:
              content: |
                FROM ${{BASE}}
                RUN echo ${{CONTENT}} > /content
                LABEL content=${{CONTENT}}
          push: {type: push, candidate: '${{build}}', image_name: released}
          use: {image: '${{build}}', commands: [cat /content]}
    """
    contents = [f"{prefix}-{name}" for name in ("a", "b", "c")]
    lives = [
        connected.start_repository(
            connected.make_repository(pipeline, name=content),
            {"BASE": local_image, "CONTENT": content},
        )
        for content in contents
    ]

    runs = [live.finish(timeout=120) for live in lives]

    for content, run in zip(contents, runs, strict=True):
        assert run.result == "success", run
        assert run["use"].log[-1] == content
        told = [event for event in run.events if event["event"] == "image"]
        images = {event["step"]: event["image"] for event in told}
        for step, name in (("build", "app"), ("push", "released")):
            repository, _, digest = images[step]["repo_digest"].partition("@")
            assert repository == f"{registry.address}/{prefix}/{name}"
            config = registry.config(f"{prefix}/{name}", digest)
            assert config["config"]["Labels"]["content"] == content, step
    assert registry.tags(f"{prefix}/app") == ["one", "two"]
    assert connected.query("PRAGMA integrity_check") == [("ok",)]
    assert connected.query("SELECT count(*), sum(result = 'success') FROM builds") == [(3, 3)]


def test_runs_at_once_of_one_pipeline_do_not_disturb_each_other(freshet, local_image):
    repository = freshet.make_repository(
        """
        version: '1.0'
        steps:
          write: {image: '${{BASE}}', commands: ['echo $MINE > /codefresh/volume/mine', 'cat file']}
          read: {image: '${{BASE}}', commands: ['cat /codefresh/volume/mine']}
        """,
        {"file": "cloned\n"},
    )
    lives = [
        freshet.start_repository(repository, {"BASE": local_image, "MINE": str(number)})
        for number in range(3)
    ]

    runs = [live.finish(timeout=60) for live in lives]

    for number, run in enumerate(runs):
        assert run.result == "success", run
        assert run["write"].log[-1] == "cloned"
        assert run["read"].log[-1] == str(number)


# --- its own output and disk ------------------------------------------------------------------


def test_a_reader_that_goes_away_does_not_leave_anything_behind(freshet, engine, local_image):
    repository = freshet.make_repository(
        """
        version: '1.0'
        steps:
          talk: {image: '${{BASE}}', commands: ['yes | head -n 100000']}
        """
    )
    command = freshet.command(
        "run", repository.path, "--progress", "plain", "--var", f"BASE={local_image}"
    )

    run_program("sh", "-c", '"$@" | head -n 3', "sh", *command, env=freshet.environment())

    ((build,),) = freshet.query("SELECT id FROM builds WHERE finished_at IS NOT NULL")
    assert left_of(engine, build) == []


@pytest.fixture
def small_disk(tmp_path):
    directory = tmp_path / "small-disk"
    directory.mkdir()
    run_program("mount", "-t", "tmpfs", "-o", "size=3m", "freshet-test", directory)
    yield directory
    run_program("umount", "--lazy", directory)


def test_a_full_disk_of_its_own_is_told_and_the_step_goes_on(
    binary, engine, local_image, small_disk
):
    freshet = Freshet(binary, small_disk, engine)

    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          talk:
            image: ${{BASE}}
            commands:
              - head -c 4000000 /dev/zero | tr '\\000' x | fold -w 1000
              - echo; echo the end
        """,
        vars={"BASE": local_image},
    )

    assert run["talk"].log[-1] == "the end", run.stderr
    assert "the log on disk ends here: No space left on device" in run["talk"].text
    assert left_of(engine, run.build_id) == []


def test_a_run_whose_volume_cannot_be_made_leaves_no_running_build(freshet, local_image):
    first = freshet.run_pipeline(QUICK, vars={"BASE": local_image})
    (saved,) = (freshet.data_dir / "volumes").iterdir()
    saved.rename(freshet.directory / "aside")
    saved.write_text("in the way")

    run = freshet.run_pipeline(QUICK, vars={"BASE": local_image})

    assert first.result == "success", first
    assert run.returncode not in (0, 130), run
    assert freshet.query("SELECT id FROM builds WHERE finished_at IS NULL") == []
