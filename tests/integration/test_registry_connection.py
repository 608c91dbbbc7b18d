# SPDX-License-Identifier: Apache-2.0
"""'freshet registry test' says plainly what is wrong with a connection."""

import json

import pytest

from support.checks import ALL_PASSED
from support.servers import Answer, closed_port, make_self_signed_certificate, serve


def try_connection(freshet, domain, username="ada", password="pass-word"):
    """Adds a registry of that domain and tests it."""
    freshet.run(
        "registry", "add", "tried", "--domain", domain, "--username", username,
        "--password-stdin", stdin=password,
    )
    return freshet.run("registry", "test", "tried", check=False)


def registry_that(answers):
    """Lets everybody in and answers to an upload as told."""

    def answer(method, path, headers):
        if method == "POST":
            return answers
        return Answer(200, "{}", {"Docker-Distribution-Api-Version": "registry/2.0"})

    return answer


def test_a_registry_that_works_passes_and_keeps_nothing_of_the_test(freshet, registry, prefix):
    before = registry.repositories()
    freshet.registry_add(registry, prefix=prefix)

    tested = freshet.run("registry", "test", "local", check=False)

    assert tested.returncode == 0, tested
    assert f"'{registry.address}' answers" in tested.stdout
    assert "accepts the credentials of user 'freshet'" in tested.stdout
    assert f"pushing to '{registry.address}/{prefix}/" in tested.stdout
    assert registry.repositories() == before


def test_the_json_form_tells_each_check(freshet, registry):
    freshet.registry_add(registry)
    good = freshet.run("registry", "test", "local", "--json")
    freshet.run("registry", "set-password", "local", "--password-stdin", stdin="wrong-password")
    bad = freshet.run("registry", "test", "local", "--json", check=False)

    def results(done):
        return {check["name"]: check["result"] for check in json.loads(done.stdout)["checks"]}

    assert results(good) == ALL_PASSED
    assert results(bad)["protocol"] == "passed"
    assert results(bad)["credentials"] == "failed"
    assert results(bad)["push"] == "skipped"
    assert (good.returncode, bad.returncode) == (0, 1)
    for done in (good, bad):
        assert registry.password not in done.stdout + done.stderr
        assert "wrong-password" not in done.stdout + done.stderr


def test_wrong_credentials_are_told_with_the_registrys_words(freshet, registry):
    tested = try_connection(freshet, registry.address, registry.username, "wrong-password")

    assert tested.returncode == 1
    assert f"'{registry.address}' refused the credentials of user 'freshet'" in tested.stdout
    assert "UNAUTHORIZED: authentication required" in tested.stdout
    assert "check user name and password" in tested.stdout


def test_a_name_that_does_not_resolve_is_told(freshet):
    tested = try_connection(freshet, "registry.invalid")

    assert tested.returncode == 1
    assert "the name 'registry.invalid' does not resolve to an address" in tested.stdout
    assert "check its spelling and this machine's DNS" in tested.stdout


def test_a_port_where_nobody_listens_is_told(freshet):
    with closed_port() as address:
        tested = try_connection(freshet, address)

    assert tested.returncode == 1
    assert f"'{address}' refused the connection" in tested.stdout
    assert "check the port" in tested.stdout


def where(place, engine):
    return "127.0.0.1" if place == "loopback" else engine.bridge_address


@pytest.mark.parametrize("place", ["loopback", "elsewhere"])
def test_a_certificate_that_nobody_vouches_for_is_told(freshet, engine, tmp_path, place):
    host = where(place, engine)
    certificate = make_self_signed_certificate(tmp_path, host)
    asked = []

    def answer(method, path, headers):
        asked.append(path)
        return Answer(200, "{}", {"Docker-Distribution-Api-Version": "registry/2.0"})

    with serve(answer, host, certificate) as address:
        tested = try_connection(freshet, address)

    assert tested.returncode == 1
    assert f"no TLS connection to '{address}'" in tested.stdout
    assert "certificate" in tested.stdout
    assert "update-ca-certificates" in tested.stdout
    assert asked == []


def test_plain_http_is_not_taken_from_another_machine(freshet, engine):
    """A password must not go over a network unencrypted because somebody blocks TLS."""
    asked = []

    def answer(method, path, headers):
        asked.append(dict(headers))
        return Answer(401, "", {"WWW-Authenticate": 'Basic realm="r"'})

    with serve(answer, engine.bridge_address) as address:
        tested = try_connection(freshet, address)

    assert tested.returncode == 1
    assert f"no TLS connection to '{address}'" in tested.stdout
    assert "check that it speaks https on this port" in tested.stdout
    assert asked == []


def test_a_web_site_is_not_taken_for_a_registry(freshet):
    page = Answer(200, "<html><body>Welcome!</body></html>", {"Content-Type": "text/html"})

    with serve(lambda *request: page) as address:
        tested = try_connection(freshet, address)

    assert tested.returncode == 1
    verdict = "answers but is not a registry: HTTP 200 with a 'text/html' page"
    assert f"'{address}' {verdict}" in tested.stdout
    assert "check the domain and port" in tested.stdout


def test_a_registry_in_trouble_is_told(freshet):
    trouble = Answer(503, '{"errors": [{"code": "UNAVAILABLE", "message": "come back later"}]}')

    with serve(lambda *request: trouble) as address:
        tested = try_connection(freshet, address)

    assert tested.returncode == 1
    assert "come back later" in tested.stdout


def test_a_missing_right_to_push_is_told(freshet):
    denied = Answer(403, '{"errors": [{"code": "DENIED", "message": "read only user"}]}')

    with serve(registry_that(denied)) as address:
        tested = try_connection(freshet, address)

    assert tested.returncode == 1
    assert "is not allowed" in tested.stdout
    assert "DENIED: read only user" in tested.stdout
    assert "the user needs the right to push there" in tested.stdout


def test_a_registry_that_repeats_the_credentials_does_not_get_them_shown(freshet):
    def answer(method, path, headers):
        said = headers.get("Authorization", "nothing")
        body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": f"you said {said}"}]})
        return Answer(401, body, {"WWW-Authenticate": 'Basic realm="r"'})

    with serve(answer) as address:
        tested = try_connection(freshet, address, "ada", "hush-hush-hush")

    assert tested.returncode == 1
    assert "you said" in tested.stdout, tested
    assert "Basic YWRhOm" not in tested.stdout + tested.stderr  # base64 of 'ada:'
    assert "aHVzaC1odXNo" not in tested.stdout + tested.stderr  # base64 of 'hush-hush'


def test_what_a_registry_says_cannot_command_the_terminal(freshet):
    words = "no \x1b]0;owned\x07 way \x1b[2J"
    body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": words}]})
    answer = Answer(401, body, {"WWW-Authenticate": 'Basic realm="r"'})

    with serve(lambda *request: answer) as address:
        tested = try_connection(freshet, address)

    assert "UNAUTHORIZED" in tested.stdout
    assert "\x1b" not in tested.stdout
    assert "\x07" not in tested.stdout
