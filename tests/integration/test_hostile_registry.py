# SPDX-License-Identifier: Apache-2.0
"""Registries that mean no good, and what Freshet must not do for them."""

import hashlib
import json
import threading
import time

import pytest

from support.own_registry import OwnRegistry
from support.servers import Answer, serve_requests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def part(media_type, content):
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


# --- layers that are said to lie elsewhere ------------------------------------------------------


@pytest.fixture
def stranger():
    """A server that would give any layer, with all requests that it got."""
    requests = []

    def answer(request):
        requests.append((request.method, request.path, dict(request.headers)))
        return Answer(200, b"a layer", {"Content-Type": "application/octet-stream"})

    with serve_requests(answer) as address:
        yield address, requests


@pytest.fixture
def registries(tmp_path):
    """Two registries that take any manifest."""
    lenient = "validation: {disabled: true}"
    both = [OwnRegistry(tmp_path / name, has_login=False, more=lenient) for name in ("one", "two")]
    for one in both:
        one.start()
    yield both
    for one in both:
        one.stop()


@pytest.mark.parametrize("media_type", [LAYER, FOREIGN_LAYER])
def test_the_urls_of_a_layer_are_never_asked(freshet, engine, registries, stranger, media_type):
    source, target = registries
    address, requests = stranger
    rootfs = {"type": "layers", "diff_ids": [part(LAYER, b"unpacked")["digest"]]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs})
    described = part(CONFIG, config.encode())
    source.put_blob("app", config.encode(), described["digest"])
    layer = {**part(media_type, b"a layer"), "urls": [f"http://{address}/layer"]}
    source.put_manifest(
        "app", "v1",
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": [layer]},
    )
    freshet.run("registry", "add", "source", "--domain", source.address, "--plain-http",
                "--username", "x", "--password-stdin", stdin="x")

    copied = freshet.run("image", "copy", f"{source.address}/app:v1", f"{target.address}/app:v1")
    pushed = freshet.run_pipeline(
        f"""
        version: '1.0'
        steps:
          push:
            type: push
            candidate: {source.address}/app:v1
            registry: source
            image_name: copied
            tag: v2
        """
    )
    pulled = freshet.run_pipeline(
        f"""
        version: '1.0'
        steps:
          use: {{image: "{source.address}/app:v1", commands: ["true"]}}
        """
    )

    assert requests == []
    left_out = "left out: a foreign layer that the source does not have either"
    assert left_out in copied.stderr
    assert left_out in pushed["push"].text
    assert pulled["use"].error["message"] == (
        f"'{source.address}' does not have 'app@{layer['digest']}'"
    )


# --- registries that are asked too often --------------------------------------------------------


class Bucket:
    """Takes a burst of requests, then so many a second, and refuses more without a word on when."""

    def __init__(self, burst, per_second):
        self.burst = self.tokens = burst
        self.per_second = per_second
        self.at = time.monotonic()
        self.refused = 0
        self.lock = threading.Lock()

    def takes(self):
        with self.lock:
            now = time.monotonic()
            self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_second)
            self.at = now
            if self.tokens < 1:
                self.refused += 1
                return False
            self.tokens -= 1
            return True


def make_index(registry, images):
    """An index of so many small images that differ in their layer alone."""
    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    registry.put_blob("app", config, part(CONFIG, config)["digest"])
    manifests = []
    for number in range(images):
        layer = f"layer {number}".encode()
        registry.put_blob("app", layer, part(LAYER, layer)["digest"])
        manifest = {
            "schemaVersion": 2, "mediaType": MANIFEST, "config": part(CONFIG, config),
            "layers": [part(LAYER, layer)],
        }
        registry.put_manifest("app", f"image-{number}", manifest)
        platform = {"os": "linux", "architecture": "amd64", "variant": str(number)}
        content = json.dumps(manifest).encode()
        manifests.append({**part(MANIFEST, content), "platform": platform})
    registry.put_manifest(
        "app", "v1", {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    )


def test_a_registry_that_refuses_bursts_gives_all_of_an_image(freshet, registries):
    source, target = registries
    make_index(source, images=60)
    bucket = Bucket(burst=20, per_second=20)

    def answer(request):
        if not bucket.takes():
            return Answer(429, '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}')
        status, headers, body = source.request(
            request.method, request.target, headers={"Accept": request.headers["Accept"] or "*/*"}
        )
        kept = ("Content-Type", "Docker-Content-Digest", "Content-Length")
        return Answer(status, body, {name: headers[name] for name in kept if headers[name]})

    with serve_requests(answer) as strict:
        freshet.run(
            "image", "copy", "--all-platforms", f"{strict}/app:v1", f"{target.address}/app:v1"
        )

    assert target.manifest("app", "v1")[0] == source.manifest("app", "v1")[0]
    assert 1 <= bucket.refused <= 15  # of 122 requests
