# SPDX-License-Identifier: Apache-2.0
"""A real engine behind TCP and TLS: what the docker command reaches, Freshet reaches alike."""

import json

import pytest

from support.commands import run as run_program
from support.servers import Authority

PIPELINE = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        disable_push: true
        build_arguments: ['BASE=${{BASE}}']
      use:
        image: '${{build}}'
        commands: ['echo $(wc -c < /joined) bytes', 'head -c 300000 /dev/zero | tr "\\0" x; echo']
      push:
        type: push
        candidate: '${{build}}'
        tag: tls
"""
QUICK = """
    version: '1.0'
    steps:
      quick: {image: '${{BASE}}', commands: ['echo done']}
"""


@pytest.fixture(scope="module")
def tls_engine(engine):
    if engine.tls_endpoint is None:
        pytest.skip("FRESHET_TEST_ENGINE is given: whether it listens with TLS is not known")
    return engine


@pytest.fixture
def anywhere(connected):
    """The binary, without --engine."""
    return connected.with_engine(None)


@pytest.fixture
def tls_environment(tls_engine):
    """Variables that name the engine; certificates: a directory, else those of a good client."""

    def make(certificates=None):
        return {
            "DOCKER_HOST": tls_engine.tls_endpoint,
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(certificates or tls_engine.authority.issue("client")),
        }

    return make


@pytest.fixture
def big_file():
    """More than the buffers between two processes hold."""
    return "".join(f"line {number} of a file\n" for number in range(300_000))


def check(run, registry, prefix, files):
    assert run.results[1:] == [("build", "success"), ("use", "success"), ("push", "success")], run
    assert f"{len(files['a.txt']) + len(files['b.txt'])} bytes" in run["use"].log
    assert sum(line.count("x") for line in run["use"].log) >= 300_000
    assert registry.tags(f"{prefix}/app") == ["tls"]


def test_a_pipeline_builds_runs_and_pushes_on_the_engine_that_the_variables_name(
    anywhere, tls_environment, local_image, files, big_file, registry, prefix
):
    files["big.txt"] = big_file

    run = anywhere.run_pipeline(PIPELINE, files, {"BASE": local_image}, env=tls_environment())

    check(run, registry, prefix, files)


def test_a_pipeline_builds_runs_and_pushes_on_the_engine_of_a_docker_context(
    anywhere, tls_engine, local_image, files, registry, prefix
):
    client = tls_engine.authority.issue("client")
    parts = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
    where = ",".join(
        [f"host={tls_engine.tls_endpoint}", *(f"{k}={client / v}" for k, v in parts.items())]
    )
    config = anywhere.home / ".docker"
    run_program(
        "/usr/bin/docker", "--config", config, "context", "create", "far", "--docker", where
    )

    named = anywhere.run_pipeline(
        PIPELINE, files, {"BASE": local_image}, env={"DOCKER_CONTEXT": "far"}
    )
    (config / "config.json").write_text(json.dumps({"currentContext": "far"}))
    current = anywhere.run_repository(
        anywhere.make_repository(QUICK, name="quick"), {"BASE": local_image}
    )

    check(named, registry, prefix, files)
    assert current.result == "success", current


def test_doctor_asks_the_engine_over_tls(anywhere, tls_engine, tls_environment):
    done = anywhere.run("doctor", env=tls_environment(), timeout=30)

    assert tls_engine.tls_endpoint in done.stdout


def test_a_run_is_stopped_over_tls_and_leaves_nothing(
    anywhere, tls_engine, tls_environment, local_image, prefix
):
    live = anywhere.start_pipeline(
        """
        version: '1.0'
        steps:
          wait:
            type: build
            image_name: app
            disable_push: true
            dockerfile: {content: "FROM ${{BASE}}\\nRUN echo ${{SALT}} ready; sleep 600\\n"}
        """,
        vars={"BASE": local_image, "SALT": prefix},
        env=tls_environment(),
    )
    live.wait_for_event("log", step="wait", line="ready")
    build = live.wait_for_event("build_started")["build"]

    live.interrupt()

    assert live.finish(timeout=20).returncode == 130
    assert tls_engine.containers(f"io.freshet.build={build}") == []


# --- what is wrong with certificates ----------------------------------------------------------


def test_an_engine_of_another_authority_is_not_trusted(anywhere, tls_environment, tmp_path):
    environment = tls_environment(Authority(tmp_path / "other").issue("client"))

    run = anywhere.run_pipeline(QUICK, vars={"BASE": "unused"}, env=environment)

    assert run.returncode == 1
    assert run.events == []
    assert run.stderr == (
        f"error: no TLS connection to the Docker engine at {environment['DOCKER_HOST']}\n"
        "  it said: 'certificate verify failed (SSL routines)'\n"
        "hint: check the engine's certificate, and ours in DOCKER_CERT_PATH or in the docker "
        "context\n"
    )


def test_a_missing_client_certificate_is_told(anywhere, tls_engine, tls_environment, tmp_path):
    (tmp_path / "ca.pem").write_bytes(tls_engine.authority.certificate.read_bytes())
    environment = tls_environment(tmp_path)

    run = anywhere.run_pipeline(QUICK, vars={"BASE": "unused"}, env=environment)

    assert run.returncode == 1
    assert run.events == []
    first, said, hint = run.stderr.splitlines()
    assert first == (
        f"error: the Docker engine at {tls_engine.tls_endpoint} wants a client certificate, and "
        "there is none"
    )
    assert "certificate" in said
    assert hint == (
        "hint: put cert.pem and key.pem into the directory of DOCKER_CERT_PATH or into the docker "
        "context"
    )


def test_a_client_certificate_of_another_authority_is_told(
    anywhere, tls_engine, tls_environment, tmp_path
):
    strange = Authority(tmp_path / "other").issue("client")
    (strange / "ca.pem").write_bytes(tls_engine.authority.certificate.read_bytes())

    run = anywhere.run_pipeline(QUICK, vars={"BASE": "unused"}, env=tls_environment(strange))

    assert run.returncode == 1
    assert run.stderr.startswith(
        f"error: no TLS connection to the Docker engine at {tls_engine.tls_endpoint}\n"
    )


def test_plain_tcp_to_an_engine_that_wants_tls_is_told(anywhere, tls_engine):
    run = anywhere.run_pipeline(
        QUICK, vars={"BASE": "unused"}, env={"DOCKER_HOST": tls_engine.tls_endpoint}
    )

    assert run.returncode == 1
    assert run.events == []
    assert "HTTP request to an HTTPS server" in run.stderr
    assert "bug" not in run.stderr
