# SPDX-License-Identifier: Apache-2.0
"""Docker 29 and later, with containerd's image store and without.

Debian has no such engine: $FRESHET_DOCKERD names one (see conftest.py), else all this is skipped.
"""

import io
import json
import os
import tarfile
from hashlib import sha256

import pytest

from support.engine import Engine
from support.freshet import Freshet
from support.ordinary_user import ordinary_user
from support.pipelines import BUILD

pytestmark = pytest.mark.skipif(
    "FRESHET_DOCKERD" not in os.environ, reason="$FRESHET_DOCKERD names no modern dockerd"
)

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

BUILD_AND_USE = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        build_arguments: ['BASE=${{BASE}}']
      use:
        image: ${{build}}
        commands: ['cat /joined']
      release:
        type: push
        candidate: ${{build}}
        image_name: released
        tag: one
"""


@pytest.fixture(scope="module", params=[True, False], ids=["containerd", "overlay2"])
def modern(request, tmp_path_factory):
    """An engine of Docker 29's, with containerd's image store or the engine's own."""
    on = str(request.param).lower()
    engine = Engine(
        tmp_path_factory.mktemp("modern"), options=["--feature", f"containerd-snapshotter={on}"]
    )
    engine.has_containerd_store = request.param
    engine.start()
    try:
        yield engine
    finally:
        engine.stop(purge=True)


@pytest.fixture(params=["root", "ordinary user"])
def anybody(request, binary, tmp_path, modern, registry, prefix):
    """The binary as root, who may read the engine's files, and as a user who may not."""
    if request.param == "root":
        runner = Freshet(binary, tmp_path, modern)
        runner.registry_add(registry, prefix=prefix)
        yield runner
        runner.close()
        return
    with ordinary_user(binary, modern) as runner:
        runner.registry_add(registry, prefix=prefix)
        yield runner


def test_an_image_is_built_run_and_pushed_with_the_right_digests(
    anybody, modern, registry, base_image, prefix, files
):
    run = anybody.run_pipeline(BUILD_AND_USE, files, {"BASE": base_image})

    assert run.result == "success", run
    assert files["a.txt"] in run["use"].text
    assert "the engine pushes it itself" not in run["build"].text + run["release"].text, run
    (record,) = anybody.json("image", "list")["images"]
    assert record["dockerfile"] == files["Dockerfile"]
    manifest = registry.manifest(f"{prefix}/released", "one")
    config = registry.config(f"{prefix}/released", "one")
    assert record["internal_image_id"] == manifest.body["config"]["digest"].removeprefix("sha256:")
    assert record["repo_digest"] == f"{registry.address}/{prefix}/released@{manifest.digest}"
    assert len(manifest.layers) == len(config["rootfs"]["diff_ids"]) == 3
    assert registry.manifest(f"{prefix}/app", "main").digest == manifest.digest
    if modern.has_containerd_store:
        assert modern.image(f"{registry.address}/{prefix}/app:main")["Id"] == manifest.digest


def test_another_engine_pulls_what_was_pushed_and_gets_its_files(
    anybody, modern, engine, registry, base_image, prefix, files
):
    assert anybody.run_pipeline(BUILD, files, {"BASE": base_image}).result == "success"
    pushed = f"{registry.address}/{prefix}/app:main"

    # The tests' engine has other layers than the one that built.
    engine.remove_image(base_image)
    engine.docker("pull", "--quiet", pushed, config=registry.docker_config())

    joined = engine.docker("run", "--rm", pushed, "cat", "/joined").stdout
    assert joined == files["a.txt"] + files["b.txt"]


def test_an_image_that_was_pushed_is_not_pulled_again_while_it_is_the_newest(
    anybody, registry, base_image, prefix, files
):
    assert anybody.run_pipeline(BUILD, files, {"BASE": base_image}).result == "success"
    use = f"""
        version: '1.0'
        steps:
          use:
            image: {registry.address}/{prefix}/app:main
            commands: ['echo used']
    """
    repository = anybody.make_repository(use, name="use")

    unchanged = anybody.run_repository(repository)
    registry.remove(f"{prefix}/app", "main")
    registry.push_base_image(f"{prefix}/app:main")
    changed = anybody.run_repository(repository)

    assert (unchanged.result, changed.result) == ("success", "success"), [unchanged, changed]
    assert "Pulling image" not in unchanged["use"].text
    assert "Pulling image" in changed["use"].text
    assert "warning" not in unchanged["use"].text + changed["use"].text


