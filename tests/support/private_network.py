# SPDX-License-Identifier: Apache-2.0
"""A network of the test's own, in which names such as registry-1.docker.io are servers of ours.

It is a network namespace, with addresses that look public and an /etc/hosts that names them. What
runs there trusts the tests' authority as it would trust the world's, and reaches nothing else: so
the shipped binary is tested as it is, with the hosts and addresses that providers really have.
"""

import contextlib
import ctypes
import os
import shutil
import socket
import threading

from .commands import run
from .freshet import Freshet
from .servers import Authority, serve_requests

CLONE_NEWNET = 0x40000000


def can_make_networks():
    return os.geteuid() == 0 and all(map(shutil.which, ("nsenter", "unshare", "ip")))


class PrivateNetwork:
    """Serves hosts until it is closed."""

    def __init__(self, directory):
        self._directory = directory
        directory.mkdir(parents=True)
        self.authority = Authority(directory / "authority")
        self._hosts = directory / "hosts"
        self._hosts.write_text("127.0.0.1 localhost\n")
        self._addresses = {}
        self._running = contextlib.ExitStack()
        self._namespace = _in_thread(_make_namespace)
        self._running.callback(os.close, self._namespace)
        self._run("ip", "link", "set", "lo", "up")
        self._trust(self.authority)

    def close(self):
        self._running.close()

    def serve(self, host, answer, port=443, address=None, days=2):
        """Answers requests to https://host, or http://host where the port is 80.

        address: instead of one that looks public; it needs no name then. days: how long its
        certificate is good.
        """
        certificate = None
        if port != 80:
            certificate = self.authority.issue(host, f"IP:127.0.0.1,DNS:{host}", days) / "both.pem"
        listener = self._listen(self._address_of(host, address), port)
        self._running.enter_context(
            serve_requests(
                answer, certificate=certificate, listener=listener,
                client_authority=self.authority.certificate,
            )
        )

    def name(self, host, other):
        """One more name for what another one is served at."""
        if host not in self._addresses:
            self._addresses[host] = self._addresses[other]
            with open(self._hosts, "a") as hosts:
                hosts.write(f"{self._addresses[other]} {host}\n")

    def distrust(self):
        """From now on what runs there trusts an authority that has vouched for nobody."""
        self._trust(Authority(self._directory / "stranger"))

    def command(self, command):
        """The command to run so that a command runs there."""
        # Two mounts that nobody else sees; then the command in its place.
        enter = (
            'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/ssl/certs '
            '&& shift 2 && exec "$@"'
        )
        return [
            "nsenter", f"--net={self._path}", "unshare", "--mount", "sh", "-c", enter, "sh",
            str(self._hosts), str(self._directory / "trusted"), *command,
        ]

    @property
    def _path(self):
        return f"/proc/{os.getpid()}/fd/{self._namespace}"

    def _run(self, *command):
        run("nsenter", f"--net={self._path}", *command)

    def _trust(self, authority):
        """Makes a directory like /etc/ssl/certs that knows this authority alone."""
        trusted = self._directory / "trusted"
        shutil.rmtree(trusted, ignore_errors=True)
        trusted.mkdir()
        shutil.copy(authority.certificate, trusted / "authority.pem")
        run("openssl", "rehash", trusted)
        shutil.copy(authority.certificate, trusted / "ca-certificates.crt")

    def _address_of(self, host, address):
        if host not in self._addresses:
            self._addresses[host] = address or f"203.0.113.{len(self._addresses) + 1}"
            self._run("ip", "address", "add", f"{self._addresses[host]}/32", "dev", "lo")
            with open(self._hosts, "a") as hosts:
                hosts.write(f"{self._addresses[host]} {host}\n")
        return self._addresses[host]

    def _listen(self, address, port):
        def listen():
            _check(_libc().setns(self._namespace, CLONE_NEWNET))
            return socket.create_server((address, port))

        return _in_thread(listen)


class FreshetThere(Freshet):
    """The binary in a private network."""

    def __init__(self, binary, directory, engine, network):
        super().__init__(binary, directory, engine)
        self.network = network

    def command(self, *arguments):
        return self.network.command(super().command(*arguments))


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _check(status):
    if status != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _make_namespace():
    _check(_libc().unshare(CLONE_NEWNET))
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)


def _in_thread(function):
    """What the function returns, called in a thread that ends with it: its namespace is its own."""
    outcome = []

    def call():
        try:
            outcome.append((function(), None))
        except BaseException as error:  # handed on to the thread that waits
            outcome.append((None, error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    value, error = outcome[0]
    if error is not None:
        raise error
    return value
