# SPDX-License-Identifier: Apache-2.0
"""Push steps: what is pushed, where to, under which names, and what may go wrong."""

import fcntl
import hashlib
import re
import subprocess
from urllib.parse import unquote

import pytest

from support.pipelines import with_fields
from support.registry import Registry
from support.servers import Answer, serve

PUSH = """
    version: '1.0'
    steps:
      push:
        type: push
        candidate: '${{CANDIDATE}}'
"""

BUILD_AND_PUSH = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        disable_push: true
        dockerfile: {content: "FROM ${{BASE}}\\nLABEL salt=${{SALT}}\\n"}
      push:
        type: push
        candidate: '${{build}}'
"""


@pytest.fixture
def push(freshet, registry, local_image, prefix):
    """Builds an image, pushes it as the fields say, and returns the run."""

    def push(pipeline=BUILD_AND_PUSH, vars=None, **fields):
        vars = {"BASE": local_image, "SALT": prefix, "DOMAIN": registry.address, **(vars or {})}
        return freshet.run_pipeline(with_fields(pipeline, fields), vars=vars)

    return push


@pytest.fixture
def candidate(engine, registry, base_image, prefix):
    """The reference of an image that is in the registry and not in the engine."""
    return engine.put_image(base_image, registry, f"{prefix}/py-app:1.2.3")


# --- candidates, names and tags ---------------------------------------------------------------


def test_a_built_image_is_pushed_under_its_own_name_and_latest(push, freshet, registry, prefix):
    freshet.registry_add(registry, prefix=prefix)

    run = push()

    assert run.result == "success", run
    assert registry.tags(f"{prefix}/app") == ["latest"]
    record = freshet.json("image", "show", f"{registry.address}/{prefix}/app:latest")
    digest = registry.manifest(f"{prefix}/app", "latest").digest
    assert record["repo_digest"] == f"{registry.address}/{prefix}/app@{digest}"
    assert record["step"] == "build"
    assert record["push_duration_ms"] > 0


def test_several_tags_are_one_image(push, freshet, registry, prefix):
    freshet.registry_add(registry, prefix=prefix)

    tags = "[one, 'Two', '${{CF_SHORT_REVISION}}']"
    run = push(tags=tags, tag="three", image_name="released/app")

    assert run.result == "success", run
    repository = f"{prefix}/released/app"
    tags = ["one", "Two", run.repository.short_revision, "three"]
    assert registry.tags(repository) == sorted(tags)
    assert len({registry.manifest(repository, tag).digest for tag in tags}) == 1
    (record,) = freshet.json("image", "list")["images"]
    assert sorted(tag["tag"] for tag in record["tags"]) == sorted(tags)


def test_the_log_names_each_reference_and_digest(push, freshet, registry, prefix):
    freshet.registry_add(registry, prefix=prefix)

    run = push(tags="[one, two]")

    digest = registry.manifest(f"{prefix}/app", "one").digest
    for tag in ("one", "two"):
        assert f"Tagging image as: {registry.address}/{prefix}/app:{tag}" in run["push"].log
        assert f"\n{tag}: digest: {digest} size: " in run["push"].text


def test_a_pushed_image_is_that_which_was_built(push, freshet, registry, prefix):
    freshet.registry_add(registry, prefix=prefix)

    run = push(
        BUILD_AND_PUSH
        + """
      again:
        type: push
        candidate: '${{push}}'
        image_name: again
      use:
        image: ${{push}}
        commands:
          - echo "${{push.registry}} ${{push.imageRepoDigest}}"
          - test "${{push.imageId}}" = "${{build.imageId}}"
