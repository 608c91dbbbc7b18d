# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks stand on: an engine, a base image, the binary, and docker as the peer."""

import io
import os
import shutil
import sys
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.commands import run  # noqa: E402
from support.engine import Engine, UnixConnection  # noqa: E402
from support.freshet import Freshet  # noqa: E402
from support.paths import freshet_binary  # noqa: E402
from support.pipeline_run import PipelineRun  # noqa: E402

from measure import Report, run_process  # noqa: E402

DOCKER = "/usr/bin/docker"
BASE_IMAGE = "freshet-bench/base:1"


class Stage:
    """An engine, and a directory in which everything lies that a benchmark makes."""

    def __init__(self, directory, engine):
        self.directory = directory
        self.engine = engine
        self.freshet = Freshet(freshet_binary(), directory / "freshet", engine)
        self.images = set()

    def report(self, benchmark, what):
        engine = self.engine.get("/version")["Version"]
        client = run(DOCKER, "--version").stdout.split()[2].rstrip(",")
        load = os.getloadavg()[0]
        machine = {"CPUs": os.cpu_count(), "load": f"{load:.1f}"}
        return Report(benchmark, what, {**machine, "engine": engine, "docker": client})

    # --- the engine -----------------------------------------------------------------------

    def import_base_image(self):
        """A static busybox and nothing else, straight into the engine."""
        archive = self.directory / "base.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(shutil.which("busybox"), "bin/busybox")
            for applet in run("busybox", "--list").stdout.split():
                if applet != "busybox":
                    link = tarfile.TarInfo(f"bin/{applet}")
                    link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                    tar.addfile(link, io.BytesIO())
        self.docker("import", "--change", "ENV PATH=/bin", archive, BASE_IMAGE)
        self.images.add(BASE_IMAGE)
        return BASE_IMAGE

    def forget_builds(self):
        """Removes the images that were built and all that the builder keeps, then lets the disk
        rest: the next build of either side finds nothing and pays for nobody's removal."""
        for image in self.images - {BASE_IMAGE}:
            self.engine.remove_image(image)
        connection = UnixConnection(self.engine.socket_path)
        connection.timeout = 600  # a disk that is busy removes slowly
        connection.request("POST", "/build/prune?all=1")
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.status == 200, body
        os.sync()

    def close(self):
        """Removes the images, for the engine may not be ours."""
        for image in self.images:
            self.engine.remove_image(image)

    # --- the peer -------------------------------------------------------------------------

    def docker(self, *arguments):
        """Debian's docker, with BuildKit and no settings of the user's; measured."""
        config = self.directory / "docker-config"
        config.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "DOCKER_CONFIG": str(config),
            "DOCKER_BUILDKIT": "1",
        }
        command = [DOCKER, "--host", self.engine.endpoint, *arguments]
        return run_process(command, env=environment, with_stderr=True)

    def docker_build(self, context, image):
        self.images.add(image)
        return self.docker("build", "--progress", "plain", "--tag", image, context)

    # --- ours -----------------------------------------------------------------------------

    def run_pipeline(self, directory, *arguments):
        """Runs the codefresh.yml of the directory; returns the process and what it told."""
        command = self.freshet.command("run", directory, "--progress", "json", *arguments)
        process = run_process(command, env=self.freshet.environment(), cwd=self.directory)
        told = PipelineRun(command, process.returncode, process.output, "")
        assert told.result == "success", told
        self.images |= {image_id(event) for event in told.events if event["event"] == "image"}
        return process, told


@contextmanager
def open_stage():
    """$FRESHET_TEST_ENGINE names an engine to use; without it one is started and ended."""
    if not freshet_binary().exists():
        raise SystemExit(f"there is no {freshet_binary()}: build it first, with scripts/build")
    with tempfile.TemporaryDirectory(prefix="freshet-bench-") as name:
        directory = Path(name)
        own = "FRESHET_TEST_ENGINE" not in os.environ
        engine = Engine(directory / "engine", os.environ.get("FRESHET_TEST_ENGINE"))
        if own:
            engine.start()
        stage = Stage(directory, engine)
        try:
            yield stage
        finally:
            stage.close()
            if own:
                engine.stop(purge=True)


def step_milliseconds(told, step):
    """How long a step took, by its own event."""
    for event in told.events:
        if event["event"] == "step_finished" and event["step"] == step:
            return event["duration_ms"]
    raise AssertionError(f"step '{step}' did not finish: {told!r}")


def vertex_milliseconds(told, name):
    """How long a part of a build took; 0 when the builder had no need to run it."""
    return max(
        event["duration_ms"]
        for event in told.events
        if event["event"] == "vertex" and event["name"] == name and event["state"] == "completed"
    )


def image_id(event):
    """Of an event 'image'."""
    return event["image"]["internal_image_id"]
