# SPDX-License-Identifier: Apache-2.0
"""Registries for the benchmarks of moving images, and the layers that are moved."""

import hashlib
import http.client
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path

from support.servers import free_port
from support.waiting import wait_for

LAYER_SOURCE = Path("/usr/lib")
PIECE = 1 << 20
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def write_layer(path, size, skip=0):
    """A tar of at least `size` bytes of what is installed here; `skip`: of files left out first."""
    taken = 0
    with tarfile.open(path, "w") as tar:
        for folder, folders, names in os.walk(LAYER_SOURCE):
            folders.sort()
            for name in sorted(names):
                file = Path(folder) / name
                if file.is_symlink() or not file.is_file():
                    continue
                if skip > 0:
                    skip -= file.stat().st_size
                    continue
                tar.add(file, str(file).lstrip("/"))
                taken += file.stat().st_size
                if taken >= size:
                    return taken
    raise SystemExit(f"{LAYER_SOURCE} holds only {taken / 1e6:.0f} of {size / 1e6:.0f} MB")


class OpenRegistry:
    """Debian's docker-registry on loopback, for everybody: no side pays for checking passwords."""

    def __init__(self, directory):
        self.directory = directory
        self.storage = directory / "storage"
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = directory / "log"
        self.process = None

    def start(self):
        self.storage.mkdir(parents=True)
        config = self.directory / "config.yml"
        config.write_text(
            json.dumps(
                {
                    "version": 0.1,
                    "log": {"level": "info", "accesslog": {"disabled": False}},
                    "storage": {
                        "filesystem": {"rootdirectory": str(self.storage)},
                        "delete": {"enabled": True},
                    },
                    "http": {"addr": self.address},
                }
            )
        )
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["docker-registry", "serve", config], stdout=log, stderr=log
            )
        wait_for(self.answers, f"docker-registry at {self.address}")
        return self

    def answers(self):
        try:
            return self.request("GET", "/v2/").status == 200
        except OSError:
            return False

    def request(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def json(self, target):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", target, headers={"Accept": MANIFEST_TYPE})
        body = connection.getresponse().read()
        connection.close()
        return json.loads(body)

    def requests(self):
        """How many requests it has answered so far."""
        return self.log.read_text().count("HTTP/1.1")

    def put_blob(self, repository, content):
        """content: bytes, or an open file; returns {digest, size}."""
        blob = measure_content(content)
        begun = self.request("POST", f"/v2/{repository}/blobs/uploads/")
        location = begun.headers["Location"].split(self.address, 1)[-1]
        join = "&" if "?" in location else "?"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob["size"])}
        stored = self.request(
            "PUT", f"{location}{join}digest={blob['digest']}", body=content, headers=headers
        )
        assert stored.status == 201, stored.status
        return blob

    def put_image(self, repository, tag, layers, note=""):
        """layers: [{digest, size}] that the repository has, or that another one lends."""
        config = self.put_blob(
            repository,
            json.dumps(
                {
                    "architecture": "amd64",
                    "os": "linux",
                    "config": {"Labels": {"note": note}},
                    "rootfs": {"type": "layers", "diff_ids": [one["diff_id"] for one in layers]},
                }
            ).encode(),
        )
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, **config},
            "layers": [
                {"mediaType": LAYER_TYPE, "digest": one["digest"], "size": one["size"]}
                for one in layers
            ],
        }
        stored = self.request(
            "PUT",
            f"/v2/{repository}/manifests/{tag}",
            body=json.dumps(manifest).encode(),
            headers={"Content-Type": MANIFEST_TYPE},
        )
        assert stored.status == 201, stored.status
        return f"{self.address}/{repository}:{tag}"

    def mount(self, repository, layer, source):
        answer = self.request(
            "POST", f"/v2/{repository}/blobs/uploads/?mount={layer['digest']}&from={source}"
        )
        assert answer.status == 201, answer.status

    def close(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.directory)


@contextmanager
def registry(directory):
    opened = OpenRegistry(directory)
    try:
        yield opened.start()
    finally:
        opened.close()


def measure_content(content):
    if isinstance(content, bytes):
        return {"digest": digest_of([content]), "size": len(content)}
    digest = digest_of(iter(lambda: content.read(PIECE), b""))
    size = content.tell()
    content.seek(0)
    return {"digest": digest, "size": size}


def digest_of(pieces):
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return "sha256:" + hasher.hexdigest()


def put_layer(registry, repository, tar):
    """Compresses a tar into the registry, piece by piece: the memory of this process counts as that
    of every program that it starts. Returns {digest, size, diff_id}."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
    with tar.open("rb") as source, tempfile.TemporaryFile() as packed:
        for piece in iter(lambda: source.read(PIECE), b""):
            packed.write(squeeze.compress(piece))
        packed.write(squeeze.flush())
        packed.seek(0)
        source.seek(0)
        diff_id = measure_content(source)["digest"]
        return {**registry.put_blob(repository, packed), "diff_id": diff_id}


def find_peer(name, variable):
    """The program of a peer that Debian does not bring; None: it is not there."""
    return os.environ.get(variable) or shutil.which(name)