"""
    )

    assert run.result == "success", run
    pushed = registry.manifest(f"{prefix}/app", "latest")
    assert registry.config(f"{prefix}/app", "latest")["config"]["Labels"]["salt"] == prefix
    assert registry.manifest(f"{prefix}/again", "latest").digest == pushed.digest
    assert f"local {registry.address}/{prefix}/app@{pushed.digest}" in run["use"].log


def test_a_candidate_in_a_registry_gets_another_tag_there(
    push, freshet, engine, registry, candidate, prefix
):
    freshet.registry_add(registry, prefix="not-for-absolute-names")
    assert engine.image(candidate) is None

    run = push(PUSH, {"CANDIDATE": candidate}, tag="production")

    assert run.result == "success", run
    assert registry.tags(f"{prefix}/py-app") == ["1.2.3", "production"]
    digests = {registry.manifest(f"{prefix}/py-app", tag).digest for tag in ("1.2.3", "production")}
    assert len(digests) == 1
    record = freshet.json("image", "show", f"{registry.address}/{prefix}/py-app:production")
    assert record["git"]["revision"] is None  # not built from this commit
    assert record["build"] is None


def test_a_candidate_is_what_the_registry_has_now(
    push, freshet, engine, registry, base_image, local_image, prefix
):
    """An old copy in the engine under the same name must not be released."""
    freshet.registry_add(registry)
    reference = engine.put_image(base_image, registry, f"{prefix}/moving:1")
    engine.docker("tag", local_image, reference)

    run = push(PUSH, {"CANDIDATE": reference}, tag="released")

    assert run.result == "success", run
    digests = {registry.manifest(f"{prefix}/moving", tag).digest for tag in ("1", "released")}
    assert len(digests) == 1


# (repository prefix, candidate or None for the built image, image_name or None, repository)
# P: a prefix of the test's own, D: the registry's domain, L: the same by another name of the host.
NAMES = [
    ("", None, "P/web", "P/web"),
    ("P", None, "web", "P/web"),
    ("P", None, "P/web", "P/P/web"),
    ("P/project/repo", None, None, "P/project/repo/app"),
    ("P", None, None, "P/app"),
    ("", None, "D/P/img", "P/img"),
    ("other", None, "D/P/img", "P/img"),
    ("", "D/P/py-app:1.2.3", None, "P/py-app"),
    ("other", "D/P/py-app:1.2.3", None, "P/py-app"),
    ("", "L/P/py-app:1.2.3", None, "P/py-app"),
    ("P", "L/P/py-app:1.2.3", None, "P/P/py-app"),
    ("P", "D/P/py-app:1.2.3", "renamed", "P/renamed"),
]


@pytest.mark.parametrize("prefixed, candidate_name, image_name, repository", NAMES)
def test_the_reference_is_composed_of_domain_prefix_and_name(
    push, freshet, registry, candidate, prefix, prefixed, candidate_name, image_name, repository
):
    elsewhere = f"localhost:{registry.port}"

    def real(text):
        return text.replace("P", prefix).replace("D", registry.address).replace("L", elsewhere)

    freshet.registry_add(registry, prefix=real(prefixed) or None)
    freshet.run(
        "registry", "add", "elsewhere", "--domain", elsewhere, "--username", registry.username,
        "--password-stdin", stdin=registry.password,
    )
    fields = {"registry": "local", "tag": "wanted"}
    if image_name:
        fields["image_name"] = f"'{real(image_name)}'"
    if candidate_name:
        run = push(PUSH, {"CANDIDATE": real(candidate_name)}, **fields)
    else:
        run = push(**fields)

    assert run.result == "success", run
    assert registry.tags(real(repository))[-1:] == ["wanted"], run
    assert f"Tagging image as: {registry.address}/{real(repository)}:wanted" in run["push"].log


def test_a_name_with_another_registrys_domain_is_refused(push, freshet, registry, prefix):
    freshet.registry_add(registry, prefix=prefix)

    run = push(image_name="elsewhere.invalid/app")

    error = run["push"].error
    assert error["message"] == (
        f"image name 'elsewhere.invalid/app' names the registry 'elsewhere.invalid', "
        f"but it is pushed to '{registry.address}'"
    )
    assert (error["at"]["line"], error["at"]["column"]) == (12, 17)
    assert run.returncode == 2


def test_a_name_that_another_build_moves_in_the_engine_is_waited_for(
    freshet, registry, local_image, prefix
):
    freshet.registry_add(registry, prefix=prefix)
    name = f"{registry.address}/{prefix}/app"
    locks = freshet.data_dir / "locks"
    locks.mkdir(mode=0o700)
    with open(locks / hashlib.sha256(name.encode()).hexdigest()[:32], "w") as other_build:
        fcntl.flock(other_build, fcntl.LOCK_EX)

        live = freshet.start_pipeline(
            BUILD_AND_PUSH, vars={"BASE": local_image, "SALT": prefix, "DOMAIN": registry.address}
        )
        live.wait_for_event("log", line=f"Waiting for another build that pushes {name}")
        assert live.process.poll() is None

    assert live.finish().result == "success"


# --- which registry ---------------------------------------------------------------------------


def test_the_default_registry_is_used_and_another_one_when_it_is_named(
    push, freshet, registry, prefix
):
    freshet.registry_add(registry, name="first", prefix=f"{prefix}/first", default=False)
    freshet.registry_add(registry, name="second", prefix=f"{prefix}/second", default=True)

    assert push().result == "success"
    assert registry.tags(f"{prefix}/second/app") == ["latest"]
    assert registry.tags(f"{prefix}/first/app") == []
    assert push(registry="'${{WHERE}}'", vars={"WHERE": "first"}).result == "success"
    assert registry.tags(f"{prefix}/first/app") == ["latest"]


def test_without_a_default_the_oldest_registry_is_used_and_named(push, freshet, registry, prefix):
    freshet.registry_add(registry, name="first", prefix=f"{prefix}/first", default=False)
    freshet.registry_add(registry, name="second", prefix=f"{prefix}/second", default=False)

    run = push()

    assert run.result == "success", run
    assert registry.tags(f"{prefix}/first/app") == ["latest"]
    assert "No registry named and none is the default: using 'first'" in run["push"].log


def test_a_registry_that_a_variable_names_wrongly_stops_the_step(push, freshet, registry):
    freshet.registry_add(registry, name="production")

    run = push(registry="'${{WHERE}}'", vars={"WHERE": "prodution"})

    error = run["push"].error
    assert "'prodution'" in error["message"]
    assert "did you mean 'production'?" in error["hint"]
    assert error["at"]["line"] == 12


# --- what goes wrong --------------------------------------------------------------------------


def test_refused_credentials_are_told_with_the_integration_and_the_registrys_words(
    push, freshet, registry
):
    freshet.registry_add(registry, name="production", password="wrong-password")

    run = push()

    error = run["push"].error
    reference = f"{registry.address}/app:latest"
    assert error["code"] == "upstream_denied"
    assert error["message"] == (
        f"'{registry.address}' refused the credentials of user '{registry.username}'"
    )
    assert error["detail"]["http_status"] == 401
    assert error["hint"] == (
        "check user name and password; many registries want an access token as password"
    )
    assert error["context"][-2] == f"pushing {reference} with integration 'production'"
    assert error["context"][-1].startswith("running step 'push' (")
    assert "UNAUTHORIZED" in error["detail"]["remote_text"].upper(), run
    assert run.returncode == 1
    assert run["build"].result == "success"


def test_a_registry_that_is_down_is_told(push, freshet, disposable_registry):
    freshet.registry_add(disposable_registry, name="production")
    disposable_registry.kill()

    run = push()

    error = run["push"].error
    assert error["code"] == "unavailable"
    assert error["message"] == f"'{disposable_registry.address}' refused the connection"
    assert error["context"][-2].endswith("with integration 'production'")
    assert run.returncode == 3


def test_a_build_whose_push_fails_is_a_failure_and_keeps_the_record_of_its_image(
    freshet, registry, local_image, prefix
):
    freshet.registry_add(registry, password="wrong-password")

    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            dockerfile: {content: "FROM ${{BASE}}\\nLABEL salt=${{SALT}}\\n"}
          never: {image: '${{BASE}}', commands: ['true']}
        """,
        vars={"BASE": local_image, "SALT": prefix},
    )

    assert run.results[1:] == [("build", "failure"), ("never", "skipped")]
    (record,) = freshet.json("image", "list")["images"]
    assert (record["tags"], record["repo_digest"]) == ([], None)


