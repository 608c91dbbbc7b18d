# SPDX-License-Identifier: Apache-2.0
"""A token server that a real docker-registry trusts: signed tokens (JWT, RS256), rights for each
user, any lifetime."""

import base64
import contextlib
import hashlib
import json
import secrets
import subprocess
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .commands import run
from .servers import json_answer, serve_requests

# How long docker-registry goes on to accept a token that has expired, for clocks that differ.
LEEWAY = 60


@dataclass
class Issued:
    """One token that was given out."""

    user: str
    asked: list  # scopes, as they were asked for
    access: list  # what of it was granted
    good_until: float  # when the registry begins to refuse it, as time.time() gives it


class TokenServer:
    """One user with a password and rights: {pattern of repositories: 'pull,push'}.

    life: how many seconds the registry accepts a token. told: the lifetime that the client is told
    (None: nothing). key_by: how tokens say by which key they are signed, 'x5c' or 'kid'.
    """

    service = "registry of the tests"
    issuer = "token server of the tests"
    username = "robot"

    def __init__(self, directory, rights, life=300, told=300, key_by="x5c"):
        self.directory = directory
        self.password = secrets.token_hex(12)
        self.rights = rights
        self.life = life
        self.told = told
        self.key_by = key_by
        self.issued = []
        self.refused = 0
        self.key = directory / "token-key.pem"
        self.certificate = directory / "token-cert.pem"
        run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=token server", "-keyout", self.key, "-out", self.certificate,
        )

    @contextlib.contextmanager
    def running(self):
        """Yields itself; 'address' and 'settings' are known then."""
        with serve_requests(self._answer) as self.address:
            yield self

    @property
    def settings(self):
        """The section 'auth' of a registry that trusts it."""
        return {
            "token": {
                "realm": f"http://{self.address}/token",
                "service": self.service,
                "issuer": self.issuer,
                "rootcertbundle": str(self.certificate),
            }
        }

    def make_token(self, scopes, user="tests"):
        """A token for exactly these scopes."""
        access = [self._access(scope, scope.rpartition(":")[2].split(",")) for scope in scopes]
        return self._sign(user, access, time.time() + 300)

    def _answer(self, request):
        if request.path != "/token" or request.method != "GET":
            return json_answer(404, {"details": "no such thing"})
        if request.basic != (self.username, self.password):
            self.refused += 1
            return json_answer(401, {"details": "incorrect username or password"})
        if request.query.get("service") != [self.service]:
            return json_answer(400, {"details": f"unknown service {request.query}"})
        scopes = request.query.get("scope", [])
        access = [self._access(scope, self._granted(scope)) for scope in scopes]
        good_until = time.time() + self.life
        token = self._sign(self.username, access, good_until)
        self.issued.append(Issued(self.username, scopes, access, good_until))
        document = {"token": token}
        if self.told is not None:
            document["expires_in"] = self.told
        return json_answer(200, document)

    def _granted(self, scope):
        """Servers leave out what there is no right to, and say nothing about it."""
        _, name, actions = scope.split(":")
        allowed = set()
        for pattern, given in self.rights.items():
            if fnmatchcase(name, pattern):
                allowed |= set(given.split(","))
        return [action for action in actions.split(",") if action in allowed]

    @staticmethod
    def _access(scope, actions):
        kind, name, _ = scope.split(":")
        return {"type": kind, "name": name, "actions": actions}

    def _sign(self, user, access, good_until):
        claims = {
            "iss": self.issuer,
            "sub": user,
            "aud": self.service,
            "exp": int(good_until) - LEEWAY,
            "nbf": int(time.time()) - 2 * LEEWAY,
            "iat": int(time.time()) - 2 * LEEWAY,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        text = f"{_encode(self._header())}.{_encode(claims)}"
        signature = _openssl("dgst", "-sha256", "-sign", self.key, text=text.encode())
        return f"{text}.{_base64_url(signature)}"

    def _header(self):
        header = {"typ": "JWT", "alg": "RS256"}
        if self.key_by == "x5c":
            der = _openssl("x509", "-in", self.certificate, "-outform", "DER")
            return {**header, "x5c": [base64.b64encode(der).decode()]}
        public = _openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")
        name = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode()
        return {**header, "kid": ":".join(name[at : at + 4] for at in range(0, len(name), 4))}


def _encode(document):
    return _base64_url(json.dumps(document).encode())


def _base64_url(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _openssl(*arguments, text=b""):
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, check=True).stdout
