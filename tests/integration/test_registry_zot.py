# SPDX-License-Identifier: Apache-2.0
"""zot, a real registry with the referrers API: push, copy, tag, untag, list and test against it.

$FRESHET_TEST_ZOT names the program, where it is not in PATH; without it these are skipped.
"""

import hashlib
import json

import pytest

from support.checks import ALL_PASSED
from support.zot import Zot, zot_program

pytestmark = pytest.mark.skipif(
    zot_program() is None, reason="there is no zot here: name it in $FRESHET_TEST_ZOT"
)

ARTIFACT = "application/vnd.example.signature.v1"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NOTHING = b"{}"


def running(tmp_path_factory, **options):
    zot = Zot(tmp_path_factory.mktemp("zot"), **options).start()
    yield zot
    zot.stop(purge=True)


@pytest.fixture(scope="module")
def zot(tmp_path_factory):
    yield from running(tmp_path_factory)


@pytest.fixture(scope="module")
def strict_zot(tmp_path_factory):
    """One that takes manifests of OCI media types only, as zot does when it is not told else."""
    yield from running(tmp_path_factory, takes_docker=False)


@pytest.fixture
def both(freshet, registry, zot, prefix):
    """Docker's registry as 'old', the default one, and zot as 'new'."""
    freshet.registry_add(registry, name="old", prefix=prefix)
    freshet.registry_add(zot, name="new", prefix=prefix, default=False)
    return freshet


def built(freshet, local_image, prefix, name, where):
    """Builds an image that is like no other and pushes it with the tag 'v1'; returns its record."""
    run = freshet.run_pipeline(
        f"""
        version: '1.0'
        steps:
          build:
            type: build
            image_name: {name}
            tag: v1
            registry: {where}
            dockerfile: {{content: "FROM ${{{{BASE}}}}\\nRUN echo ${{{{SALT}}}} > /x\\n"}}
        """,
        vars={"BASE": local_image, "SALT": prefix},
    )
    assert run.result == "success", run
    (record,) = freshet.json("image", "list")["images"]
    return record


def put(registry, path, content, content_type):
    status, headers, body = registry.request("PUT", path, {"Content-Type": content_type}, content)
    assert status == 201, body
    return headers


def put_blob(registry, repository, content):
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    status, headers, body = registry.request("POST", f"/v2/{repository}/blobs/uploads/")
    assert status == 202, body
    where = headers["Location"].partition(registry.address)[2] or headers["Location"]
    separator = "&" if "?" in where else "?"
    put(registry, f"{where}{separator}digest={digest}", content, "application/octet-stream")
    return {"digest": digest, "size": len(content)}


def sign(registry, repository, reference, text):
    """Puts an artifact there that refers to a manifest; returns its digest."""
    subject = registry.manifest(repository, reference)
    layer = put_blob(registry, repository, text.encode())
    config = put_blob(registry, repository, NOTHING)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", **config},
        "layers": [{"mediaType": "text/plain", **layer}],
        "subject": {
            "mediaType": subject.media_type, "digest": subject.digest, "size": subject.size,
        },
    }
    body = json.dumps(manifest).encode()
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    headers = put(registry, f"/v2/{repository}/manifests/{digest}", body, OCI_MANIFEST)
    assert headers["OCI-Subject"] == subject.digest
    return digest


def fallback_tag(digest):
    return digest.replace(":", "-")


# --- connection and push ----------------------------------------------------------------------


def test_zot_passes_every_check_and_keeps_no_unfinished_upload(freshet, zot, prefix):
    freshet.registry_add(zot, name="new", prefix=prefix)

    tested = freshet.json("registry", "test", "new")

    assert {check["name"]: check["result"] for check in tested["checks"]} == ALL_PASSED
    (kept,) = [name for name in zot.repositories() if name.startswith(prefix)]  # the bare name
    assert zot.tags(kept) == []
    assert list((zot.directory / "data" / kept / ".uploads").iterdir()) == []


def test_wrong_credentials_of_zot_are_told(freshet, zot):
    freshet.registry_add(zot, name="new", password="wrong-password")

    tested = freshet.run("registry", "test", "new", check=False)

    assert tested.returncode == 1
    assert f"'{zot.address}' refused the credentials of user 'freshet'" in tested.stdout
    assert "wrong-password" not in tested.stdout + tested.stderr


def test_a_build_is_pushed_to_zot_and_pulled_from_it(both, zot, local_image, prefix):
    record = built(both, local_image, prefix, "app", "new")

    assert zot.tags(f"{prefix}/app") == ["v1"]
    shown = zot.skopeo_inspect(f"{prefix}/app", "v1")
    assert record["repo_digest"] == f"{zot.address}/{prefix}/app@{shown['Digest']}"
    both.engine.remove_image(f"{zot.address}/{prefix}/app:v1")
    run = both.run_pipeline(
        f"""
        version: '1.0'
        steps:
          use: {{image: '{zot.address}/{prefix}/app:v1', commands: [cat /x]}}
        """
    )
    assert run.result == "success", run
    assert prefix in run["use"].log


