# SPDX-License-Identifier: Apache-2.0
"""Builds on an engine whose own cache is empty: they take layers of past images."""

import textwrap
import threading
from types import SimpleNamespace

import pytest

from support.app import PIPELINE, App
from support.commands import run as run_program
from support.freshet import Freshet
from support.front import pass_on
from support.own_registry import OwnRegistry
from support.servers import Answer, Authority, serve_requests

# What it gives differs from run to run: equal layers were not made twice.
DOCKERFILE = """\
ARG BASE
FROM ${BASE}
RUN sleep 1.2; head -c 2000 /dev/urandom > /dependency
COPY a.txt /a
RUN cat /a > /b
"""
NONE = "No previous built image serves as cache"


def previous(run):
    """The lines about past images, in their order."""
    words = ("Pulling previous", "Previous built", NONE, "warning: cannot use", "warning: building")
    return [line for line in run["build"].log if line.startswith(words)]


def cached(run):
    """How many instructions were cached, of how many."""
    (line,) = [line for line in run["build"].log if line.startswith("Built ")]
    words = line.partition(": ")[2].split()
    return int(words[0]), int(words[2])


def duration_of(run):
    """Of the build step, in seconds."""
    (ended,) = [e for e in run.events if e["event"] == "step_finished" and e["step"] == "build"]
    return ended["duration_ms"] / 1000


def change(app, text):
    return app.commit({"a.txt": text * 1000})


def run_git(app, *arguments):
    run_program("git", "-C", app.repository.path, *arguments)


def layers(registry, repository, tag):
    return registry.manifest(repository, tag).layers


@pytest.fixture
def clean(binary, tmp_path, disposable_engine):
    """The binary on an engine that the test may empty."""
    runner = Freshet(binary, tmp_path, disposable_engine)
    yield runner
    runner.close()


@pytest.fixture
def app(clean, registry, base_image, files, prefix):
    clean.registry_add(registry, prefix=prefix)
    return App(clean, base_image, {**files, "Dockerfile": DOCKERFILE})


# --- what is reused ---------------------------------------------------------------------------


def test_an_emptied_engine_takes_unchanged_layers_of_a_past_image(app, registry, prefix):
    first = app()
    assert previous(first) == [NONE]
    images = [registry.manifest(f"{prefix}/app", "v1")]

    for tag in ("v2", "v3", "v4"):  # the later ones are past images that took layers themselves
        change(app, tag)
        app.freshet.engine.empty()
        run = app()

        # BuildKit before 0.9 offers no layer that it did not make itself: then it is the first.
        names = [f"{registry.address}/{prefix}/app@{image.digest}" for image in images]
        (told,) = previous(run)
        assert told in [f"Pulling previous built image: {name} to use it as cache" for name in names]
        (covers,) = [line for line in run["build"].log if line.startswith("It spares ")]
        assert covers.startswith("It spares 1 of 3 instructions, 1."), covers
        assert covers.endswith(": more than any other past image (of branch 'main')"), covers
        assert cached(run) == (1, 3)
        images.append(registry.manifest(f"{prefix}/app", tag))
        assert images[-1].layers[:2] == images[0].layers[:2]
        assert images[-1].layers[2] != images[0].layers[2]


def test_an_image_that_the_engine_has_is_not_pulled(app, registry, prefix):
    app()
    digest = registry.manifest(f"{prefix}/app", "v1").digest

    run = change(app, "v2")()

    name = f"{registry.address}/{prefix}/app@{digest}"
    assert previous(run) == [f"Previous built image: {name} exists on the daemon, used as cache"]
    assert cached(run) == (1, 3)


@pytest.mark.parametrize(
    ("switch", "is_cached"), [("--no-cf-cache", True), ("--no-cache", False)]
)
def test_a_switch_keeps_past_images_out(app, switch, is_cached):
    app()

    run = app(switch)

    assert previous(run) == []
    assert cached(run) == ((3, 3) if is_cached else (0, 3))
    app.freshet.engine.empty()
    assert cached(change(app, "v3")(switch)) == (0, 3)