@pytest.fixture
def small_registry(tmp_path):
    """A registry whose disk has room for little more than the base image."""
    storage = tmp_path / "small-disk"
    storage.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "freshet-test", storage], check=True
    )
    service = Registry(tmp_path / "small-registry", storage=storage)
    try:
        service.start()
        yield service
    finally:
        service.stop(purge=True)
        subprocess.run(["umount", "--lazy", storage], check=True)


def fill(directory):
    """Takes all the room that is left on a file system."""
    with open(directory / "filler", "wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                continue


def test_a_full_disk_at_the_registry_is_told(push, freshet, small_registry):
    candidate = small_registry.push_base_image("py-app:1")
    freshet.registry_add(small_registry, name="production")
    fill(small_registry.storage)

    run = push(PUSH, {"CANDIDATE": candidate}, tag="production")

    error = run["push"].error
    assert error["code"] == "unavailable", run
    address = small_registry.address
    assert error["message"] == (
        f"'{address}' has a trouble of its own with the manifest of 'py-app:production'"
    )
    assert error["hint"] == "its disk may be full: the registry's own log tells"
    assert error["context"][-2].endswith("with integration 'production'")
    assert run.returncode == 3


def test_a_disk_that_gets_full_while_a_layer_arrives_is_told(
    freshet, small_registry, local_image, prefix
):
    freshet.registry_add(small_registry, name="production", prefix=prefix)

    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            tag: big
            dockerfile:
              content: "FROM ${{BASE}}\\nRUN head -c 9000000 /dev/urandom > /noise # ${{SALT}}\\n"
        """,
        vars={"BASE": local_image, "SALT": prefix},
        timeout=150,
    )

    error = run["build"].error
    assert error["code"] == "unavailable", run
    address = small_registry.address
    # A blob whose digest is known beforehand is named by it.
    assert re.sub("@sha256:[0-9a-f]{64}", "", error["message"]) == (
        f"'{address}' has a trouble of its own with the upload of a blob to '{prefix}/app'"
    )
    assert error["detail"]["http_status"] == 500
    assert error["hint"] == "its disk may be full: the registry's own log tells"
    assert "no space left on device" in small_registry.log
    assert run.returncode == 3
    assert small_registry.tags(f"{prefix}/app") == []


@pytest.mark.parametrize(
    "status, body, code, words",
    [
        (500, "", "unavailable", "has a trouble of its own with the manifest"),
        (507, "", "unavailable", "has a trouble of its own with the manifest"),
        (503, "", "unavailable", "has a trouble of its own with the manifest"),
        (413, "<html>Request Entity Too Large</html>", "too_large", "refused the manifest"),
        (403, '{"errors": [{"code": "DENIED"}]}', "upstream_denied", "does not allow"),
        (429, '{"errors": [{"code": "TOOMANYREQUESTS"}]}', "rate_limited", "too many requests"),
    ],
)
def test_what_a_registry_answers_to_the_manifest_is_told(push, freshet, status, body, code, words):
    """It takes all layers, and then has this to say about the manifest."""

    def answer(method, path, headers):
        if method == "PUT" and "/manifests/" in path:
            return Answer(status, body)
        if method == "PUT":
            digest = unquote(path.partition("digest=")[2].partition("&")[0])
            return Answer(201, "", {"Docker-Content-Digest": digest})
        if method in ("POST", "PATCH"):
            return Answer(202, "", {"Location": path.partition("?")[0].rstrip("/") + "/x"})
        is_ping = path == "/v2/"
        return Answer(
            200 if is_ping else 404, "{}", {"Docker-Distribution-Api-Version": "registry/2.0"}
        )

    with serve(answer) as address:
        freshet.run(
            "registry", "add", "odd", "--domain", address, "--username", "ada",
            "--password-stdin", "--default", stdin="pass-word",
        )
        run = push()

    error = run["push"].error
    assert error["code"] == code, run
    assert words in error["message"]
    assert address in error["message"]


def test_a_candidate_that_does_not_exist_is_told(push, freshet, registry):
    freshet.registry_add(registry)
    missing = f"{registry.address}/no-such/image:1"

    run = push(PUSH, {"CANDIDATE": missing})

    error = run["push"].error
    assert error["code"] == "not_found", run
    assert error["message"] == f"{registry.address} has no '{missing}'"
    assert run.returncode == 1


@pytest.mark.parametrize("tag", ["-x", ".x", "'a b'", "'a/b'", "'${{NOPE}}'"])
def test_what_is_no_tag_is_refused(push, freshet, registry, prefix, tag):
    freshet.registry_add(registry, prefix=prefix)

    run = push(tag=tag)

    assert run["push"].result == "failure"
    assert run["push"].error["at"]["line"] == 12
    assert run.returncode == 2
    assert registry.tags(f"{prefix}/app") == []
