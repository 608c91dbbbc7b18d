# SPDX-License-Identifier: Apache-2.0
"""Registries that are reached through a proxy: tinyproxy, which wants a password."""

import os

import pytest

from support.commands import run
from support.distribution import Distribution
from support.leaks import ProcessWatch, files_that_hold, forms_of, holds
from support.pipelines import SALTED_BUILD
from support.proxy import Proxy, proxy_program
from support.servers import Authority, closed_port
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(
    proxy_program() is None, reason="there is no tinyproxy here: run scripts/setup test"
)


@pytest.fixture(scope="module")
def tls_registry(tmp_path_factory):
    """A registry whose certificate only the tests' own authority vouches for."""
    directory = tmp_path_factory.mktemp("tls")
    certificates = Authority(directory / "authority").issue("registry")
    registry = Distribution(directory, tls=certificates).start()
    yield registry
    registry.stop(purge=True)


@pytest.fixture
def proxy(tmp_path):
    proxy = Proxy(tmp_path / "proxy").start()
    yield proxy
    proxy.stop(purge=True)


def add_tls(freshet, registry, name, *options, **more):
    return freshet.run(
        "registry", "add", name, "--domain", registry.address, "--username", registry.username,
        "--ca", registry.tls / "ca.pem", "--password-stdin", *options, stdin=registry.password,
        **more,
    )


def add_behind_proxy(freshet, registry, proxy, name, *options, password=None):
    """Connects it with a proxy of its own, whose password goes through a descriptor."""
    secret = freshet.directory / "proxy-password"
    secret.write_text(password or proxy.password)
    command = freshet.command(
        "registry", "add", name, "--domain", registry.address, "--username", registry.username,
        "--password-stdin", "--proxy", proxy.url, "--proxy-username", proxy.username,
        "--proxy-password-fd", "7", *options,
    )
    run(
        "sh", "-c", 'exec "$@" 7<proxy-password', "sh", *command, env=freshet.environment(),
        cwd=freshet.directory, stdin=registry.password,
    )
    secret.unlink()


def tunnels(proxy):
    """Where it was asked to lead."""
    return {target for method, target in proxy.asked() if method == "CONNECT"}


def push(freshet, local_image, prefix, **options):
    return freshet.run_pipeline(SALTED_BUILD, vars={"BASE": local_image, "SALT": prefix}, **options)


# --- by the environment -----------------------------------------------------------------------


def test_the_environments_proxy_leads_to_a_tls_registry(
    freshet, tls_registry, proxy, local_image, prefix
):
    add_tls(freshet, tls_registry, "far", "--prefix", prefix, "--default")
    environment = {"HTTPS_PROXY": proxy.url_with()}

    run = push(freshet, local_image, prefix, env=environment)
    tested = freshet.run("registry", "test", "far", env=environment)
    copied = freshet.json(
        "image", "copy", f"{tls_registry.address}/{prefix}/app:v1",
        f"{tls_registry.address}/{prefix}/other:v1", env=environment,
    )

    assert run.result == "success", run
    assert tls_registry.tags(f"{prefix}/app") == ["v1"]
    assert copied["digest"] == tls_registry.manifest(f"{prefix}/app", "v1").digest
    assert "pulling from" in tested.stdout
    assert tunnels(proxy) == {tls_registry.address}
    for done in (run, tested):
        assert not holds(done.stdout + done.stderr, forms_of(proxy.password))
    assert files_that_hold(freshet.data_dir, forms_of(proxy.password)) == []


def test_the_environments_proxy_leads_to_a_plain_registry(freshet, registry, proxy, prefix):
    freshet.registry_add(registry, prefix=prefix)

    freshet.run("registry", "test", "local", env={"http_proxy": proxy.url_with()})

    asked = proxy.asked()
    assert ("GET", f"http://{registry.address}/v2/") in asked
    assert ("POST", f"http://{registry.address}/v2/{prefix}/freshet-connection-test/blobs/uploads/"
            ) in asked


@pytest.mark.parametrize("exception", ["127.0.0.1", "localhost,127.0.0.0/8", "*"])
def test_what_the_environment_excepts_is_reached_directly(
    freshet, tls_registry, proxy, prefix, exception
):
    add_tls(freshet, tls_registry, "far", "--prefix", prefix)
    environment = {"HTTPS_PROXY": proxy.url_with(), "NO_PROXY": exception}

    freshet.run("registry", "test", "far", env=environment)

    assert proxy.asked() == []


