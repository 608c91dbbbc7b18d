# SPDX-License-Identifier: Apache-2.0
"""Registries that are not as the engine expects them: own certificates, mirrors, old formats."""

import json
import secrets
import ssl
import urllib.error
import urllib.request
from base64 import b64encode

from .commands import run
from .process import OwnProcess
from .registry import MANIFEST_TYPES, REQUEST
from .servers import free_port
from .waiting import wait_for


class OwnRegistry(OwnProcess):
    """docker-registry with settings of the test's own.

    certificate: a directory with cert.pem and key.pem, to serve https.
    has_login: whether it asks for one.
    more: further settings, lines of its configuration.
    storage: a directory of images, those of another registry too.
    clients: the certificate of the authority that clients must have theirs from.
    """

    username = "keeper"

    def __init__(
        self, directory, host="127.0.0.1", certificate=None, has_login=True, more="", storage=None,
        clients=None,
    ):
        self.directory = directory
        self.directory.mkdir(parents=True)
        self.address = f"{host}:{free_port(host)}"
        self.certificate = certificate
        self.password = secrets.token_hex(12) if has_login else None
        self._log = directory / "log"
        lines = [
            "version: 0.1",
            "log: {level: info, formatter: text}",
            "storage:",
            f"  filesystem: {{rootdirectory: {storage or directory / 'data'}}}",
            "  delete: {enabled: true}",
            "http:",
            f"  addr: {self.address}",
        ]
        if certificate:
            checks = f", clientcas: ['{clients}']" if clients else ""
            pair = f"certificate: {certificate}/cert.pem, key: {certificate}/key.pem"
            lines += [f"  tls: {{{pair}{checks}}}"]
        if has_login:
            lines += [f"auth: {{htpasswd: {{realm: own, path: {directory}/htpasswd}}}}"]
        (directory / "config.yml").write_text("\n".join([*lines, more]) + "\n")
        if has_login:
            entry = run("htpasswd", "-niB", self.username, stdin=self.password).stdout.strip()
            (directory / "htpasswd").write_text(entry + "\n")

    def start(self):
        self.run("docker-registry", "serve", self.directory / "config.yml", log=self._log)
        wait_for(self._answers, f"the registry at {self.address}")
        return self

    @property
    def log(self):
        return self._log.read_text()

    def requests(self, path=""):
        return [(method, where) for method, where in REQUEST.findall(self.log)
                if where.startswith(path)]

    def request(self, method, path, body=None, headers=None):
        """Returns (status, headers, body as bytes)."""
        scheme = "https" if self.certificate else "http"
        url = path if "://" in path else f"{scheme}://{self.address}{path}"
        request = urllib.request.Request(url, body, headers or {}, method=method)
        if self.password:
            login = b64encode(f"{self.username}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        context = self._tls_context() if self.certificate else None
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers, refusal.read()

    def manifest(self, name, tag):
        """(digest, manifest) of an image; (None, None) when it is not there."""
        status, headers, body = self.request(
            "GET", f"/v2/{name}/manifests/{tag}", headers={"Accept": MANIFEST_TYPES}
        )
        if status != 200:
            return None, None
        return headers["Docker-Content-Digest"], json.loads(body)

    def put_blob(self, name, content, digest):
        status, headers, body = self.request("POST", f"/v2/{name}/blobs/uploads/")
        assert status == 202, body
        where = headers["Location"]
        where += ("&" if "?" in where else "?") + f"digest={digest}"
        status, _, body = self.request(
            "PUT", where, content, {"Content-Type": "application/octet-stream"}
        )
        assert status == 201, body

    def put_manifest(self, name, tag, manifest):
        status, _, body = self.request(
            "PUT", f"/v2/{name}/manifests/{tag}", json.dumps(manifest).encode(),
            {"Content-Type": manifest["mediaType"]},
        )
        assert status == 201, body

    def take_image(self, registry, source, name, *options):
        """Copies an image of the tests' registry here as 'repository:tag'; the full reference."""
        login = ["--dest-creds", f"{self.username}:{self.password}"] if self.password else []
        run(
            "skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false",
            "--src-authfile", registry.docker_config() / "config.json", *login, *options,
            f"docker://{source}", f"docker://{self.address}/{name}",
        )
        return f"{self.address}/{name}"

    def manifest_size(self, name, reference):
        status, headers, _ = self.request(
            "HEAD", f"/v2/{name}/manifests/{reference}", headers={"Accept": MANIFEST_TYPES}
        )
        assert status == 200
        return int(headers["Content-Length"])

    def _tls_context(self):
        context = ssl._create_unverified_context()
        context.load_cert_chain(self.certificate / "cert.pem", self.certificate / "key.pem")
        return context

    def _answers(self):
        assert self.process.poll() is None, self.log
        try:
            return self.request("GET", "/v2/")[0] == 200
        except (OSError, urllib.error.URLError):
            return False
