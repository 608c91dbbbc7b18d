# SPDX-License-Identifier: Apache-2.0
"""A registry's password, and what a pipeline masks, show nowhere."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.freshet import Freshet
from support.leaks import ProcessWatch, files_that_hold, forms_of, holds
from support.waiting import wait_for

USES_THE_PASSWORD = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        build_arguments: ['BASE=${{PRIVATE_IMAGE}}']
      push:
        type: push
        candidate: '${{build}}'
        image_name: released
        registry: local
      pulled:
        image: ${{PRIVATE_IMAGE}}
        commands:
          - env
          - echo ready; while [ ! -e /codefresh/volume/go ]; do sleep 0.05; done
"""


@dataclass
class Observed:
    """A run that used a password in every way that there is, and all that was seen of it."""

    forms: list
    run: object
    watch: ProcessWatch
    data_dir: object
    containers: list
    images: list
    logs: dict
    status: str  # of the process, as the kernel tells it


@pytest.fixture(scope="module")
def observed(binary, engine, registry, base_image, tmp_path_factory):
    freshet = Freshet(binary, tmp_path_factory.mktemp("secrets"), engine)
    freshet.registry_add(registry, prefix="t-secrets")
    private = engine.put_image(base_image, registry, "t-secrets/private:1")
    watch = ProcessWatch(forms_of(registry.password), control="CF_BUILD_ID=")
    try:
        files = {"Dockerfile": "ARG BASE\nFROM ${BASE}\nRUN echo built > /built\n"}
        live = freshet.start_pipeline(USES_THE_PASSWORD, files, {"PRIVATE_IMAGE": private})
        live.wait_for_event("log", step="pulled", line="ready")
        build = live.wait_for_event("build_started")["build"]
        rounds = watch.rounds
        wait_for(lambda: watch.rounds > rounds + 1, "a look at the running step")
        containers = [
            engine.get(f"/containers/{one['Id']}/json")
            for one in engine.containers(f"io.freshet.build={build}")
        ]
        status = Path(f"/proc/{live.pid}/status").read_text()
        (freshet.volume(build) / "go").touch()
        run = live.finish()
    finally:
        watch.stop()
        freshet.close()
    images = [engine.image(f"{registry.address}/t-secrets/app:main")]
    images += [engine.get(f"/images/{one['Id']}/history") for one in images]
    return Observed(
        forms_of(registry.password), run, watch, freshet.data_dir, containers, images,
        freshet.logs(build), status,
    )


def test_the_run_that_is_looked_at_used_the_password(observed):
    assert observed.run.result == "success", observed.run
    assert [result for _, result in observed.run.results] == ["success"] * 4
    assert "Pulling image" in observed.run["pulled"].text
    assert observed.watch.rounds > 3
    assert observed.watch.saw_control  # the environment of the step's container
    assert {"freshet", "sh"} <= observed.watch.programs
    assert len(observed.containers) == 1
    assert len(observed.logs) == 4


def test_the_password_is_not_in_the_output(observed):
    assert not holds(observed.run.stdout, observed.forms)
    assert not holds(observed.run.stderr, observed.forms)


def test_the_password_is_in_no_arguments_and_no_environment(observed):
    assert observed.watch.found == set()


def test_the_password_is_in_no_file_that_is_kept(observed):
    assert files_that_hold(observed.data_dir, observed.forms) == []


def test_the_password_is_in_no_log_of_a_step(observed):
    assert not [name for name, text in observed.logs.items() if holds(text, observed.forms)]


def test_the_password_is_in_nothing_that_the_engine_tells(observed):
    assert not holds(json.dumps(observed.containers), observed.forms)
    assert not holds(json.dumps(observed.images), observed.forms)


def test_the_password_is_held_in_memory_that_is_never_swapped(observed):
    locked = next(line for line in observed.status.splitlines() if line.startswith("VmLck:"))

    assert int(locked.split()[1]) > 0, observed.status


def test_the_search_would_find_it(tmp_path):
    forms = forms_of("correct horse battery")

    for text in (
        "x correct horse battery x",
        "dTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=",  # u:correct horse battery
        "dXM6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5",  # us:correct horse battery
        "dXNlOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==",  # use:correct horse battery
    ):
        assert holds(text, forms), text
        (tmp_path / "file").write_text(text)
        assert files_that_hold(tmp_path, forms) == [tmp_path / "file"]
    assert not holds("correct horse", forms)


def test_the_watch_would_see_it():
    secret = "correct horse battery"
    watch = ProcessWatch(forms_of(secret), control="freshet-control")
    environment = {"FORM": secret, "PATH": "/usr/bin:/bin", "CONTROL": "freshet-control"}
    process = subprocess.Popen(["sleep", "60"], env=environment)
    try:
        wait_for(lambda: watch.found and watch.saw_control, "the planted secret")
    finally:
        process.kill()
        process.wait()
        watch.stop()
    assert "sleep" in watch.programs


# --- when things go wrong ---------------------------------------------------------------------


