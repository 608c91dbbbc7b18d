# SPDX-License-Identifier: Apache-2.0
"""A Docker engine of the tests' own, and questions to it."""

import http.client
import json
import os
import signal
import socket
import time
from pathlib import Path
from urllib.parse import quote

from .commands import run
from .paths import SCRIPTS
from .servers import free_port
from .waiting import wait_for


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    """An engine at a unix socket.

    With a state directory it is ours: started and ended through scripts/engine. With an endpoint
    it was there before, and start, stop and kill are not for us to call.

    authority: a certificate authority; the engine then listens at 'tls_endpoint' too, for clients
    that show a certificate of it.
    options: further words for dockerd.
    """

    def __init__(self, state_dir=None, endpoint=None, authority=None, options=()):
        self.options = options
        self.state_dir = state_dir
        self.endpoint = endpoint
        self.authority = authority
        self.tls_endpoint = None

    def _script(self, *arguments):
        assert self.state_dir, f"the engine at {self.endpoint} is not the tests' own"
        env = {**os.environ, "FRESHET_DEMO_DIR": str(self.state_dir)}
        if self.options:
            env["FRESHET_DOCKERD_OPTIONS"] = " ".join(self.options)
        return run(SCRIPTS / "engine", *arguments, env=env).stdout.strip()

    def start(self):
        """Starts it; after a kill too, with the images that it had."""
        options = []
        if self.authority:
            port = free_port()
            options = ["--tls", port, self.authority.issue("engine")]
            self.tls_endpoint = f"tcp://127.0.0.1:{port}"
        self.endpoint = self._script("start", "--own", *options)
        return self

    def stop(self, purge=False):
        self._script("stop", *(["--purge"] if purge else []))

    def kill(self):
        """SIGKILL to dockerd alone, as if it had crashed: its containers and containerd stay."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.answers(), f"the end of dockerd, process {pid}")

    def restart(self):
        self.stop()
        return self.start()

    @property
    def socket_path(self):
        assert self.endpoint.startswith("unix://"), self.endpoint
        return self.endpoint.removeprefix("unix://")

    @property
    def pid(self):
        return int((Path(self.socket_path).parent / "dockerd.pid").read_text())

    def answers(self):
        try:
            return self.request("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def request(self, method, path):
        """Returns (status, body); the body is parsed where it is JSON."""
        connection = UnixConnection(self.socket_path)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(body or "null") if is_json else body

    def get(self, path):
        status, body = self.request("GET", path)
        assert status == 200, f"GET {path}: {status} {body}"
        return body

    def containers(self, label=None):
        """All of them, the stopped too; label: only those that carry it ('key' or 'key=value')."""
        return self.get("/containers/json?all=1" + _label_filter(label, "&"))

    def networks(self, label=None):
        """Those that somebody made: not bridge, host and none."""
        listed = self.get("/networks" + _label_filter(label, "?"))
        return [one for one in listed if one["Name"] not in ("bridge", "host", "none")]

    def volumes(self, label=None):
        return self.get("/volumes" + _label_filter(label, "?"))["Volumes"] or []

    def image(self, reference):
        """What the engine says about an image, or None when it has none of that name."""
        status, body = self.request("GET", f"/images/{quote(reference)}/json")
        return body if status == 200 else None

    def image_events(self, since):
        """What was done with images since that time (as time.time() gives it)."""
        connection = UnixConnection(self.socket_path)
        try:
            connection.request("GET", f"/events?since={since:.6f}&until={time.time():.6f}")
            lines = connection.getresponse().read().decode().splitlines()
        finally:
            connection.close()
        events = [json.loads(line) for line in lines if line.strip()]
        return [event for event in events if event["Type"] == "image"]

    @property
    def bridge_address(self):
        """An address of this machine that is no loopback address."""
        return self.get("/networks/bridge")["IPAM"]["Config"][0]["Gateway"]

    def put_image(self, source, registry, name):
        """Pushes an image as 'repository:tag' to the tests' registry, and keeps no such name here.

        source: an image that the engine or the registry has.
        """
        reference = f"{registry.address}/{name}"
        if self.image(source) is None:
            self.docker("pull", "--quiet", source, config=registry.docker_config())
        self.docker("tag", source, reference)
        self.docker("push", "--quiet", reference, config=registry.docker_config())
        self.remove_image(reference)
        return reference

    def remove_image(self, reference):
        self.request("DELETE", f"/images/{quote(reference)}?force=1")

    def empty(self):
        """Removes all images and all that the builder keeps, as if it were new."""
        status, body = self.request("POST", "/build/prune?all=1")
        assert status == 200, body
        # containerd removes content with the last image that needed it, if nobody else does then.
        for image in self.get("/images/json"):
            self.remove_image(image["Id"])
        assert self.get("/images/json") == []

    def docker(self, *arguments, config=None, **options):
        """Runs Debian's docker CLI; config: a directory with a config.json for the registry."""
        where = ["--config", config] if config else []
        return run("/usr/bin/docker", *where, "-H", self.endpoint, *arguments, **options)


def _label_filter(label, separator):
    if label is None:
        return ""
    return f"{separator}filters=" + quote(json.dumps({"label": [label]}))