def test_the_environments_proxy_that_is_down_is_told(freshet, tls_registry):
    add_tls(freshet, tls_registry, "far")
    with closed_port() as address:
        tested = freshet.run(
            "registry", "test", "far", check=False,
            env={"HTTPS_PROXY": f"http://user:proxy-pass-word@{address}"},
        )

    assert tested.returncode == 1
    assert (
        f"the proxy on the way to '{tls_registry.address}' refused the connection" in tested.stdout
    )
    assert "proxy-pass-word" not in tested.stdout + tested.stderr


# --- by the integration -----------------------------------------------------------------------


def test_an_integrations_proxy_is_for_that_registry_alone(
    freshet, tls_registry, registry, proxy, local_image, prefix
):
    ca = ("--ca", tls_registry.tls / "ca.pem")
    add_behind_proxy(freshet, tls_registry, proxy, "far", "--prefix", prefix, "--default", *ca)
    freshet.registry_add(registry, name="near", prefix=prefix, default=False)

    run = push(freshet, local_image, prefix)
    freshet.run("image", "copy", "--from", "far", "--to", "near", "app:v1", "app:v1")

    assert run.result == "success", run
    assert tunnels(proxy) == {tls_registry.address}
    assert {method for method, _ in proxy.asked()} == {"CONNECT"}
    digest = tls_registry.manifest(f"{prefix}/app", "v1").digest
    assert registry.manifest(f"{prefix}/app", "v1").digest == digest


def test_what_the_environment_excepts_needs_no_integrations_proxy_either(
    freshet, tls_registry, proxy, prefix
):
    ca = ("--ca", tls_registry.tls / "ca.pem")
    add_behind_proxy(freshet, tls_registry, proxy, "far", "--prefix", prefix, *ca)

    freshet.run("registry", "test", "far", env={"no_proxy": "127.0.0.1"})

    assert proxy.asked() == []


def test_the_proxys_password_shows_nowhere(
    freshet, tls_registry, proxy, local_image, prefix, tmp_path
):
    ca = ("--ca", tls_registry.tls / "ca.pem")
    forms = forms_of(proxy.password)
    watch = ProcessWatch(forms, control=str(freshet.data_dir))
    try:
        add_behind_proxy(freshet, tls_registry, proxy, "far", "--prefix", prefix, "--default", *ca)
        rounds = watch.rounds
        run = push(freshet, local_image, prefix)
        wait_for(lambda: watch.rounds > rounds + 1, "a look at the run")
    finally:
        watch.stop()
    shown = freshet.run("registry", "show", "far").stdout + freshet.run("registry", "list").stdout
    shown += freshet.run("registry", "show", "far", "--json").stdout

    assert run.result == "success", run
    assert tunnels(proxy) == {tls_registry.address}
    assert watch.saw_control and watch.found == set()
    assert not holds(run.stdout + run.stderr + shown, forms)
    assert files_that_hold(freshet.data_dir, forms) == []
    assert f"{proxy.url}" in shown and proxy.username in shown


def test_a_login_that_the_proxy_refuses_is_told_as_the_proxys(
    freshet, tls_registry, proxy, prefix
):
    ca = ("--ca", tls_registry.tls / "ca.pem")
    wrong = "wr0ng-proxy-password"
    add_behind_proxy(freshet, tls_registry, proxy, "far", *ca, password=wrong)

    tested = freshet.run("registry", "test", "far", check=False)

    assert tested.returncode == 1
    # tinyproxy answers with 401 where 407 would be right.
    assert (
        f"the proxy on the way to '{tls_registry.address}' let nothing through (HTTP 401)"
        in tested.stdout
    )
    assert not holds(tested.stdout + tested.stderr, forms_of(wrong))
    assert not holds(tested.stdout + tested.stderr, forms_of(tls_registry.password))


def test_what_the_proxy_cannot_reach_is_told_as_such(freshet, tls_registry, proxy):
    with closed_port() as address:
        freshet.run(
            "registry", "add", "gone", "--domain", address, "--username", "ada",
            "--password-stdin", stdin="pass-word",
        )
        tested = freshet.run(
            "registry", "test", "gone", check=False, env={"HTTPS_PROXY": proxy.url_with()}
        )

    assert tested.returncode == 1
    assert (
        f"the proxy on the way to '{address}' let nothing through (HTTP 500)" in tested.stdout
    )


def test_the_registrys_login_never_goes_to_the_proxy_in_the_open(
    freshet, tls_registry, proxy, prefix
):
    """What goes through the tunnel is encrypted for the registry: the proxy's log has no path."""
    ca = ("--ca", tls_registry.tls / "ca.pem")
    add_behind_proxy(freshet, tls_registry, proxy, "far", "--prefix", prefix, *ca)

    freshet.run("registry", "test", "far")

    assert os.path.getsize(proxy.directory / "log") > 0
    assert prefix not in proxy.log
