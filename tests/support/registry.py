# SPDX-License-Identifier: Apache-2.0
"""A password-protected registry of the tests' own, and questions to it."""

import base64
import http.client
import json
import os
import re
import secrets
import signal
from dataclasses import dataclass

from .commands import run
from .paths import SCRIPTS
from .waiting import wait_for

MANIFEST_TYPES = ", ".join(
    [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
)

# A line of docker-registry's access log.
REQUEST = re.compile(r'^\S+ - - \[.*?\] "(\S+) (\S+) HTTP/', re.M)


@dataclass
class Manifest:
    digest: str
    media_type: str
    body: dict
    size: int  # in bytes

    @property
    def layers(self):
        return [layer["digest"] for layer in self.body.get("layers", [])]


class Registry:
    """Started and ended through scripts/registry; keeps its port, password and images between.

    storage: a directory for the images, where the default is not wanted (a small file system).
    """

    username = "freshet"

    def __init__(self, state_dir, storage=None):
        self.state_dir = state_dir
        self.storage = storage
        self.address = None

    def _script(self, *arguments):
        env = {**os.environ, "FRESHET_DEMO_DIR": str(self.state_dir)}
        return run(SCRIPTS / "registry", *arguments, env=env).stdout.strip()

    def start(self):
        self.address = self._script("start", *(["--storage", self.storage] if self.storage else []))
        return self

    def stop(self, purge=False):
        self._script("stop", *(["--purge"] if purge else []))

    def restart(self):
        self.stop()
        return self.start()

    def kill(self):
        pid = int((self.state_dir / "registry/pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.answers(), f"the end of docker-registry, process {pid}")

    @property
    def host(self):
        return self.address.partition(":")[0]

    @property
    def port(self):
        return int(self.address.partition(":")[2])

    @property
    def password(self):
        return (self.state_dir / "registry/password").read_text().strip()

    @property
    def log(self):
        """What it logged since it was started last: one line for each request, among others."""
        return (self.state_dir / "registry/log").read_text()

    def add_user(self, username):
        """Lets one more user in; returns the password."""
        password = secrets.token_hex(12)
        entry = run("htpasswd", "-niB", username, stdin=password).stdout.strip()
        with open(self.state_dir / "registry/htpasswd", "a") as users:
            users.write(entry + "\n")
        return password

    def requests(self, method=None, path=None):
        """The requests that it answered, as (method, path); those whose path begins so."""
        return [
            (asked, where)
            for asked, where in REQUEST.findall(self.log)
            if asked == (method or asked) and where.startswith(path or "")
        ]

    def answers(self):
        try:
            return self.request("GET", "/v2/")[0] == 200
        except OSError:
            return False

    def request(self, method, path, headers=None, body=None, password=None):
        """Returns (status, headers, body as bytes)."""
        connection = self._connect()
        try:
            authorization = self._authorization(path, password or self.password)
            connection.request(
                method, path, body, headers={"Authorization": authorization, **(headers or {})}
            )
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def _connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def _authorization(self, path, password):
        return "Basic " + base64.b64encode(f"{self.username}:{password}".encode()).decode()

    def repositories(self):
        """Names of all repositories, sorted."""
        status, _, body = self.request("GET", "/v2/_catalog?n=1000")
        assert status == 200, body
        return sorted(json.loads(body)["repositories"])

    def tags(self, repository):
        """Tags of a repository, sorted; [] when there is no such repository."""
        status, _, body = self.request("GET", f"/v2/{repository}/tags/list")
        assert status in (200, 404), body
        return sorted(json.loads(body).get("tags") or []) if status == 200 else []

    def manifest(self, repository, reference):
        """The manifest under a tag or digest, or None."""
        path = f"/v2/{repository}/manifests/{reference}"
        status, headers, body = self.request("GET", path, {"Accept": MANIFEST_TYPES})
        assert status in (200, 404), body
        if status == 404:
            return None
        return Manifest(
            headers["Docker-Content-Digest"], headers["Content-Type"], json.loads(body), len(body)
        )

    def config(self, repository, reference):
        """The image configuration: environment, labels, history."""
        digest = self.manifest(repository, reference).body["config"]["digest"]
        status, _, body = self.request("GET", f"/v2/{repository}/blobs/{digest}")
        assert status == 200, body
        return json.loads(body)

    def remove(self, repository, reference):
        """Removes what a tag names, and so every tag of the same digest."""
        digest = self.manifest(repository, reference).digest
        status, _, body = self.request("DELETE", f"/v2/{repository}/manifests/{digest}")
        assert status == 202, body

    def docker_config(self):
        """A directory with a config.json that logs docker and skopeo in."""
        directory = self.state_dir / "docker-config"
        directory.mkdir(exist_ok=True)
        login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        path = directory / "config.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"auths": {self.address: {"auth": login}}}))
        return directory

    def skopeo_inspect(self, repository, reference):
        """What skopeo, a client that is none of ours, says about an image."""
        arguments = ["--authfile", self.docker_config() / "config.json", "--tls-verify=false"]
        where = f"docker://{self.address}/{repository}:{reference}"
        return json.loads(run("skopeo", "inspect", *arguments, where).stdout)

    def push_base_image(self, name="base:1"):
        """Puts the small busybox image there; returns its full reference."""
        reference = f"{self.address}/{name}"
        run(SCRIPTS / "base-image", reference, self.username, stdin=self.password)
        return reference
