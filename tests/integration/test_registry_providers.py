# SPDX-License-Identifier: Apache-2.0
"""Each provider's registry under its own name: its login, its token server, where its blobs are.

The hosts are servers of the tests in a network of the test's own (support/private_network.py).
"""

import base64
import json
import secrets
from dataclasses import dataclass, field

import pytest

from support.hosted import Hosted, HostedAzure, HostedGoogle, Shape
from support.leaks import files_that_hold, forms_of, holds
from support.private_network import can_make_networks

pytestmark = pytest.mark.skipif(not can_make_networks(), reason="only root can make networks")

PRINCIPAL = "a5c1c1c8-0000-4000-8000-1f0f1f0f1f0f"
PASSED = {
    name: "passed" for name in ("reach", "tls", "protocol", "credentials", "pull", "push")
}


def make_key_file():
    """A service account's key as Google's console gives it out, several lines long."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "acme-123",
            "private_key_id": secrets.token_hex(20),
            "private_key": f"-----BEGIN PRIVATE KEY-----\n{secrets.token_urlsafe(60)}\n"
            "-----END PRIVATE KEY-----\n",
            "client_email": "ci@acme-123.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        },
        indent=2,
    ) + "\n"


@dataclass
class Case:
    choice: str
    options: list  # of 'registry add'
    user: str  # that the provider is to see
    shape: Shape
    path: str  # where images may go
    domain: str = ""  # in image names, where that is not the API's host
    kind: type = Hosted
    make_secret: object = field(default=lambda: secrets.token_urlsafe(24))
    user_is_secret: bool = False

    def __str__(self):
        return f"{self.choice}-{self.shape.host}"

    @property
    def name(self):
        return f"{self.domain or self.shape.host}/{self.path}"


CASES = [
    Case(
        "dockerhub", ["--username", "ada"], "ada",
        Shape(
            "registry-1.docker.io", "https://auth.docker.io/token", "registry.docker.io",
            tells=("token", "access_token"), lifetime=300,
            storage="production.cloudflare.docker.com",
        ),
        path="ada", domain="docker.io",
    ),
    Case(
        "acr", ["--domain", "acme.azurecr.io", "--client-id", PRINCIPAL], PRINCIPAL,
        Shape(
            "acme.azurecr.io", "https://acme.azurecr.io/oauth2/token", "acme.azurecr.io",
            tells=("access_token",), storage="weuacme.blob.core.windows.net",
        ),
        path="team", kind=HostedAzure,
    ),
    Case(
        "gcr", ["--domain", "eu.gcr.io", "--keyfile", "KEYFILE"], "_json_key",
        Shape(
            "eu.gcr.io", "https://eu.gcr.io/v2/token", "eu.gcr.io", lifetime=43200,
            storage="storage.googleapis.com",
        ),
        path="acme-123", kind=HostedGoogle, make_secret=make_key_file,
    ),
    Case(
        "gar", ["--location", "europe-west1", "--keyfile", "KEYFILE"], "_json_key",
        Shape(
            "europe-west1-docker.pkg.dev", "https://europe-west1-docker.pkg.dev/v2/token",
            "europe-west1-docker.pkg.dev", lifetime=3600,
        ),
        path="acme-123/images", kind=HostedGoogle, make_secret=make_key_file,
    ),
    Case(
        "other", ["--domain", "us-docker.pkg.dev", "--username", "oauth2accesstoken"],
        "oauth2accesstoken",
        Shape("us-docker.pkg.dev", "https://us-docker.pkg.dev/v2/token", "us-docker.pkg.dev"),
        path="acme-123/images",
    ),
    Case(
        "ghcr", ["--username", "ada"], "ada",
        Shape(
            "ghcr.io", "https://ghcr.io/token", "ghcr.io", wrong_login=403,
            storage="pkg-containers.githubusercontent.com",
            ping_scope="repository:user/image:pull",
        ),
        path="ada",
    ),
    Case(
        "github-packages", ["--username", "ada"], "ada",
        Shape("docker.pkg.github.com", service="GitHub Package Registry"), path="ada/repository",
    ),
    Case(
        "quay", ["--username", "acme+ci"], "acme+ci",
        Shape("quay.io", "https://quay.io/v2/auth", "quay.io", storage="cdn01.quay.io"),
        path="acme",
    ),
    Case(
        "gitlab", ["--username", "gitlab+deploy-token-7"], "gitlab+deploy-token-7",
        Shape(
            "registry.gitlab.com", "https://gitlab.com/jwt/auth", "container_registry",
            wrong_login=403,
        ),
        path="group/project",
    ),
    Case(
        "gitlab", ["--domain", "registry.example.com:5050", "--username", "ada"], "ada",
        Shape("registry.example.com:5050", "https://gitlab.example.com/jwt/auth",
              "container_registry"),
        path="group/project",
    ),
    Case(
        "harbor", ["--domain", "harbor.example.com", "--username", "robot$team+ci"],
        "robot$team+ci",
        Shape(
            "harbor.example.com", "https://harbor.example.com/service/token", "harbor-registry",
            lifetime=1800,
        ),
        path="team",
    ),
    Case(
        "nexus", ["--domain", "nexus.example.com:8082", "--username", "ci"], "ci",
        Shape("nexus.example.com:8082", service="Sonatype Nexus Repository Manager"),
        path="team",
    ),
    Case(
        "artifactory", ["--domain", "acme.jfrog.io", "--username", "ci"], "ci",
        Shape(
            "acme.jfrog.io", "https://acme.jfrog.io/artifactory/api/docker/null/v2/token",
            "acme.jfrog.io",
        ),
        path="docker-local",
    ),
    Case(
        "digitalocean", [], "",
        Shape(
            "registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth",
            "registry.digitalocean.com",
        ),
        path="acme", user_is_secret=True,
    ),
    Case("heroku", [], "_", Shape("registry.heroku.com"), path="shop"),
]


@pytest.fixture
def neutral(backend, network, there):
    """A registry of no provider, connected as 'neutral', with an image; returns its reference."""
    hosted = Hosted(Shape("neutral.example.net"), backend, "ada", "neutral-pass-word")
    hosted.put_on(network)
    there.run(
        "registry", "add", "neutral", "--domain", "neutral.example.net", "--username", "ada",
        "--password-stdin", stdin="neutral-pass-word",
    )
    return "neutral.example.net/base:1"


def connect(freshet, case, secret, name="prod"):
    key_file = freshet.directory / "key.json"
    options = [str(key_file) if word == "KEYFILE" else word for word in case.options]
    if "KEYFILE" in case.options:
        key_file.write_text(secret)
    else:
        options.append("--password-stdin")
    freshet.run(
        "registry", "add", name, "--provider", case.choice, *options,
        stdin="" if "KEYFILE" in case.options else secret,
    )


def put(case, backend, network):
    secret = case.make_secret()
    user = secret if case.user_is_secret else case.user
    return case.kind(case.shape, backend, user, secret).put_on(network)


def results(tested):
    return {check["name"]: check["result"] for check in tested["checks"]}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_images_go_to_and_come_from_each_provider(
    there, network, backend, neutral, prefix, case
):
    hosted = put(case, backend, network)
    connect(there, case, hosted.password)
    target = f"{case.name}/{prefix}"

    tested = there.json("registry", "test", "prod", check=False)
    up = there.json("image", "copy", neutral, f"{target}:1")
    down = there.json("image", "copy", f"{target}:1", f"neutral.example.net/{prefix}/back:1")

    assert results(tested) == PASSED, tested
    digest = backend.manifest("base", "1").digest
    assert backend.manifest(f"{case.path}/{prefix}", "1").digest == digest
    assert backend.manifest(f"{prefix}/back", "1").digest == digest
    assert up["digest"] == down["digest"] == digest
    assert up["bytes_sent"] > 1_000_000 and down["bytes_sent"] > 1_000_000
    assert hosted.violations == []
    if case.shape.realm:
        scopes = {scope for asked in hosted.logins for scope in asked}
        assert f"repository:{case.path}/{prefix}:pull,push" in scopes
        assert not [scope for scope in scopes if "*" in scope or "user/image" in scope]
    if case.shape.storage:
        assert hosted.signed
    assert files_that_hold(there.data_dir, forms_of(hosted.password)) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_wrong_secret_is_refused_and_not_shown(there, network, backend, case):
    hosted = put(case, backend, network)
    wrong = case.make_secret()
    connect(there, case, wrong)

    tested = there.run("registry", "test", "prod", check=False)

    assert tested.returncode == 1, tested
    who = "the token" if case.user_is_secret else f"user '{case.user}'"
    domain = case.domain or case.shape.host
    assert f"'{domain}' refused the credentials of {who}" in tested.stdout
    for secret in (wrong, wrong.strip(), base64.b64encode(wrong.encode()).decode()):
        assert not holds(tested.stdout + tested.stderr, forms_of(secret))
    for part in json.loads(wrong).values() if "KEYFILE" in case.options else []:
        assert part not in tested.stdout + tested.stderr or part in ("service_account",)
    assert hosted.violations == []


# --- Docker Hub -------------------------------------------------------------------------------

HUB = CASES[0]


def test_official_images_of_docker_hub_are_found_below_library(
    there, network, backend, neutral, prefix
):
    hosted = put(HUB, backend, network)
    connect(there, HUB, hosted.password)
    backend.push_base_image("library/tool:latest")

    for name in ("tool", "docker.io/tool", "index.docker.io/library/tool:latest"):
        copied = there.json("image", "copy", name, f"neutral.example.net/{prefix}/tool:1")
        assert copied["source"].startswith("docker.io/library/tool@"), copied

    assert {scope for asked in hosted.logins for scope in asked} == {"repository:library/tool:pull"}
    assert hosted.violations == []


# --- Azure's tokens ---------------------------------------------------------------------------

AZURE = CASES[1]


def refresh_token(azure):
    """What 'az acr login --expose-token' does: a directory's token for a registry's."""
    answer = azure.exchange(
        {
            "grant_type": "access_token", "service": azure.shape.service,
            "access_token": azure.directory_token,
        }
    )
    assert answer.status == 200
    return json.loads(answer.body)["refresh_token"]


@pytest.mark.parametrize("user", [HostedAzure.NOBODY, "<token>"])
def test_azures_refresh_tokens_are_logins_too(there, network, backend, neutral, prefix, user):
    """By Basic for the user of zeros; by POST /oauth2/token for who names none."""
    hosted = put(AZURE, backend, network)
    token = refresh_token(hosted)
    there.run(
        "registry", "add", "prod", "--provider", "acr", "--domain", "acme.azurecr.io",
        "--client-id", user, "--password-stdin", stdin=token,
    )

    tested = there.json("registry", "test", "prod")
    there.run("image", "copy", neutral, f"acme.azurecr.io/{prefix}:1")

    assert results(tested) == PASSED
    assert backend.tags(prefix) == ["1"]
    assert hosted.violations == []


def test_a_refresh_token_that_azure_no_longer_takes_is_told(there, network, backend):
    hosted = put(AZURE, backend, network)
    token = refresh_token(hosted)
    there.run(
        "registry", "add", "prod", "--provider", "acr", "--domain", "acme.azurecr.io",
        "--client-id", HostedAzure.NOBODY, "--password-stdin", stdin=token,
    )
    hosted.refresh_tokens.clear()

    tested = there.run("registry", "test", "prod", check=False)

    assert tested.returncode == 1
    assert "'acme.azurecr.io' refused the credentials of user '00000000-" in tested.stdout
    assert not holds(tested.stdout + tested.stderr, forms_of(token))


# --- between providers ------------------------------------------------------------------------


def test_a_build_is_pushed_to_several_providers_with_one_digest(
    there, network, backend, local_image, prefix
):
    cases = [case for case in CASES if case.choice in ("dockerhub", "gar", "ghcr", "quay")]
    hosted = {case.choice: put(case, backend, network) for case in cases}
    for case in cases:
        connect(there, case, hosted[case.choice].password, name=case.choice)
    steps = "".join(
        f"  {case.choice}: {{type: push, candidate: '${{{{build}}}}', registry: {case.choice}, "
        f"image_name: {case.path}/{prefix}, tag: v1}}\n"
        for case in cases
    )

    run = there.run_pipeline(
        f"""\
version: '1.0'
steps:
  build:
    type: build
    image_name: app
    disable_push: true
    dockerfile: {{content: "FROM ${{{{BASE}}}}\\nLABEL salt={prefix}\\nRUN echo {prefix} > /x\\n"}}
{steps}""",
        vars={"BASE": local_image},
    )

    assert run.result == "success", run
    digests = {backend.manifest(f"{case.path}/{prefix}", "v1").digest for case in cases}
    assert len(digests) == 1
    assert [one.violations for one in hosted.values()] == [[]] * len(cases)
    for one in hosted.values():
        assert not holds(run.stdout + run.stderr, forms_of(one.password))
