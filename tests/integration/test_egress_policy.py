# SPDX-License-Identifier: Apache-2.0
"""FRESHET_EGRESS: whom an administrator lets Freshet connect to. Nothing is sent to anybody else."""

import contextlib
import socket
import time
from base64 import b64encode

import pytest

from support.aws_machine import InstanceMetadata
from support.ecr import add as add_ecr
from support.front import pass_on
from support.pipelines import SALTED_BUILD
from support.private_network import can_make_networks
from support.proxy import Proxy, proxy_program
from support.servers import Answer, Authority, Wiretap, closed_port, serve_requests
from support.steps import use

HINT = (
    "FRESHET_EGRESS says what may be reached; a name that does not resolve gets the same answer"
)


def under(rules):
    return {"FRESHET_EGRESS": rules}


def refusal(authority, who=""):
    return f"no connection to {who}'{authority}': the administrator's egress policy permits none"


def add(freshet, domain, *options, name="tried", username="ada", password="pass-word"):
    freshet.run(
        "registry", "add", name, "--domain", domain, "--username", username, "--password-stdin",
        *options, stdin=password,
    )


@contextlib.contextmanager
def silent_port(host):
    """Yields 'host:port' where connections are neither taken nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, 0))
        listener.listen(0)
        for _ in range(3):  # more than it queues
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"{host}:{listener.getsockname()[1]}"


@pytest.fixture
def stranger():
    """At an address that tests forbid: its address, and whom it was asked by what."""
    asked = []

    def answer(request):
        asked.append((request.method, request.path))
        return Answer(200, b"inner words", {"X-Inner": "inner words"})

    with serve_requests(answer, host="127.0.0.2") as address:
        yield address, asked


# --- the policy itself ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules, message",
    [
        (
            "public,10.0.0.0/33",
            "'10.0.0.0/33' in FRESHET_EGRESS is no network, address, host name, '*.suffix' or "
            "'public'",
        ),
        ("", "FRESHET_EGRESS is set but empty: no connection would be permitted"),
    ],
)
def test_a_policy_that_cannot_be_read_ends_every_command_at_once(freshet, rules, message):
    refused = freshet.run("registry", "list", env=under(rules), check=False)

    assert refused.returncode == 2
    assert refused.stdout == ""
    error, hint = refused.stderr.splitlines()
    assert error == f"error: {message}"
    assert "as in '10.1.0.0/16,registry.example.com,*.example.org,public'" in hint


@pytest.mark.parametrize("rules", ["127.0.0.0/8", "public, 127.0.0.1"])
def test_what_is_permitted_works_as_ever(connected, local_image, prefix, registry, rules):
    tested = connected.run("registry", "test", "local", env=under(rules))

    assert f"'{registry.address}' answers" in tested.stdout


# --- tests of connections ---------------------------------------------------------------------


@pytest.mark.parametrize("rules", ["public", "registry.example.com"])
def test_a_refusal_tells_nothing_of_what_is_there(freshet, stranger, rules):
    open_address, asked = stranger
    taken = {}
    with closed_port("127.0.0.2") as closed, silent_port("127.0.0.2") as silent:
        for number, address in enumerate([open_address, closed, silent, "no-such-host.invalid"]):
            add(freshet, address, name=f"tried{number}")
            started = time.monotonic()
            tested = freshet.run(
                "registry", "test", f"tried{number}", env=under(rules), check=False
            )
            taken[address] = time.monotonic() - started

            assert tested.returncode == 1
            said = tested.stdout + tested.stderr
            assert refusal(address) in said and HINT in said
            assert "inner words" not in said
            assert "answers" not in said
            checks = freshet.json(
                "registry", "test", f"tried{number}", env=under(rules), check=False
            )["checks"]
            assert [check["result"] for check in checks] == ["failed"] + 5 * ["skipped"]

    assert asked == []
    assert max(taken.values()) < 2, taken


def test_a_token_server_that_is_not_permitted_is_never_asked(freshet, tmp_path):
    asked = []

    def answer(request):
        asked.append(request.path)
        return Answer(500, b"inner words")

    certificate = Authority(tmp_path / "authority").issue("tokens", "IP:127.0.0.2")
    with serve_requests(answer, host="127.0.0.2", certificate=certificate / "both.pem") as tokens:
        challenge = {"WWW-Authenticate": f'Bearer realm="https://{tokens}/token",service="s"'}
        with serve_requests(lambda request: Answer(401, b"", challenge)) as registry:
            add(freshet, registry, "--token-server", tokens, "--ca", certificate / "ca.pem")
            tested = freshet.run("registry", "test", "tried", env=under("127.0.0.1"), check=False)
            assert asked == []
            freshet.run("registry", "test", "tried", check=False)

    assert tested.returncode == 1
    assert refusal(tokens) in tested.stdout
    assert "inner words" not in tested.stdout
    assert asked, "without a policy it is asked"


# --- pulls and pushes -------------------------------------------------------------------------


def test_a_download_is_not_followed_to_where_it_may_not_go(
    freshet, backend, other_registry, stranger, prefix
):
    address, asked = stranger
    login = "Basic " + b64encode(f"{backend.username}:{backend.password}".encode()).decode()

    def answer(request):
        if request.method == "GET" and "/blobs/" in request.path:
            return Answer(307, b"", {"Location": f"http://{address}/layer"})
        return pass_on(request, backend.address, login)

    freshet.registry_add(other_registry)
    with serve_requests(answer) as front:
        copied = freshet.run(
            "image", "copy", f"{front}/base:1", f"{other_registry.address}/{prefix}/base:1",
            env=under("127.0.0.1"), check=False,
        )

    assert copied.returncode == 1
    assert refusal(address) in copied.stderr
    assert "inner words" not in copied.stderr
    assert asked == []


def test_nothing_is_pushed_to_where_it_may_not_go(freshet, local_image, stranger, prefix):
    address, asked = stranger
    add(freshet, address, "--prefix", prefix, "--default", "--plain-http")

    run = freshet.run_pipeline(
        SALTED_BUILD, vars={"BASE": local_image, "SALT": prefix}, env=under("127.0.0.1")
    )

    assert run.result == "failure", run
    assert run["build"].error["message"] == refusal(address)
    assert asked == []


def test_a_mirror_that_is_not_permitted_is_passed_over(
    freshet, registry, other_registry, stranger, prefix
):
    address, asked = stranger
    image = registry.push_base_image()
    add(
        freshet, registry.address, "--mirror", address, name="mirrored",
        username=registry.username, password=registry.password,
    )
    freshet.registry_add(other_registry)
    target = f"{other_registry.address}/{prefix}/base:1"

    freshet.run("image", "copy", image, target, env=under("127.0.0.1"))

    assert asked == []
    assert other_registry.tags(f"{prefix}/base") == ["1"]


def test_pulls_of_the_engine_are_the_engines(freshet, engine, registry, prefix):
    """It is a program of its own, and reaches what its own administrator lets it reach."""
    tap = Wiretap(registry.address)
    image = registry.push_base_image().partition("/")[2]
    add(freshet, tap.address, username=registry.username, password=registry.password)

    run = freshet.run_pipeline(
        f"version: '1.0'\nsteps:\n{use(f'{tap.address}/{image}')}",
        env=under("registry.example.com"),
    )
    tap.close()

    assert run.result == "success", run


# --- proxies ----------------------------------------------------------------------------------

needs_tinyproxy = pytest.mark.skipif(
    proxy_program() is None, reason="there is no tinyproxy here: run scripts/setup test"
)


@pytest.fixture
def proxy(tmp_path):
    proxy = Proxy(tmp_path / "proxy").start()
    yield proxy
    proxy.stop(purge=True)


def test_a_proxy_that_is_not_permitted_is_never_asked(freshet, registry, stranger):
    address, asked = stranger
    add(
        freshet, registry.address, "--proxy", f"http://{address}", username=registry.username,
        password=registry.password,
    )

    tested = freshet.run("registry", "test", "tried", env=under("127.0.0.1"), check=False)

    assert tested.returncode == 1
    assert refusal(registry.address, "the proxy on the way to ") in tested.stdout
    assert asked == []


@needs_tinyproxy
def test_a_proxy_is_not_asked_for_what_is_not_permitted(freshet, registry, proxy, stranger):
    address, asked = stranger
    add(freshet, address)
    add(
        freshet, registry.address, name="near", username=registry.username,
        password=registry.password,
    )
    environment = {"http_proxy": proxy.url_with(), **under("127.0.0.1")}

    refused = freshet.run("registry", "test", "tried", env=environment, check=False)
    assert proxy.asked() == []
    freshet.run("registry", "test", "near", env=environment)

    assert refusal(address) in refused.stdout
    assert asked == []
    assert ("GET", f"http://{registry.address}/v2/") in proxy.asked()


@needs_tinyproxy
def test_no_proxy_is_heeded_under_a_policy_too(freshet, registry, proxy):
    add(freshet, registry.address, username=registry.username, password=registry.password)
    environment = {"http_proxy": proxy.url_with(), "no_proxy": "127.0.0.0/8"}

    freshet.run("registry", "test", "tried", env={**environment, **under("127.0.0.1")})

    assert proxy.asked() == []


# --- AWS --------------------------------------------------------------------------------------


@pytest.mark.skipif(not can_make_networks(), reason="only root can make networks")
def test_an_instance_is_not_asked_who_it_is_where_that_is_not_permitted(there, aws, network):
    metadata = InstanceMetadata(aws, aws.add_role("builder", [])).put_on(network)

    refused = add_ecr(there, env=under("*.amazonaws.com,10.0.0.0/8"), check=False)

    assert refused.returncode == 1
    assert refusal("169.254.169.254") in refused.stderr
    assert aws.calls == []
    add_ecr(there, env=under("*.amazonaws.com,169.254.169.254"))
    assert aws.calls and metadata.refused == 0
