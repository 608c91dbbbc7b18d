# SPDX-License-Identifier: Apache-2.0
"""'freshet doctor' finds what would keep pipelines from running and says what to do."""

import json

import pytest

from support.engine import Engine
from support.servers import Answer, serve


def examine(freshet, exit_code):
    """{subject: finding} of the JSON form."""
    document = freshet.run("doctor", "--json", check=False)
    assert document.returncode == exit_code, document
    parsed = freshet.json("doctor", check=False)
    assert parsed["healthy"] == (exit_code == 0)
    return {finding["subject"]: finding for finding in parsed["findings"]}


def test_a_healthy_machine_passes(freshet, registry, engine):
    freshet.registry_add(registry)

    findings = examine(freshet, 0)
    said = freshet.run("doctor").stdout

    assert list(findings) == [
        "engine", "buildkit", "engine disk", "git", "data", "data disk", "registry 'local'"
    ]
    assert {finding["health"] for finding in findings.values()} <= {"good", "doubtful"}
    version = engine.get("/version")["Version"]
    assert findings["engine"]["text"].startswith(f"Docker {version} at {engine.endpoint} (API ")
    assert findings["registry 'local'"]["health"] == "good"
    assert findings["data"]["health"] == "good"
    assert f"✔ engine: Docker {version}" in said
    assert "✔ registry 'local': " in said
    assert "✘" not in said


def test_no_registry_is_a_remark_and_no_failure(freshet):
    findings = examine(freshet, 0)

    assert findings["registries"] == {
        "subject": "registries",
        "health": "doubtful",
        "text": "none connected: images stay in the engine",
        "advice": "connect one with 'freshet registry add'",
    }


def test_an_engine_that_is_down_is_found_and_the_rest_is_still_looked_at(
    freshet, registry, tmp_path
):
    freshet.registry_add(registry)
    offline = freshet.with_engine(Engine(endpoint=f"unix://{tmp_path}/no.sock"))

    findings = examine(offline, 1)
    said = offline.run("doctor", check=False).stdout

    assert findings["engine"]["health"] == "bad"
    assert findings["engine"]["text"] == f"no Docker engine at unix://{tmp_path}/no.sock"
    assert "start it" in findings["engine"]["advice"]
    assert "buildkit" not in findings
    assert findings["registry 'local'"]["health"] == "good"
    assert f"✘ engine: no Docker engine at unix://{tmp_path}/no.sock\n    start it" in said


def test_an_engine_without_buildkit_is_found(freshet):
    """An engine as old as 19.03, as far as the doctor asks."""

    def answer(method, path, headers):
        common = {"Api-Version": "1.40", "Content-Type": "application/json", "Ostype": "linux"}
        if path.endswith("/_ping"):
            return Answer(200, "OK", {**common, "Content-Type": "text/plain"})
        if path.endswith("/version"):
            version = {"Version": "19.03.0", "ApiVersion": "1.40", "MinAPIVersion": "1.12"}
            return Answer(200, json.dumps(version), common)
        if path.endswith("/info"):
            return Answer(200, '{"DockerRootDir": "/", "ServerVersion": "19.03.0"}', common)
        return Answer(404, '{"message": "page not found"}', common)

    with serve(answer) as address:
        findings = examine(freshet.with_engine(Engine(endpoint=f"tcp://{address}")), 1)

    assert findings["engine"]["health"] == "good", findings
    assert findings["buildkit"]["health"] == "bad"
    assert "BuildKit" in findings["buildkit"]["text"]


def test_a_registry_that_is_down_is_found_and_named(freshet, registry, disposable_registry):
    freshet.registry_add(registry)
    freshet.registry_add(disposable_registry, name="lost", default=False)
    disposable_registry.kill()

    findings = examine(freshet, 1)

    assert findings["registry 'local'"]["health"] == "good"
    lost = findings["registry 'lost'"]
    assert lost["health"] == "bad"
    assert lost["text"] == f"'{disposable_registry.address}' refused the connection"
    assert lost["advice"] == "check the port, and that something listens there"


def test_a_password_that_is_refused_is_found(freshet, registry):
    freshet.registry_add(registry, password="wrong-password")

    findings = examine(freshet, 1)
    said = freshet.run("doctor", check=False)

    assert "refused the credentials of user 'freshet'" in findings["registry 'local'"]["text"]
    assert "wrong-password" not in said.stdout + said.stderr


@pytest.mark.parametrize("name", ["key", "freshet.db"])
def test_a_file_that_others_can_read_is_found_with_the_way_out(freshet, registry, name):
    freshet.registry_add(registry)
    path = freshet.data_dir / name
    path.chmod(0o644)

    findings = examine(freshet, 1)

    assert findings["data"]["health"] == "bad"
    assert findings["data"]["text"].endswith(f"'{path}' can be read by others (mode 0644)")
    assert f"run 'chmod 600 {path}'" in findings["data"]["advice"]
    assert findings["engine"]["health"] == "good"


def test_git_that_is_missing_is_found(freshet, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()

    done = freshet.run("doctor", env={"PATH": str(empty)}, check=False)

    assert done.returncode == 1
    assert "✘ git: cannot start 'git'" in done.stdout
    assert "install 'git'" in done.stdout