def test_a_password_that_is_refused_is_not_in_the_error(freshet, registry, local_image, prefix):
    wrong = "Wr0ng-but-s3cret-all-the-same"
    freshet.registry_add(registry, prefix=prefix, password=wrong)

    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          push: {type: push, candidate: '${{BASE}}', image_name: app}
        """,
        vars={"BASE": f"{registry.address}/base:1"},
    )

    assert run.result == "failure"
    assert "refused the credentials" in run["push"].error["message"], run
    assert not holds(run.stdout + run.stderr, forms_of(wrong))
    assert files_that_hold(freshet.data_dir, forms_of(wrong)) == []


def test_the_removed_password_is_nowhere_in_the_database(freshet, registry):
    freshet.registry_add(registry)
    (sealed,) = freshet.query("SELECT sealed_password FROM registry_integrations")[0]

    freshet.run("registry", "remove", "local")

    assert files_that_hold(freshet.data_dir, [sealed.encode()]) == []


# --- what a pipeline masks --------------------------------------------------------------------

MASKED = "tr0ub4dor-and-3"


def test_a_masked_export_reaches_later_steps_and_no_log(freshet, local_image):
    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          give:
            image: ${{BASE}}
            environment: ['PARTS=tr0ub4dor and 3']
            commands:
              - cf_export TOKEN=$(echo $PARTS | tr ' ' -) --mask
          use:
            image: ${{BASE}}
            commands:
              - echo "variable $TOKEN" ; echo "interpolated ${{TOKEN}}"
              - echo "length ${#TOKEN}"
              - echo "error $TOKEN" >&2
              - printf %s "$TOKEN" | base64
              - printf %s "user:$TOKEN" | base64
        """,
        vars={"BASE": local_image},
    )

    assert run.result == "success", run
    assert "variable *****" in run["use"].log
    assert "interpolated *****" in run["use"].log
    assert "error *****" in run["use"].log
    assert f"length {len(MASKED)}" in run["use"].log
    assert not holds(run.stdout + run.stderr, forms_of(MASKED))
    assert not holds(str(freshet.logs(run.build_id)), forms_of(MASKED))


# A pipeline whose Dockerfile goes on with the instructions of a test.
BUILD_WITH_A_MASKED_ARGUMENT = """\
version: '1.0'
steps:
  give:
    image: ${{BASE}}
    environment: ['PARTS=tr0ub4dor and 3']
    commands:
      - cf_export TOKEN=$(echo $PARTS | tr ' ' -) --mask
  build:
    type: build
    image_name: app
    disable_push: true
    build_arguments: ['BASE=${{BASE}}', 'TOKEN=${{TOKEN}}']
    dockerfile:
      content: |
        ARG BASE
        FROM ${BASE}
        ARG TOKEN
"""


def test_a_masked_build_argument_is_hidden_in_the_image_record(freshet, local_image):
    run = freshet.run_pipeline(
        BUILD_WITH_A_MASKED_ARGUMENT
        + '        RUN echo "recording with ${TOKEN}"\n',
        vars={"BASE": local_image},
    )

    assert run.result == "success", run
    shown = freshet.run("image", "list", "--json").stdout
    assert "TOKEN=*****" in shown
    assert not holds(run.stdout + run.stderr + shown, forms_of(MASKED))
    assert not holds(str(freshet.query("SELECT * FROM image_layers")), forms_of(MASKED))


def test_a_masked_value_is_hidden_in_builds_and_in_errors(freshet, local_image):
    run = freshet.run_pipeline(
        BUILD_WITH_A_MASKED_ARGUMENT
        + '        RUN echo "building with ${TOKEN}"\n'
        + '        RUN echo "failing with ${TOKEN}" && false ${{TOKEN}}\n',
        vars={"BASE": local_image},
    )

    assert run["build"].result == "failure", run
    assert "building with *****" in run["build"].text
    assert "failing with *****" in run["build"].text
    assert not holds(run.stdout + run.stderr, forms_of(MASKED))
    assert not holds(str(freshet.logs(run.build_id)), forms_of(MASKED))


def test_the_flag_stands_anywhere_and_bare_names_export_the_shells_value(freshet, local_image):
    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          give:
            image: ${{BASE}}
            commands:
              - export SECOND=second-value
              - cf_export --mask FIRST=first-value SECOND
              - cf_export OPEN=open-value
          use:
            image: ${{BASE}}
            commands:
              - echo "$FIRST, $SECOND, $OPEN"
              - test "$FIRST$SECOND" = first-'value'second-'value'
        """,
        vars={"BASE": local_image},
    )

    assert run.result == "success", run
    assert "*****, *****, open-value" in run["use"].log


def test_a_masked_value_is_not_in_the_record_of_a_failed_build(freshet, local_image):
    freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          give:
            image: ${{BASE}}
            environment: ['PARTS=tr0ub4dor and 3']
            commands: ['cf_export TOKEN=$(echo $PARTS | tr " " -) --mask']
          use: {image: 'localhost:1/${{TOKEN}}'}
        """,
        vars={"BASE": local_image},
    )

    ((result, reason),) = freshet.query("SELECT result, reason FROM builds")
    assert result == "failure"
    assert reason
    assert not holds(reason, forms_of(MASKED))


def test_a_crash_leaves_no_memory_behind(freshet, registry, tmp_path):
    """The control is a program that does leave some; where the machine allows none, nothing is
    shown."""

    def crash(command, is_ready):
        process = subprocess.Popen(
            ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", *map(str, command)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=tmp_path, env=freshet.environment(),
        )
        wait_for(lambda: is_ready(process.pid), "the program to wait for its input")
        process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = status
        assert os.WTERMSIG(status) == signal.SIGSEGV
        return os.WCOREDUMP(status)

    def reads_input(program):
        return lambda pid: (
            Path(f"/proc/{pid}/comm").read_text().strip() == program
            and Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 ")
        )

    if os.geteuid() != 0 or not crash(["cat"], reads_input("cat")):
        pytest.skip("this machine writes no core dumps, or not for us to see")
    freshet.registry_add(registry)
    command = freshet.command("registry", "set-password", "local", "--password-stdin")
    assert not crash(command, reads_input("freshet"))
