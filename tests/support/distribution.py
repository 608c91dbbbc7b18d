# SPDX-License-Identifier: Apache-2.0
"""Docker's registry with other settings than scripts/registry gives it: TLS, tokens; also
the real part behind what a test imitates."""

import http.client
import json
import re
import secrets
import ssl

from .commands import run
from .process import OwnProcess
from .registry import Registry
from .waiting import wait_for

LISTENS = re.compile(r'msg="listening on ([0-9.:]+)')


class Distribution(OwnProcess, Registry):
    """A docker-registry of the test's own, on a port of loopback that the system chose.

    tls: a directory with cert.pem, key.pem and ca.pem, to speak TLS.
    auth: its section 'auth'; by default a password file with the one user.
    """

    def __init__(self, state_dir, tls=None, auth=None):
        super().__init__(state_dir)
        self.directory = state_dir / "registry"
        self.tls = tls
        self.auth = auth

    def start(self):
        self.directory.mkdir(parents=True)
        (self.directory / "password").write_text(secrets.token_hex(12))
        entry = run("htpasswd", "-niB", self.username, stdin=self.password).stdout
        (self.directory / "htpasswd").write_text(entry)
        config = self.directory / "config.yml"  # all JSON is YAML
        config.write_text(json.dumps(self._settings()))
        self.run("docker-registry", "serve", config, log=self.directory / "log")
        listens = wait_for(
            lambda: LISTENS.search(self.log) or self.process.poll() is not None,
            "docker-registry",
        )
        assert self.process.poll() is None, self.log
        self.address = listens[1]
        return self

    def _settings(self):
        http_settings = {
            "addr": "127.0.0.1:0", "secret": secrets.token_hex(12), "relativeurls": True,
        }
        if self.tls:
            http_settings["tls"] = {
                "certificate": str(self.tls / "cert.pem"), "key": str(self.tls / "key.pem"),
            }
        return {
            "version": 0.1,
            "log": {"level": "info", "formatter": "text"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.directory / "data")},
                "delete": {"enabled": True},
            },
            "http": http_settings,
            "auth": self.auth
            or {"htpasswd": {"realm": "r", "path": str(self.directory / "htpasswd")}},
        }

    def _connect(self):
        if not self.tls:
            return super()._connect()
        context = ssl.create_default_context(cafile=self.tls / "ca.pem")
        return http.client.HTTPSConnection(self.host, self.port, timeout=30, context=context)
