# SPDX-License-Identifier: Apache-2.0
"""Amazon's STS and ECR as they are documented: signatures are computed again,
keys and logins expire, rights are looked at, repositories must be there."""

import base64
import datetime
import json
import secrets
import time
from dataclasses import dataclass, field

from .aws_signature import WrongSignature, check_signature, key_id
from .hosted import REPOSITORY, Hosted, Shape
from .servers import Answer, json_answer

ACCOUNT = "123456789012"
UNKNOWN_KEY = "The security token included in the request is invalid."
EXPIRED_KEY = "The security token included in the request is expired"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass
class Key:
    """An access key; session: that of a role, with its token."""

    id: str
    secret: str
    principal: str
    may: set  # actions, e.g. 'ecr:CreateRepository'
    session: str = ""
    expires: float | None = None  # as time.time() gives it


@dataclass
class Role:
    arn: str
    trusts: set  # principals
    may: set
    max_duration: int = 3600

    @property
    def account(self):
        return self.arn.split(":")[4]


class Refused(Exception):
    def __init__(self, kind, message, status=400):
        super().__init__(message)
        self.kind, self.message, self.status = kind, message, status


@dataclass
class Aws:
    """One cloud; regions are served where they are put."""

    backend: object  # a support.registry.Registry behind all of ECR
    login_life: float = 12 * 3600
    keys: dict = field(default_factory=dict)  # id -> Key
    roles: dict = field(default_factory=dict)  # arn -> Role
    web_tokens: dict = field(default_factory=dict)  # token -> principal
    repositories: set = field(default_factory=set)  # (account, region, name)
    settings: dict = field(default_factory=dict)  # (account, region, name) -> how it was made
    logins: dict = field(default_factory=dict)  # password -> (account, region, expires)
    calls: list = field(default_factory=list)  # (principal, region, action, its parameters)
    violations: list = field(default_factory=list)
    busy: int = 0  # how many calls are answered with throttling
    before: object = lambda request: None  # called with each request to a registry

    # --- who there is ---------------------------------------------------------------------

    def add_user(self, name="ci", may=("ecr:GetAuthorizationToken", "ecr:CreateRepository")):
        principal = f"arn:aws:iam::{ACCOUNT}:user/{name}"
        key = Key("AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20), principal, set(may))
        self.keys[key.id] = key
        return key

    def add_role(self, name, trusts, account=ACCOUNT,
                 may=("ecr:GetAuthorizationToken", "ecr:CreateRepository")):
        role = Role(f"arn:aws:iam::{account}:role/{name}", set(trusts), set(may))
        self.roles[role.arn] = role
        return role

    def make_session(self, role, name, duration):
        principal = role.arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
        key = Key(
            "ASIA" + secrets.token_hex(8).upper(), secrets.token_hex(20), f"{principal}/{name}",
            role.may, session=secrets.token_hex(40), expires=time.time() + duration,
        )
        self.keys[key.id] = key
        return key

    def actions(self):
        return [action for _, _, action, _ in self.calls]

    # --- where it is ----------------------------------------------------------------------

    def put_on(self, network, region="eu-west-1", accounts=(ACCOUNT,)):
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        network.serve(f"api.ecr.{region}.{suffix}", self._json_service(region, "ecr"))
        network.serve(f"sts.{region}.{suffix}", self._sts_service(region))
        for account in accounts:
            domain = f"{account}.dkr.ecr.{region}.{suffix}"
            EcrRegistry(self, account, region, domain).put_on(network)
        return self

    def put_public_on(self, network):
        network.serve(
            "api.ecr-public.us-east-1.amazonaws.com", self._json_service("us-east-1", "ecr-public")
        )
        PublicRegistry(self).put_on(network)
        return self

    # --- signed calls ---------------------------------------------------------------------

    def check(self, request, region, service, words):
        """The key of a signed request; words: how the service calls what may be wrong."""
        key = self.keys.get(key_id(request))
        if key is None:
            raise Refused(words["unknown"], UNKNOWN_KEY, words["status"])
        try:
            check_signature(request, key.secret, region, service)
        except WrongSignature as error:
            raise Refused(
                words["signature"],
                "The request signature we calculated does not match the signature you provided. "
                f"({error})", words["status"],
            ) from error
        if (request.headers.get("X-Amz-Security-Token") or "") != key.session:
            raise Refused(words["unknown"], UNKNOWN_KEY, words["status"])
        if key.expires is not None and key.expires <= time.time():
            raise Refused(words["expired"], EXPIRED_KEY, words["status"])
        return key

    def _json_service(self, region, service):
        words = {
            "unknown": "UnrecognizedClientException", "signature": "InvalidSignatureException",
            "expired": "ExpiredTokenException", "status": 400,
        }

        def answer(request):
            if self.busy:
                self.busy -= 1
                return json_answer(
                    400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
                )
            try:
                key = self.check(request, region, service, words)
                action = (request.headers.get("X-Amz-Target") or "").rpartition(".")[2]
                document = self._carry_out(key, region, service, request, action)
            except Refused as refused:
                return json_answer(
                    refused.status, {"__type": refused.kind, "message": refused.message}
                )
            return json_answer(200, document, {"Content-Type": "application/x-amz-json-1.1"})

        return answer

    def _carry_out(self, key, region, service, request, action):
        parameters = json.loads(request.body)
        self.calls.append((key.principal, region, action, parameters))
        right = f"{service}:{action}"
        if right not in key.may:
            raise Refused(
                "AccessDeniedException",
                f"User: {key.principal} is not authorized to perform: {right} on resource: * "
                "because no identity-based policy allows the action",
            )
        prefix = {
            "ecr": "AmazonEC2ContainerRegistry_V20150921.", "ecr-public": "SpencerFrontendService.",
        }[service]
        if request.headers["X-Amz-Target"] != prefix + action:
            raise Refused("UnknownOperationException", "")
        if request.headers["Content-Type"] != "application/x-amz-json-1.1":
            raise Refused("SerializationException", "")
        account = key.principal.split(":")[4]
        if action == "CreateRepository":
            return self._create_repository(account, region, parameters)
        if action == "PutLifecyclePolicy":
            return self._put_lifecycle_policy(account, region, parameters)
        return self._authorization(account, region, service)

    def _authorization(self, account, region, service):
        password = secrets.token_urlsafe(60)
        expires = time.time() + self.login_life
        self.logins[password] = (account, region, expires)
        data = {
            "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
            "expiresAt": round(expires, 3),
        }
        if service == "ecr-public":
            return {"authorizationData": data}
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        data["proxyEndpoint"] = f"https://{account}.dkr.ecr.{region}.{suffix}"
        return {"authorizationData": [data]}

    def _create_repository(self, account, region, parameters):
        name = parameters["repositoryName"]
        if parameters.get("registryId", account) != account:
            raise Refused("InvalidParameterException", "Invalid parameter at 'registryId'")
        if (account, region, name) in self.repositories:
            raise Refused(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id "
                f"'{account}'",
            )
        self.repositories.add((account, region, name))
        self.settings[account, region, name] = {
            "scan": parameters.get("imageScanningConfiguration", {}).get("scanOnPush", False),
            "immutable": parameters.get("imageTagMutability", "MUTABLE") == "IMMUTABLE",
            "policy": None,
        }
        return {"repository": {"repositoryName": name, "registryId": account}}

    def _put_lifecycle_policy(self, account, region, parameters):
        name = parameters["repositoryName"]
        if (account, region, name) not in self.repositories:
            raise Refused("RepositoryNotFoundException", f"no repository '{name}'")
        policy = json.loads(parameters["lifecyclePolicyText"])
        if not policy["rules"]:
            raise Refused(
                "InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText'"
            )
        self.settings[account, region, name]["policy"] = policy
        return {"repositoryName": name, "registryId": account}

    # --- STS ------------------------------------------------------------------------------

    def _sts_service(self, region):
        words = {
            "unknown": "InvalidClientTokenId", "signature": "SignatureDoesNotMatch",
            "expired": "ExpiredToken", "status": 403,
        }

        def answer(request):
            form = request.form
            action = form.get("Action")
            try:
                if action == "AssumeRole":
                    caller = self.check(request, region, "sts", words).principal
                else:
                    caller = self._web_identity(request, form)
                session = self._assume(caller, region, action, form)
            except Refused as refused:
                return Answer(refused.status, _error_xml(refused), {"Content-Type": "text/xml"})
            return Answer(200, _session_xml(action, session), {"Content-Type": "text/xml"})

        return answer

    def _web_identity(self, request, form):
        if request.headers.get("Authorization"):
            self.violations.append("a signed web identity")
        if form.get("WebIdentityToken") not in self.web_tokens:
            raise Refused("InvalidIdentityToken", "Couldn't retrieve verification key", 400)
        return self.web_tokens[form["WebIdentityToken"]]

    def _assume(self, caller, region, action, form):
        kept = {name: value for name, value in form.items() if name != "WebIdentityToken"}
        self.calls.append((caller, region, action, kept))
        if form.get("Version") != "2011-06-15":
            raise Refused("InvalidAction", f"no version {form.get('Version')}", 400)
        role = self.roles.get(form["RoleArn"])
        if role is None or caller not in role.trusts:
            raise Refused(
                "AccessDenied",
                f"User: {caller} is not authorized to perform: sts:{action} on resource: "
                f"{form['RoleArn']}", 403,
            )
        duration = int(form.get("DurationSeconds", 3600))
        if not 900 <= duration <= role.max_duration:
            raise Refused("ValidationError", "The requested DurationSeconds is out of range", 400)
        return self.make_session(role, form["RoleSessionName"], duration)


def utc(seconds):
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _session_xml(action, key):
    return (
        f'<{action}Response xmlns="{STS}"><{action}Result><AssumedRoleUser>'
        f"<Arn>{key.principal}</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{key.id}</AccessKeyId>"
        f"<SecretAccessKey>{key.secret}</SecretAccessKey>"
        f"<SessionToken>{key.session}</SessionToken><Expiration>{utc(key.expires)}</Expiration>"
        f"</Credentials></{action}Result><ResponseMetadata><RequestId>c6104cbe</RequestId>"
        f"</ResponseMetadata></{action}Response>"
    )


def _error_xml(refused):
    return (
        f'<ErrorResponse xmlns="{STS}"><Error><Type>Sender</Type><Code>{refused.kind}</Code>'
        f"<Message>{refused.message}</Message></Error><RequestId>c6104cbe</RequestId>"
        "</ErrorResponse>"
    )


class EcrRegistry(Hosted):
    """An account's registry in a region: Basic with a login of GetAuthorizationToken."""

    def __init__(self, aws, account, region, domain):
        shape = Shape(domain, service="ecr.amazonaws.com", storage=f"starport-{account}.s3.{region}"
                      ".amazonaws.com")
        super().__init__(shape, aws.backend, "AWS", "", violations=aws.violations)
        self.aws, self.account, self.region = aws, account, region

    def answer(self, request):
        self.aws.before(request)
        user, password = request.basic or ("", "")
        account, region, expires = self.aws.logins.get(password, ("", "", 0))
        if user != "AWS" or (account, region) != (self.account, self.region):
            return self._challenge(request)
        if expires <= time.time():
            # Amazon answers so, and not with 401.
            return _registry_error(
                403, "DENIED",
                "Your authorization token has expired. Reauthenticate and try again.",
            )
        found = REPOSITORY.match(request.path)
        if found and (self.account, self.region, found[1]) not in self.aws.repositories:
            return _registry_error(
                404, "NAME_UNKNOWN",
                f"The repository with name '{found[1]}' does not exist in the registry with id "
                f"'{self.account}'",
            )
        if found and request.method == "PUT" and self._would_overwrite(request, found[1]):
            tag = request.path.rpartition("/")[2]
            return _registry_error(
                400, "TAG_INVALID",
                f"The image tag '{tag}' already exists in the '{found[1]}' repository and cannot "
                "be overwritten because the tag is immutable.",
            )
        return super().answer(request)

    def _would_overwrite(self, request, name):
        """Amazon refuses an immutable tag even when it is the same image."""
        made = self.aws.settings.get((self.account, self.region, name), {})
        middle, _, tag = request.path.rpartition("/")
        return (
            made.get("immutable") and middle.endswith("/manifests") and ":" not in tag
            and tag in (self.aws.backend.tags(name) or [])
        )

    def _is_let_in(self, request):
        return True


class PublicRegistry(Hosted):
    """public.ecr.aws: tokens for the same kind of login."""

    def __init__(self, aws):
        shape = Shape("public.ecr.aws", "https://public.ecr.aws/token/", "public.ecr.aws",
                      ping_scope="aws")
        super().__init__(shape, aws.backend, "AWS", "", violations=aws.violations)
        self.aws = aws

    def is_right_login(self, request):
        user, password = request.basic or ("", "")
        return user == "AWS" and self.aws.logins.get(password, ("", "", 0))[2] > time.time()


def _registry_error(status, code, message):
    return json_answer(status, {"errors": [{"code": code, "message": message}]})


def key_document(key):
    return {
        "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.session,
        "Expiration": utc(key.expires),
    }
