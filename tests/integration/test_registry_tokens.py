# SPDX-License-Identifier: Apache-2.0
"""Docker's registry with tokens that it verifies: their rights, their expiry in the middle of a
push and of a copy."""

import time

import pytest

from support.checks import ALL_PASSED
from support.distribution import Distribution
from support.front import pass_on
from support.leaks import files_that_hold, forms_of, holds
from support.servers import serve_requests
from support.token_server import TokenServer
from support.waiting import wait_for

# Three layers, so that there are several uploads.
BUILD = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        tag: v1
        dockerfile:
          content: |
            FROM ${{BASE}}
            LABEL salt=${{SALT}}
            RUN echo one ${{SALT}} > /one
            RUN echo two ${{SALT}} > /two
            RUN echo three ${{SALT}} > /three
"""


class TokenRegistry(Distribution):
    """The registry that trusts a token server; its own questions are asked with full rights."""

    def __init__(self, state_dir, tokens):
        super().__init__(state_dir, auth=tokens.settings)
        self.tokens_of = tokens

    def _authorization(self, path, password):
        repository = path.removeprefix("/v2/")
        for end in ("/manifests/", "/blobs/", "/tags/"):
            repository = repository.partition(end)[0]
        return "Bearer " + self.tokens_of.make_token([f"repository:{repository}:pull,push"])


@pytest.fixture
def make_registry(tmp_path):
    """Makes a registry with a token server: make_registry({'team/*': 'pull,push'}, life=1)."""
    running = []

    def make(rights, **options):
        server = TokenServer(tmp_path, rights, **options)
        context = server.running()
        context.__enter__()
        registry = TokenRegistry(tmp_path, server).start()
        running.append((registry, context))
        return registry

    yield make
    for registry, context in running:
        registry.stop(purge=True)
        context.__exit__(None, None, None)


def connect(freshet, registry, *options, address=None, name="prod"):
    server = registry.tokens_of
    freshet.run(
        "registry", "add", name, "--domain", address or registry.address,
        "--username", server.username, "--password-stdin", "--token-server", server.address,
        *options, stdin=server.password,
    )


def push(freshet, local_image, prefix):
    return freshet.run_pipeline(BUILD, vars={"BASE": local_image, "SALT": prefix})


def results(freshet, *arguments):
    tested = freshet.json("registry", "test", *arguments, check=False)
    return {check["name"]: check["result"] for check in tested["checks"]}


# --- rights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key_by", ["x5c", "kid"])
def test_a_push_asks_for_the_rights_that_it_needs_and_no_more(
    freshet, make_registry, local_image, prefix, key_by
):
    registry = make_registry({"team/*": "pull,push"}, key_by=key_by)
    connect(freshet, registry, "--prefix", "team", "--default")

    run = push(freshet, local_image, prefix)

    assert run.result == "success", run
    assert registry.tags("team/app") == ["v1"]
    asked = {scope for one in registry.tokens_of.issued for scope in one.asked}
    assert asked <= {"repository:team/app:pull", "repository:team/app:pull,push"}
    assert len(registry.tokens_of.issued) <= 3  # not one for each request


def test_every_check_passes_with_all_rights_and_the_password_is_kept_nowhere(
    freshet, make_registry
):
    registry = make_registry({"team/*": "pull,push"})
    connect(freshet, registry, "--prefix", "team")

    assert results(freshet, "prod") == ALL_PASSED
    assert files_that_hold(freshet.data_dir, forms_of(registry.tokens_of.password)) == []


def test_a_right_to_pull_alone_is_told_by_the_test_and_by_the_push(
    freshet, make_registry, local_image, prefix
):
    registry = make_registry({"team/*": "pull"})
    connect(freshet, registry, "--prefix", "team", "--default")

    found = results(freshet, "prod")
    tested = freshet.run("registry", "test", "prod", check=False)
    run = push(freshet, local_image, prefix)

    assert (found["credentials"], found["pull"], found["push"]) == ("passed", "passed", "failed")
    assert f"pushing to '{registry.address}/team/freshet-connection-test' is not allowed" in (
        tested.stdout
    )
    error = run["build"].error
    assert error["code"] == "upstream_denied", run
    assert "team/app" in error["message"] + str(error["context"])
    assert registry.tags("team/app") == []


def test_no_right_at_all_is_told_with_the_registrys_words(freshet, make_registry, local_image):
    registry = make_registry({"team/*": "pull,push"})
    connect(freshet, registry)

    done = freshet.run("image", "copy", f"{registry.address}/other/app:1",
                       f"{registry.address}/team/app:1", check=False)

    assert done.returncode == 1, done
    assert "other/app" in done.stderr
    assert "UNAUTHORIZED" in done.stderr


def test_wrong_credentials_are_told(freshet, make_registry):
    registry = make_registry({"*": "pull,push"})
    connect(freshet, registry)
    freshet.run("registry", "set-password", "prod", "--password-stdin", stdin="wr0ng-pass-word")

    tested = freshet.run("registry", "test", "prod", check=False)

    assert tested.returncode == 1
    assert f"'{registry.address}' refused the credentials of user 'robot'" in tested.stdout
    assert not holds(tested.stdout + tested.stderr, forms_of("wr0ng-pass-word"))
    assert registry.tokens_of.refused > 0


def test_a_mount_from_another_repository_asks_for_both(
    freshet, make_registry, local_image, prefix
):
    registry = make_registry({"team/*": "pull,push"})
    connect(freshet, registry, "--prefix", "team", "--default")
    assert push(freshet, local_image, prefix).result == "success"
    before = len(registry.tokens_of.issued)

    copied = freshet.json("image", "copy", f"{registry.address}/team/app:v1",
                          f"{registry.address}/team/again:v1")

    assert copied["bytes_sent"] == 0, copied
    assert copied["digest"] == registry.manifest("team/again", "v1").digest
    asked = [set(one.asked) for one in registry.tokens_of.issued[before:]]
    assert {"repository:team/again:pull,push", "repository:team/app:pull"} in asked


# --- expiry -----------------------------------------------------------------------------------


class Hold:
    """Before the registry: the first request of a kind waits until its token has expired.

    The client believes in its token, so that only the registry's refusal can tell it.
    """

    def __init__(self, registry, is_held):
        self.registry = registry
        self.is_held = is_held
        self.held = []
        self.refused = []

    def answer(self, request):
        if not self.held and request.bearer and self.is_held(request):
            self.held.append((request.method, request.path))
            self.wait_for_expiry()
        answer = pass_on(request, self.registry.address)
        if answer.status == 401 and request.bearer:
            self.refused.append((request.method, request.path))
        return answer

    def wait_for_expiry(self):
        """Until the registry takes none of the tokens so far; those that follow live long."""
        tokens = self.registry.tokens_of
        tokens.life, last = 300, max(one.good_until for one in tokens.issued)
        wait_for(lambda: time.time() > last + 1, "the end of a token")  # it counts whole seconds


def is_upload_start(request):
    return request.method == "POST"


def is_upload_data(request):
    return request.method in ("PATCH", "PUT") and "/blobs/uploads/" in request.path


def is_commit(request):
    return request.method == "PUT" and "/blobs/uploads/" in request.path


def is_manifest_put(request):
    return request.method == "PUT" and "/manifests/" in request.path


def is_look(request):
    return request.method == "HEAD"


HELD = [is_look, is_upload_start, is_upload_data, is_commit, is_manifest_put]


@pytest.mark.parametrize("is_held", HELD, ids=lambda one: one.__name__)
def test_a_push_whose_token_expires_in_the_middle_goes_on(
    freshet, make_registry, local_image, prefix, is_held
):
    registry = make_registry({"team/*": "pull,push"}, life=2, told=300)
    hold = Hold(registry, is_held)
    with serve_requests(hold.answer) as address:
        connect(freshet, registry, "--prefix", "team", "--default", address=address)
        run = push(freshet, local_image, prefix)

    assert run.result == "success", run
    assert hold.held and hold.refused, (hold.held, hold.refused)
    manifest = registry.manifest("team/app", "v1")
    for digest in [manifest.body["config"]["digest"], *manifest.layers]:
        assert registry.request("HEAD", f"/v2/team/app/blobs/{digest}")[0] == 200


def is_blob_get(request):
    return request.method == "GET" and "/blobs/sha256:" in request.path


def is_manifest_get(request):
    return request.method == "GET" and "/manifests/" in request.path


@pytest.mark.parametrize("is_held", [is_manifest_get, is_blob_get], ids=lambda one: one.__name__)
def test_a_copy_whose_source_token_expires_goes_on(
    freshet, registry, make_registry, local_image, prefix, is_held
):
    source = make_registry({"team/*": "pull,push"}, life=300, told=300)
    connect(freshet, source, "--prefix", "team", "--default", name="direct")
    assert push(freshet, local_image, prefix).result == "success"
    digest = source.manifest("team/app", "v1").digest
    freshet.registry_add(registry, name="target", prefix=prefix, default=False)
    source.tokens_of.issued.clear()
    source.tokens_of.life = 1
    hold = Hold(source, is_held)

    with serve_requests(hold.answer) as address:
        connect(freshet, source, address=address, name="held")
        freshet.run(
            "image", "copy", f"{address}/team/app:v1", f"{registry.address}/{prefix}/app:v1"
        )

    assert hold.held and hold.refused, (hold.held, hold.refused)
    assert registry.manifest(f"{prefix}/app", "v1").digest == digest


class Pause(Hold):
    """Keeps the answer to the first request of a kind back until the token has expired."""

    def answer(self, request):
        answer = super().answer(request)
        if request.bearer and is_commit(request) and not self.held:
            self.held.append((request.method, request.path))
            self.wait_for_expiry()
        return answer


def test_a_token_that_tells_its_short_life_is_renewed_before_the_registry_refuses_it(
    freshet, make_registry, local_image, prefix
):
    registry = make_registry({"team/*": "pull,push"}, life=4, told=3)
    pause = Pause(registry, lambda request: False)
    with serve_requests(pause.answer) as address:
        connect(freshet, registry, "--prefix", "team", "--default", address=address)
        run = push(freshet, local_image, prefix)

    assert run.result == "success", run
    assert pause.held and pause.refused == []
    pushing = [one for one in registry.tokens_of.issued if "push" in str(one.asked)]
    assert len(pushing) >= 2
