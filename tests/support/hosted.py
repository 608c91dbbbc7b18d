# SPDX-License-Identifier: Apache-2.0
"""Registries as their providers host them: the documented logins and token servers before a real
docker-registry. They check what they are sent, and note what must never be sent."""

import base64
import json
import re
import secrets
from dataclasses import dataclass, field

from .front import pass_on
from .servers import Answer, json_answer

REPOSITORY = re.compile(r"/v2/(.+?)/(?:manifests|blobs|tags|referrers)/")


@dataclass
class Shape:
    """How a provider's registry presents itself."""

    host: str  # of the API, with its port where that is not 443
    realm: str = ""  # URL of the token server; empty: Basic authentication
    service: str = ""
    tells: tuple = ("token",)  # members in which the token server gives the token
    lifetime: int | None = None  # `expires_in`
    wrong_login: int = 401  # what the token server says to a wrong password
    storage: str = ""  # host to which downloads of blobs are redirected
    ping_scope: str = ""  # `scope` of the challenge to /v2/


@dataclass
class Hosted:
    """One registry for one account."""

    shape: Shape
    backend: object  # a support.registry.Registry
    user: str
    password: str
    violations: list = field(default_factory=list)
    logins: list = field(default_factory=list)  # scopes that were asked for with the right login
    tokens: dict = field(default_factory=dict)  # token -> scopes
    signed: set = field(default_factory=set)  # queries of download URLs
    shown: dict = field(default_factory=dict)  # 'registry', 'tokens', 'storage' -> client's names

    def put_on(self, network):
        host, _, port = self.shape.host.partition(":")
        network.serve(host, self.answer, port=int(port or 443))
        token_host = self.shape.realm.removeprefix("https://").partition("/")[0]
        if token_host and token_host != host:
            network.serve(token_host, self.answer_login)
        if self.shape.storage:
            network.serve(self.shape.storage, self.answer_storage)
        return self

    def _note(self, part, request):
        self.shown.setdefault(part, set()).add(request.certificate)

    # --- the registry ---------------------------------------------------------------------

    def answer(self, request):
        self._note("registry", request)
        if self.shape.realm and request.path == "/" + self.shape.realm.split("/", 3)[3]:
            return self.answer_login(request)
        if not self._is_let_in(request):
            return self._challenge(request)
        if request.method == "GET" and "/blobs/sha256:" in request.path and self.shape.storage:
            query = f"X-Signature={secrets.token_hex(8)}"
            self.signed.add(query)
            where = f"https://{self.shape.storage}{request.path}?{query}"
            return Answer(307, "", {"Location": where})
        return self._pass_on(request)

    def _pass_on(self, request):
        login = f"{self.backend.username}:{self.backend.password}".encode()
        return pass_on(
            request, self.backend.address,
            authorization="Basic " + base64.b64encode(login).decode(),
        )

    def _is_let_in(self, request):
        if not self.shape.realm:
            return request.basic == (self.user, self.password)
        if request.basic is not None:
            self.violations.append(f"a password for {request.method} {request.path}")
        if request.bearer not in self.tokens:
            return False
        found = REPOSITORY.match(request.path)
        if not found:
            return True
        action = "pull" if request.method in ("GET", "HEAD") else "push"
        return any(
            scope.split(":")[1] == found[1] and action in scope.rpartition(":")[2].split(",")
            for scope in self.tokens[request.bearer]
        )

    def _challenge(self, request):
        words = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        challenge = f'Basic realm="{self.shape.service or self.shape.host}"'
        if self.shape.realm:
            challenge = f'Bearer realm="{self.shape.realm}",service="{self.shape.service}"'
            found = REPOSITORY.match(request.path)
            scope = f"repository:{found[1]}:pull" if found else self.shape.ping_scope
            challenge += f',scope="{scope}"' if scope else ""
        return json_answer(401, words, {"WWW-Authenticate": challenge})

    # --- its token server and its storage -------------------------------------------------

    def is_right_login(self, request):
        return request.basic == (self.user, self.password)

    def answer_login(self, request):
        self._note("tokens", request)
        query = request.query
        if request.method != "GET" or query.get("service") != [self.shape.service]:
            self.violations.append(f"{request.method} {request.target}")
        if not self.is_right_login(request):
            words = {"errors": [{"code": "DENIED", "message": "incorrect username or password"}]}
            return json_answer(self.shape.wrong_login, words)
        return self.give_token(query.get("scope", []))

    def give_token(self, scopes):
        self.logins.append(scopes)
        token = secrets.token_urlsafe(24)
        self.tokens[token] = scopes
        document = {member: token for member in self.shape.tells}
        if self.shape.lifetime is not None:
            document["expires_in"] = self.shape.lifetime
        return json_answer(200, document)

    def answer_storage(self, request):
        self._note("storage", request)
        if request.headers.get("Authorization") or request.headers.get("Cookie"):
            self.violations.append(f"a login for {request.path} of the storage")
            return Answer(400, "Only one auth mechanism allowed")
        if request.target.partition("?")[2] not in self.signed:
            return Answer(403, "no such signature")
        return self._pass_on(request)


class HostedGoogle(Hosted):
    """Google's: the password is a key file, which is read and compared as JSON."""

    def is_right_login(self, request):
        user, password = request.basic or ("", "")
        try:
            return user == self.user and json.loads(password) == json.loads(self.password)
        except ValueError:
            return False


class HostedAzure(Hosted):
    """Azure's: a service principal's login, or a refresh token for the user of zeros; the refresh
    token is had for a token of the directory, by POST."""

    NOBODY = "00000000-0000-0000-0000-000000000000"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.directory_token = secrets.token_urlsafe(24)
        self.refresh_tokens = set()

    def is_right_login(self, request):
        user, password = request.basic or ("", "")
        return super().is_right_login(request) or (
            user == self.NOBODY and password in self.refresh_tokens
        )

    def answer(self, request):
        if request.method == "POST" and request.path == "/oauth2/exchange":
            return self.exchange(request.form)
        if request.method == "POST" and request.path == "/oauth2/token":
            return self.refresh(request.form)
        return super().answer(request)

    def exchange(self, form):
        is_right = form.get("grant_type") == "access_token" and form.get("service") == (
            self.shape.service
        ) and form.get("access_token") == self.directory_token
        if not is_right:
            return json_answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no"}]})
        token = secrets.token_urlsafe(24)
        self.refresh_tokens.add(token)
        return json_answer(200, {"refresh_token": token})

    def refresh(self, form):
        is_right = form.get("grant_type") == "refresh_token" and form.get("service") == (
            self.shape.service
        ) and form.get("refresh_token") in self.refresh_tokens
        if not is_right:
            return json_answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no"}]})
        return self.give_token(form.get("scope", "").split())
