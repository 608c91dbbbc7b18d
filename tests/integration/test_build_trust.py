# SPDX-License-Identifier: Apache-2.0
"""When an image of the very same inputs is not believed in, or not kept as one."""

import threading
import time

import pytest

from support.app import PIPELINE, App
from support.freshet import Freshet
from support.pipelines import with_fields


def was_built(run):
    return any(line.startswith("Built ") for line in run["build"].log)


@pytest.fixture
def another(binary, tmp_path, engine):
    """The binary with another empty data directory."""
    (tmp_path / "another").mkdir()
    runner = Freshet(binary, tmp_path / "another", engine)
    yield runner
    runner.close()


def test_an_image_that_only_its_tag_calls_the_same_is_built(
    caching, another, local_image, files, registry, engine, prefix
):
    """Whoever may push there could put anything under the key of a build."""
    another.registry_add(registry, prefix=prefix, cache=True)
    app = App(caching, local_image, files)
    app()
    (record,) = caching.json("image", "list")["images"]
    engine.put_image(local_image, registry, f"{prefix}/app:{record['hash']}")

    run = app(freshet=another)

    assert was_built(run)
    assert (
        f"warning: {registry.address}/{prefix}/app:{record['hash']} is not what a build of the "
        "same makes, whatever its tag says"
    ) in run["build"].log
    (built,) = another.json("image", "list")["images"]
    assert built["hash"] == record["hash"]
    assert not was_built(app(freshet=another)), "the tag is right again"


def test_a_build_whose_context_changed_meanwhile_keeps_no_key(connected, local_image, files):
    dockerfile = "ARG BASE\nFROM ${BASE}\nCOPY . /src\nRUN sleep 4\n"
    app = App(connected, local_image, {**files, "Dockerfile": dockerfile})
    is_changed = threading.Event()

    def change():
        """Once the builder has had its copy of the context."""
        runs = connected.data_dir / "runs"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            logs = [path.read_text() for path in runs.glob("*/logs/*build.log")]
            found = list(runs.glob("*/state/volume/**/b.txt"))
            if found and any("RUN sleep 4 started" in log for log in logs):
                found[0].write_text("something else")
                is_changed.set()
                return
            time.sleep(0.05)

    meanwhile = threading.Thread(target=change)
    meanwhile.start()
    run = app()
    meanwhile.join()

    assert is_changed.is_set()
    line = "The context changed while the image was built: its key is not kept"
    assert line in run["build"].log
    (record,) = connected.json("image", "list")["images"]
    assert not record.get("hash")


def test_a_target_that_takes_no_image_is_not_built_for(
    freshet, local_image, files, registry, disposable_registry, prefix
):
    """It would not take that of a build either."""
    freshet.registry_add(disposable_registry, name="target", prefix=prefix)
    freshet.registry_add(registry, name="cache", prefix=prefix, default=False, cache=True)
    pipeline = with_fields(PIPELINE, {"registry": "target"})
    app = App(freshet, local_image, files, pipeline)
    app()
    disposable_registry.stop()

    run = freshet.run_repository(app.repository, {"BASE": local_image, "TAG": "v2"})

    assert run.result == "failure", run
    assert not run["build"].vertices
    assert "building after all" not in run["build"].text
