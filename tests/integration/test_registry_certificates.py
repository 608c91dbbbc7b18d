# SPDX-License-Identifier: Apache-2.0
"""Whose certificates are taken, and to whom ours is shown: hosts with names, in a network of the
test's own."""

import pytest

from support.hosted import Hosted, Shape
from support.private_network import can_make_networks
from support.servers import Authority

pytestmark = pytest.mark.skipif(not can_make_networks(), reason="only root can make networks")


def shape(name):
    return Shape(
        f"{name}.example.com", f"https://auth-{name}.example.com/token", f"{name}.example.com",
        storage=f"storage-{name}.example.net",
    )


def put(network, backend, name):
    return Hosted(shape(name), backend, "ada", f"pass-word of {name}").put_on(network)


def add(freshet, hosted, name, *options):
    freshet.run(
        "registry", "add", name, "--domain", hosted.shape.host, "--username", "ada",
        "--password-stdin", *options, stdin=hosted.password,
    )


def client_certificate(network, name="builder"):
    directory = network.authority.issue(name)
    return "--client-cert", directory / "cert.pem", "--client-key", directory / "key.pem"


def test_a_client_certificate_is_shown_to_its_registry_and_to_nobody_else(
    there, network, backend, prefix
):
    own, other = put(network, backend, "own"), put(network, backend, "other")
    add(there, own, "own", *client_certificate(network))
    add(there, other, "other")

    there.run("image", "copy", "own.example.com/base:1", f"other.example.com/{prefix}:1")
    there.run("image", "copy", f"other.example.com/{prefix}:1", f"own.example.com/{prefix}-back:2")

    assert own.shown == {"registry": {"builder"}, "tokens": {None}, "storage": {None}}
    assert other.shown == {"registry": {None}, "tokens": {None}, "storage": {None}}
    assert own.violations + other.violations == []


def test_skipped_verification_ends_at_the_registry(there, network, backend):
    """What was excused is the registry's own certificate: its token server's must be good."""
    own = put(network, backend, "own")
    network.distrust()
    add(there, own, "own", "--skip-tls-verify")

    tested = there.run("registry", "test", "own", check=False)

    assert tested.returncode == 1, tested
    assert "no TLS connection to 'auth-own.example.com'" in tested.stdout
    assert own.logins == []
    assert "tokens" not in own.shown  # no request, and so no password, went there


def test_an_authority_of_one_integration_vouches_for_no_other(there, network, backend):
    own, other = put(network, backend, "own"), put(network, backend, "other")
    network.distrust()
    add(there, own, "own", "--ca", network.authority.certificate)
    add(there, other, "other")

    trusted = there.run("registry", "test", "own")
    untrusted = there.run("registry", "test", "other", check=False)

    assert "'own.example.com' accepts the credentials of user 'ada'" in trusted.stdout
    assert untrusted.returncode == 1
    assert "no TLS connection to 'other.example.com'" in untrusted.stdout
    assert other.shown == {}


@pytest.mark.parametrize(
    "days, served, asked",
    [(-1, "own.example.com", "own.example.com"), (2, "another.example.com", "own.example.com")],
    ids=["expired", "wrong name"],
)
def test_a_certificate_that_is_not_good_is_told(there, network, backend, days, served, asked):
    own = Hosted(Shape(served), backend, "ada", "pass-word")
    network.serve(served, own.answer, days=days)
    network.name(asked, served)
    there.run(
        "registry", "add", "own", "--domain", asked, "--username", "ada", "--password-stdin",
        stdin="pass-word",
    )

    tested = there.run("registry", "test", "own", check=False)

    assert tested.returncode == 1
    assert f"no TLS connection to '{asked}'" in tested.stdout
    assert "its certificate must be valid for this name" in tested.stdout
    assert own.shown == {}


def test_a_client_certificate_of_a_stranger_is_refused_by_the_registry(
    there, network, backend, tmp_path
):
    own = put(network, backend, "own")
    stranger = Authority(tmp_path / "strangers").issue("builder")
    add(
        there, own, "own", "--client-cert", stranger / "cert.pem", "--client-key",
        stranger / "key.pem",
    )

    tested = there.run("registry", "test", "own", check=False)

    assert tested.returncode == 1
    assert own.shown == {}