def test_an_image_keeps_its_digest_when_it_is_built_again_of_the_same(app, registry, prefix):
    """What is added for later builds says nothing of the run that added it."""
    app()
    app("--no-cf-cache")

    first, second = (registry.manifest(f"{prefix}/app", tag) for tag in ("v1", "v2"))
    assert first.digest == second.digest
    (record,) = app.freshet.json("image", "list")["images"]
    assert f"sha256:{record['internal_image_id']}" == first.body["config"]["digest"]
    assert "moby.buildkit.cache.v0" in registry.config(f"{prefix}/app", "v1")


def test_without_a_registry_an_image_is_as_docker_builds_it(clean, registry, base_image, files):
    clean.engine.docker("pull", "--quiet", base_image, config=registry.docker_config())
    clean.engine.docker("tag", base_image, "local-base:1")
    run = App(clean, "local-base:1", {**files, "Dockerfile": DOCKERFILE})()

    assert previous(run) == []


TOOLS = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: tools
        tag: '${{TAG}}'
        target: tools
        build_arguments: ['BASE=${{BASE}}']
"""
TWO_STAGES = """\
ARG BASE
FROM ${BASE} AS tools
RUN sleep 1.2; head -c 2000 /dev/urandom > /tool
FROM ${BASE}
RUN sleep 1.5; head -c 2000 /dev/urandom > /dependency
COPY a.txt /a
COPY --from=tools /tool /tool
"""


def test_images_of_two_branches_serve_together(clean, registry, base_image, files, prefix):
    """The one has the tools, the other the dependency."""
    clean.registry_add(registry, prefix=prefix)
    app = App(clean, base_image, {**files, "Dockerfile": TWO_STAGES}, TOOLS)
    app()
    run_git(app, "checkout", "-q", "-b", "other")
    app.commit({"codefresh.yml": textwrap.dedent(PIPELINE)})
    app()

    run_git(app, "checkout", "-q", "-b", "third")
    change(app, "v3")
    clean.engine.empty()
    run = app()

    places = [
        f"{registry.address}/{prefix}/{name}@{registry.manifest(f'{prefix}/{name}', tag).digest}"
        for name, tag in (("app", "v2"), ("tools", "v1"))
    ]
    assert previous(run) == [
        f"Pulling previous built image: {place} to use it as cache" for place in places
    ]
    covers = [line for line in run["build"].log if line.startswith("It spares ")]
    assert covers[0].endswith(": more than any other past image (of branch 'other')"), covers
    assert covers[1].endswith(": beyond those before it (of branch 'main')"), covers
    assert cached(run) == (2, 4)
    past, built = (layers(registry, f"{prefix}/app", tag) for tag in ("v2", "v3"))
    assert (built[1], built[3]) == (past[1], past[3])
    assert built[2] != past[2]


def test_a_registry_that_the_engine_does_not_trust_serves_as_well(
    clean, registry, base_image, files, prefix, tmp_path
):
    authority = Authority(tmp_path / "authority")
    own = OwnRegistry(tmp_path / "own", certificate=authority.issue("registry"))
    own.start()
    try:
        clean.run(
            "registry", "add", "own", "--domain", own.address, "--ca", authority.certificate,
            "--default", "--prefix", prefix, "--username", own.username, "--password-stdin",
            stdin=own.password,
        )
        clean.registry_add(registry, name="base", default=False)
        app = App(clean, base_image, {**files, "Dockerfile": DOCKERFILE})
        app()
        change(app, "v2")
        clean.engine.empty()

        run = app()
    finally:
        own.stop()

    (told,) = previous(run)
    assert told.startswith(f"Pulling previous built image: {own.address}/{prefix}/app@"), run
    assert cached(run) == (1, 3)


# --- trouble ----------------------------------------------------------------------------------


def test_an_image_that_was_deleted_in_the_registry_is_left_out(app, registry, prefix):
    app()
    name = f"{registry.address}/{prefix}/app@{registry.manifest(f'{prefix}/app', 'v1').digest}"
    registry.remove(f"{prefix}/app", "v1")
    change(app, "v2")
    app.freshet.engine.empty()

    run = app()

    assert previous(run) == [
        f"warning: cannot use {name} as cache: its registry does not have it any more", NONE
    ]
    assert cached(run) == (0, 3)
    change(app, "v3")
    app.freshet.engine.empty()
    assert cached(app()) == (1, 3)


def test_a_caching_registry_that_is_down_leaves_the_copy_that_was_pushed(
    clean, registry, disposable_registry, base_image, files, prefix
):
    clean.registry_add(registry, prefix=prefix)
    clean.registry_add(disposable_registry, name="cache", default=False, cache=True)
    app = App(clean, base_image, {**files, "Dockerfile": DOCKERFILE})
    app()
    change(app, "v2")
    clean.engine.empty()
    assert f"Pulling previous built image: {disposable_registry.address}/" in app()["build"].text

    disposable_registry.stop()
    change(app, "v3")
    clean.engine.empty()
    run = app()

    assert f"warning: cannot use {disposable_registry.address}/" in run["build"].text
    assert f"Pulling previous built image: {registry.address}/" in run["build"].text
    assert cached(run) == (1, 3)


class Front:
    """Passes requests on to a registry, but for some that it answers itself."""

    def __init__(self, registry):
        self.registry = registry
        self.trouble = None  # of GET requests for blobs: request -> Answer, or None

    def __call__(self, request):
        if self.trouble and request.method == "GET" and "/blobs/" in request.path:
            answer = self.trouble(request)
            if answer is not None:
                return answer
        return pass_on(request, self.registry.address)


@pytest.fixture
def front(backend):
    front = Front(backend)
    with serve_requests(front) as address:
        front.address = address
        yield front


@pytest.fixture
def behind(clean, front, backend, registry, base_image, files, prefix):
    """An app whose images are pushed through the front."""
    place = SimpleNamespace(
        address=front.address, username=backend.username, password=backend.password
    )
    clean.registry_add(place, prefix=prefix)
    clean.registry_add(registry, name="base", default=False)
    return App(clean, base_image, {**files, "Dockerfile": DOCKERFILE})


def test_a_layer_that_does_not_come_holds_up_a_build_for_seconds(behind, front, backend, prefix):
    first = behind()
    config = backend.manifest(f"{prefix}/app", "v1").body["config"]["digest"]
    is_over = threading.Event()

    def hang(request):
        if not request.path.endswith(config):
            is_over.wait(60)
        return None

    front.trouble = hang
    change(behind, "v2")
    behind.freshet.engine.empty()
    run = behind()
    is_over.set()

    assert "warning: building without " in run["build"].text, run
    assert cached(run) == (0, 3)
    assert duration_of(run) < duration_of(first) + 15  # 5 seconds, on a busy machine
    front.trouble = None
    change(behind, "v3")
    behind.freshet.engine.empty()
    assert cached(behind()) == (1, 3)


@pytest.mark.parametrize("answer", [Answer(404), Answer(200, b"something else")])
def test_a_layer_that_is_gone_or_damaged_is_built(behind, front, backend, prefix, answer):
    behind()
    config = backend.manifest(f"{prefix}/app", "v1").body["config"]["digest"]
    front.trouble = lambda request: None if request.path.endswith(config) else answer
    change(behind, "v2")
    behind.freshet.engine.empty()

    run = behind()

    assert "warning: building without " in run["build"].text, run
    assert cached(run) == (0, 3)
    layer = backend.manifest(f"{prefix}/app", "v2").layers[1]
    assert layer != backend.manifest(f"{prefix}/app", "v1").layers[1]


def test_a_registry_that_is_silent_holds_up_a_build_for_seconds(behind, front):
    """Also where the builder itself would wait for ever: with the configuration."""
    first = behind()
    is_over = threading.Event()

    def hang(_):
        is_over.wait(60)

    front.trouble = hang
    change(behind, "v2")
    behind.freshet.engine.empty()

    run = behind()
    is_over.set()

    assert f"waiting for {front.address} took too long" in run["build"].text, run
    assert NONE in run["build"].log
    assert duration_of(run) < duration_of(first) + 15


def test_what_a_registry_has_in_its_place_is_not_used(behind, front, backend, prefix):
    behind()
    config = backend.manifest(f"{prefix}/app", "v1").body["config"]["digest"]
    front.trouble = lambda request: Answer(200, b"{}") if request.path.endswith(config) else None
    change(behind, "v2")
    behind.freshet.engine.empty()

    run = behind()

    assert "warning: cannot use " in run["build"].text, run
    assert cached(run) == (0, 3)
