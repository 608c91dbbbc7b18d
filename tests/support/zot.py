# SPDX-License-Identifier: Apache-2.0
"""zot, a registry of the OCI's own kind: with the referrers API, and strict about media types."""

import json
import os
import secrets
import shutil

from .commands import run
from .process import OwnProcess
from .registry import Registry
from .servers import free_port
from .waiting import wait_for


def zot_program():
    """The path of zot: $FRESHET_TEST_ZOT, else the one of PATH, else None."""
    return os.environ.get("FRESHET_TEST_ZOT") or shutil.which("zot")


class Zot(OwnProcess, Registry):
    """A process of the tests' own, with a password, on a port of loopback.

    takes_docker: whether it stores manifests of Docker's media types too; by itself it refuses
    them.
    """

    def __init__(self, state_dir, takes_docker=True):
        super().__init__(state_dir)
        self.directory = state_dir / "registry"
        self.takes_docker = takes_docker

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "password").write_text(secrets.token_hex(12))
        entry = run("htpasswd", "-niB", self.username, stdin=self.password).stdout
        (self.directory / "htpasswd").write_text(entry)
        port = free_port()
        config = self.directory / "config.json"
        config.write_text(json.dumps(self._settings(port)))
        self.run(zot_program(), "serve", config, log=self.directory / "log")
        self.address = f"127.0.0.1:{port}"
        wait_for(lambda: self.answers() or self.process.poll() is not None, "zot", timeout=30)
        assert self.process.poll() is None, self.log
        return self

    def _settings(self, port):
        http = {
            "address": "127.0.0.1",
            "port": str(port),
            "auth": {"htpasswd": {"path": str(self.directory / "htpasswd")}},
        }
        if self.takes_docker:
            http["compat"] = ["docker2s2"]
        return {
            "distSpecVersion": "1.1.1",
            "storage": {"rootDirectory": str(self.directory / "data"), "gc": False},
            "http": http,
            "log": {"level": "debug"},
        }

    def referrers(self, repository, digest):
        """Digests of what the API says refers to a manifest, sorted."""
        status, _, body = self.request("GET", f"/v2/{repository}/referrers/{digest}")
        assert status == 200, body
        return sorted(one["digest"] for one in json.loads(body)["manifests"])
