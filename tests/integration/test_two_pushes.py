# SPDX-License-Identifier: Apache-2.0
"""Two programs, as two jobs of one machine are, that push the same image to one repository."""

import threading
from contextlib import contextmanager

import pytest

from support.front import pass_on
from support.own_registry import OwnRegistry
from support.servers import serve_requests
from support.waiting import wait_for

PUSH = """
    version: '1.0'
    steps:
      push:
        type: push
        candidate: '${{IMAGE}}'
        image_name: same
        tag: '${{TAG}}'
"""


class SlowRegistry:
    """Takes layers and does not answer before it is let go."""

    def __init__(self, registry):
        self.registry = registry
        self.is_let_go = threading.Event()
        self.layers_sent = []  # upload sessions

    def answer(self, request):
        if request.method == "PATCH":
            self.layers_sent.append(request.path)
            assert self.is_let_go.wait(60)
        return pass_on(request, self.registry.address)

    @contextmanager
    def connected(self, freshet):
        with serve_requests(self.answer) as address:
            freshet.run(
                "registry", "add", "slow", "--domain", address, "--username", "anybody",
                "--default", "--password-stdin", stdin="anything",
            )
            yield
            self.is_let_go.set()


@pytest.fixture
def slow(tmp_path, freshet):
    backend = OwnRegistry(tmp_path / "slow", has_login=False).start()
    front = SlowRegistry(backend)
    with front.connected(freshet):
        yield front
    backend.stop()


def start_push(freshet, image, tag):
    repository = freshet.make_repository(PUSH, name=f"app-{tag}")
    return freshet.start_repository(repository, vars={"IMAGE": image, "TAG": tag})


def layers_of(engine, image):
    return engine.image(image)["RootFS"]["Layers"]


def test_the_second_waits_for_the_first_and_sends_nothing_again(
    freshet, engine, local_image, slow
):
    first = start_push(freshet, local_image, "first")
    wait_for(lambda: slow.layers_sent, "a layer of the first push")
    second = start_push(freshet, local_image, "second")
    second.wait_for_event("log", step="push", line="waits for another program that sends it to")

    slow.is_let_go.set()

    for run in (first.finish(), second.finish()):
        assert run.result == "success", run
    assert len(slow.layers_sent) == len(set(layers_of(engine, local_image)))
    assert not list((freshet.data_dir / "locks").glob("*.upload"))


def test_the_second_goes_on_when_the_first_is_killed(freshet, local_image, slow):
    first = start_push(freshet, local_image, "first")
    wait_for(lambda: slow.layers_sent, "a layer of the first push")
    second = start_push(freshet, local_image, "second")
    second.wait_for_event("log", step="push", line="waits for another program that sends it to")

    first.kill()
    first.finish()
    slow.is_let_go.set()

    run = second.finish()
    assert run.result == "success", run
    assert not list((freshet.data_dir / "locks").glob("*.upload"))