def test_an_image_that_was_never_in_a_registry_is_used_as_it_is(
    anybody, modern, registry, base_image, prefix
):
    modern.docker("pull", "--quiet", base_image, config=registry.docker_config())
    container = modern.docker("create", base_image).stdout.strip()
    modern.docker("commit", container, f"{registry.address}/{prefix}/local:1")
    modern.docker("rm", container)

    run = anybody.run_pipeline(
        f"""
        version: '1.0'
        steps:
          use:
            image: {registry.address}/{prefix}/local:1
            commands: ['echo used']
        """
    )

    assert run.result == "success", run
    assert run["use"].log[-1] == "used"
    assert "warning" not in run["use"].text


def test_of_an_index_with_attestations_the_image_is_pushed_as_it_is(
    anybody, modern, registry, base_image, prefix, tmp_path
):
    """What 'docker buildx build' leaves in an engine is an index."""
    repository = base_image.removeprefix(f"{registry.address}/").partition(":")[0]
    image = load_index_with_attestation(modern, registry, repository, f"{prefix}:1", tmp_path / "archive")
    # The reference's own registry is out of reach, so the engine's copy is taken.
    modern.docker("tag", f"{prefix}:1", f"127.0.0.1:1/{prefix}:1")

    run = anybody.run_pipeline(
        f"""
        version: '1.0'
        steps:
          push:
            type: push
            candidate: 127.0.0.1:1/{prefix}:1
            image_name: app
        """
    )

    assert run.result == "success", run
    pushed = registry.manifest(f"{prefix}/app", "latest")
    assert pushed.body["config"]["digest"] == image.body["config"]["digest"]
    if modern.has_containerd_store:
        assert pushed.digest == image.digest
    (record,) = anybody.json("image", "list")["images"]
    assert f"sha256:{record['internal_image_id']}" == image.body["config"]["digest"]


def load_index_with_attestation(engine, registry, repository, name, archive):
    """Gives the engine an index of the registry's image and of an attestation about it."""
    image = registry.manifest(repository, "1")
    blobs = {}

    def add(content):
        digest = "sha256:" + sha256(content).hexdigest()
        blobs[digest] = content
        return digest

    def describe(content, media_type, **more):
        return {"mediaType": media_type, "digest": add(content), "size": len(content), **more}

    for part in [image.body["config"], *image.body["layers"]]:
        add(registry.request("GET", f"/v2/{repository}/blobs/{part['digest']}")[2])
    bytes_of_image = registry.request(
        "GET", f"/v2/{repository}/manifests/{image.digest}", {"Accept": image.media_type}
    )[2]
    attestation = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": describe(
            b'{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}',
            "application/vnd.oci.image.config.v1+json",
        ),
        "layers": [describe(b'{"_type":"x"}', "application/vnd.in-toto+json")],
    }
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            describe(
                json.dumps(attestation).encode(), MANIFEST,
                platform={"os": "unknown", "architecture": "unknown"},
                annotations={
                    "vnd.docker.reference.digest": image.digest,
                    "vnd.docker.reference.type": "attestation-manifest",
                },
            ),
            describe(
                bytes_of_image, image.media_type, platform={"os": "linux", "architecture": "amd64"}
            ),
        ],
    }
    names = {
        "io.containerd.image.name": f"docker.io/library/{name}",
        "org.opencontainers.image.ref.name": name.partition(":")[2],
    }
    top = {
        "schemaVersion": 2,
        "manifests": [describe(json.dumps(index).encode(), INDEX, annotations=names)],
    }
    docker_manifest = [
        {
            "Config": f"blobs/sha256/{image.body['config']['digest'][7:]}",
            "RepoTags": [name],
            "Layers": [f"blobs/sha256/{layer[7:]}" for layer in image.layers],
        }
    ]
    members = {f"blobs/sha256/{digest[7:]}": content for digest, content in blobs.items()}
    members["index.json"] = json.dumps(top).encode()
    members["manifest.json"] = json.dumps(docker_manifest).encode()
    members["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    with tarfile.open(archive, mode="w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    engine.docker("load", "-i", archive)
    return image
