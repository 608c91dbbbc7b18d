# SPDX-License-Identifier: Apache-2.0
"""tinyproxy, a real HTTP proxy, with a password."""

import re
import secrets
import shutil
import socket

from .process import OwnProcess
from .servers import free_port
from .waiting import wait_for

# How it logs what it is asked: 'Request (file descriptor 7): CONNECT 127.0.0.1:5000 HTTP/1.1'.
REQUEST = re.compile(r"Request \(file descriptor \d+\): (\S+) (\S+) HTTP")


def proxy_program():
    return shutil.which("tinyproxy")


class Proxy(OwnProcess):
    """A process of the tests' own on a port of loopback; lets in who has the password."""

    username = "through"

    def __init__(self, directory):
        self.directory = directory
        self.password = secrets.token_hex(12)

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        config = self.directory / "tinyproxy.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"Port {self.port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Connect\n"
            f'LogFile "{self._log}"\nBasicAuth {self.username} {self.password}\n'
        )
        self.run(proxy_program(), "-d", "-c", config)
        wait_for(self._listens, "tinyproxy")
        return self

    def _listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def _log(self):
        return self.directory / "log"

    @property
    def log(self):
        return self._log.read_text() if self._log.exists() else ""

    def asked(self):
        """What it was asked so far and let through or not: (method, target)."""
        return REQUEST.findall(self.log)

    def url_with(self, password=None):
        """Its URL with the login in it, as environments have it."""
        return f"http://{self.username}:{password or self.password}@{self.address}"