def test_zot_that_takes_no_docker_types_says_so(freshet, strict_zot, registry, engine, base_image,
                                                prefix):
    candidate = engine.put_image(base_image, registry, f"{prefix}/app:1")
    assert "docker" in registry.manifest(f"{prefix}/app", "1").media_type
    freshet.registry_add(registry, name="old")
    freshet.registry_add(strict_zot, name="strict", default=False)
    target = f"{strict_zot.address}/{prefix}/app:1"

    done = freshet.run("image", "copy", candidate, target, check=False)

    assert done.returncode == 1, done
    assert "MANIFEST_INVALID" in done.stderr
    assert strict_zot.tags(f"{prefix}/app") == []


# --- copies -----------------------------------------------------------------------------------


def test_copies_go_both_ways_with_their_digests(both, zot, registry, local_image, prefix):
    built(both, local_image, prefix, "app", "old")
    digest = registry.manifest(f"{prefix}/app", "v1").digest
    old, new = f"{registry.address}/{prefix}", f"{zot.address}/{prefix}"

    there = both.json("image", "copy", f"{old}/app:v1", f"{new}/copied:v1")
    inside = both.json("image", "copy", f"{new}/copied:v1", f"{new}/again:v1")
    back = both.json("image", "copy", f"{new}/again:v1", f"{old}/back:v1")

    assert {one["digest"] for one in (there, inside, back)} == {digest}
    assert zot.manifest(f"{prefix}/again", "v1").digest == digest
    assert registry.manifest(f"{prefix}/back", "v1").digest == digest
    assert inside["bytes_sent"] == 0, inside
    assert zot.skopeo_inspect(f"{prefix}/copied", "v1")["Digest"] == digest


def test_what_refers_to_an_image_goes_along_to_zot_and_is_found_there(
    both, zot, local_image, prefix
):
    built(both, local_image, prefix, "app", "new")
    digest = zot.manifest(f"{prefix}/app", "v1").digest
    signatures = sorted(sign(zot, f"{prefix}/app", "v1", text) for text in ("one", "two"))
    assert zot.referrers(f"{prefix}/app", digest) == signatures
    new = f"{zot.address}/{prefix}"

    both.run("image", "copy", f"{new}/app:v1", f"{new}/bare:v1")
    both.run("image", "copy", f"{new}/app:v1", f"{new}/signed:v1", "--referrers")

    assert zot.referrers(f"{prefix}/bare", digest) == []
    assert zot.referrers(f"{prefix}/signed", digest) == signatures
    assert zot.tags(f"{prefix}/signed") == ["v1"]  # where there is the API, no tag stands for it


def test_a_signature_of_a_signature_goes_along(both, zot, local_image, prefix):
    built(both, local_image, prefix, "app", "new")
    first = sign(zot, f"{prefix}/app", "v1", "of the image")
    second = sign(zot, f"{prefix}/app", first, "of the signature")
    new = f"{zot.address}/{prefix}"

    both.run("image", "copy", f"{new}/app:v1", f"{new}/signed:v1", "--referrers")

    assert zot.referrers(f"{prefix}/signed", first) == [second]


def test_referrers_survive_a_registry_without_the_api(both, zot, registry, local_image, prefix):
    """Docker's registry knows no referrers: a tag lists them there, and zot gets them back."""
    built(both, local_image, prefix, "app", "new")
    digest = zot.manifest(f"{prefix}/app", "v1").digest
    signature = sign(zot, f"{prefix}/app", "v1", "signed")
    old, new = f"{registry.address}/{prefix}", f"{zot.address}/{prefix}"

    both.run("image", "copy", f"{new}/app:v1", f"{old}/signed:v1", "--referrers")
    both.run("image", "copy", f"{old}/signed:v1", f"{new}/back:v1", "--referrers")

    listed = registry.manifest(f"{prefix}/signed", fallback_tag(digest)).body["manifests"]
    assert [(one["digest"], one["artifactType"]) for one in listed] == [(signature, ARTIFACT)]
    assert zot.referrers(f"{prefix}/back", digest) == [signature]
    assert zot.tags(f"{prefix}/back") == ["v1"]


# --- tags and lists ---------------------------------------------------------------------------


def test_tags_come_and_go_one_by_one(both, zot, local_image, prefix):
    record = built(both, local_image, prefix, "app", "new")

    both.run("image", "tag", record["id"], "stable")
    assert zot.tags(f"{prefix}/app") == ["stable", "v1"]
    removed = both.run("image", "untag", record["id"], "v1")

    assert removed.stdout == f"Removed {zot.address}/{prefix}/app:v1\n"
    assert zot.tags(f"{prefix}/app") == ["stable"]
    tags = both.json("image", "show", record["id"])["tags"]
    assert [one["reference"] for one in tags] == [f"{zot.address}/{prefix}/app:stable"]


def test_the_images_of_zot_are_listed(both, zot, local_image, prefix):
    built(both, local_image, prefix, "app", "new")

    shown = both.run("registry", "images", "new").stdout

    assert f"{prefix}/app" in shown
