# SPDX-License-Identifier: Apache-2.0
"""Registries behind a proxy program as people have it: by their integration and by the
environment, with a login of the proxy's own."""

import re
import secrets
import subprocess

import pytest

from support.leaks import files_that_hold, forms_of
from support.own_registry import OwnRegistry
from support.servers import Authority, free_port
from support.waiting import wait_for


class Tinyproxy:
    user = "walker"

    def __init__(self, directory):
        self.address = f"127.0.0.1:{free_port()}"
        self.password = secrets.token_hex(12)
        self._log = directory / "tinyproxy.log"
        config = directory / "tinyproxy.conf"
        config.write_text(
            f"Listen 127.0.0.1\nPort {self.address.split(':')[1]}\nAllow 127.0.0.1\n"
            f'LogFile "{self._log}"\nLogLevel Info\nMaxClients 50\n'
            f"BasicAuth {self.user} {self.password}\n"
        )
        self._process = subprocess.Popen(
            ["tinyproxy", "-d", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(lambda: "Accepting connections" in self.log, "tinyproxy")

    def stop(self):
        self._process.terminate()
        self._process.wait()

    @property
    def log(self):
        return self._log.read_text() if self._log.exists() else ""

    def asked_for(self):
        return re.findall(r"Request \(file descriptor \d+\): (\S+) (\S+) HTTP", self.log)


@pytest.fixture
def proxy(tmp_path):
    proxy = Tinyproxy(tmp_path)
    yield proxy
    proxy.stop()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def secure(tmp_path, authority):
    registry = OwnRegistry(
        tmp_path / "secure", certificate=authority.issue("registry", "IP:127.0.0.1")
    ).start()
    yield registry
    registry.stop()


def connect(freshet, registry, authority, *options, stdin=None):
    freshet.run(
        "registry", "add", "secure", "--domain", registry.address, "--username",
        registry.username, "--password-stdin", "--ca", authority.certificate, *options,
        stdin=stdin or registry.password,
    )


def give_proxy_password(freshet, proxy):
    """By a descriptor of its own, as a script would."""
    command = freshet.command(
        "registry", "set", "secure", "--proxy", f"http://{proxy.address}",
        "--proxy-username", proxy.user, "--proxy-password-fd", "3",
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 3<<EOF\n' + proxy.password + "\nEOF\n", "sh", *map(str, command)],
        env=freshet.environment(), capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr


def test_an_integration_goes_through_its_proxy(
    freshet, proxy, secure, authority, registry, base_image
):
    connect(freshet, secure, authority)
    give_proxy_password(freshet, proxy)

    tested = freshet.run("registry", "test", "secure")
    freshet.registry_add(registry, name="plain")
    moved = freshet.json("image", "copy", base_image, f"{secure.address}/through/it:1")

    assert "✔ push" in tested.stdout
    assert secure.manifest("through/it", "1")[0] == moved["digest"]
    assert set(proxy.asked_for()) == {("CONNECT", secure.address)}  # TLS end to end, nothing else
    assert files_that_hold(freshet.data_dir, forms_of(proxy.password)) == []
    assert proxy.password not in tested.stdout + tested.stderr


def test_a_refused_login_of_the_proxy_is_told_as_the_proxy_s(freshet, proxy, secure, authority):
    connect(freshet, secure, authority, "--proxy", f"http://{proxy.address}")

    done = freshet.run("registry", "test", "secure", check=False)

    assert done.returncode != 0
    assert "407" in done.stdout + done.stderr or "proxy" in done.stdout + done.stderr
    assert secure.requests("/v2/through") == []


def test_the_environment_names_a_proxy_and_what_goes_without_it(
    freshet, proxy, secure, authority
):
    connect(freshet, secure, authority)
    login = f"{proxy.user}:{proxy.password}@{proxy.address}"
    through = {"https_proxy": f"http://{login}"}
    past = {**through, "no_proxy": "127.0.0.1"}

    direct = freshet.run("registry", "test", "secure", env=past)
    asked_directly = len(proxy.asked_for())
    behind = freshet.run("registry", "test", "secure", env=through)

    assert "✔ push" in direct.stdout and "✔ push" in behind.stdout
    assert asked_directly == 0
    assert ("CONNECT", secure.address) in proxy.asked_for()
    assert proxy.password not in behind.stdout + behind.stderr
