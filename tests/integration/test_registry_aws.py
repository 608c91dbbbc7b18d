# SPDX-License-Identifier: Apache-2.0
"""Amazon ECR under its own names: signed calls that are checked, roles, the machine's identity,
logins that expire, repositories that have to be there."""

import json
import secrets
import textwrap
import time

import pytest

from support.aws import ACCOUNT, Aws, ContainerCredentials, InstanceMetadata
from support.leaks import files_that_hold, forms_of, holds
from support.private_network import can_make_networks
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(not can_make_networks(), reason="only root can make networks")

OTHER_ACCOUNT = "210987654321"
REGION = "eu-west-1"
DOMAIN = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
OTHER_DOMAIN = f"{OTHER_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"

BUILD = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        tag: v1
        %s
        dockerfile: {content: "FROM ${{BASE}}\\nLABEL salt=${{SALT}}\\nRUN echo ${{SALT}} > /x\\n"}
"""


@pytest.fixture
def aws(backend, network):
    aws = Aws(backend).put_on(network, REGION, accounts=(ACCOUNT, OTHER_ACCOUNT))
    yield aws
    assert aws.violations == []


def add(freshet, *options, key=None, secret=None, name="aws", provider="ecr", **more):
    region = ["--region", REGION] if provider == "ecr" else []
    login = ["--access-key-id", key.id, "--password-stdin"] if key else ["--use-ambient-role"]
    return freshet.run(
        "registry", "add", name, "--provider", provider, *region, *login, *options,
        stdin=(secret or key.secret) if key else "", **more,
    )


def results(freshet, **options):
    tested = freshet.json("registry", "test", "aws", check=False, **options)
    return {check["name"]: check["result"] for check in tested["checks"]}


def push(freshet, local_image, prefix, fields="", **options):
    return freshet.run_pipeline(
        BUILD % fields, vars={"BASE": local_image, "SALT": prefix}, **options
    )


def make_repository(aws, name, account=ACCOUNT, region=REGION):
    aws.repositories.add((account, region, name))


# --- access keys ------------------------------------------------------------------------------


def test_keys_find_the_domain_and_push_and_pull(there, aws, backend, local_image, prefix):
    key = aws.add_user()
    make_repository(aws, f"{prefix}/app")
    make_repository(aws, f"{prefix}/copy")
    add(there, "--prefix", prefix, "--default", key=key)
    assert there.json("registry", "show", "aws")["domain"] == DOMAIN

    run = push(there, local_image, prefix)
    there.run("image", "copy", f"{DOMAIN}/{prefix}/app:v1", f"{DOMAIN}/{prefix}/copy:v1")

    assert run.result == "success", run
    digest = backend.manifest(f"{prefix}/app", "v1").digest
    assert backend.manifest(f"{prefix}/copy", "v1").digest == digest
    for secret in (key.secret, *aws.logins):
        assert not holds(run.stdout + run.stderr, forms_of(secret))
        assert files_that_hold(there.data_dir, forms_of(secret)) == []


def test_the_test_of_a_connection_knows_that_repositories_are_made_by_hand(there, aws):
    add(there, key=aws.add_user())

    tested = there.run("registry", "test", "aws")

    assert f"'{DOMAIN}' accepts the credentials of user 'AWS'" in tested.stdout
    assert f"'{DOMAIN}' wants the repository to be made before a push" in tested.stdout


def test_one_login_serves_a_whole_run(there, aws, local_image, prefix):
    make_repository(aws, f"{prefix}/app")
    add(there, "--prefix", prefix, "--default", key=aws.add_user())
    aws.calls.clear()

    assert push(there, local_image, prefix).result == "success"

    assert aws.actions() == ["GetAuthorizationToken"]


@pytest.mark.parametrize(
    "wrong, words",
    [
        ("secret", "InvalidSignatureException: The request signature we calculated does not match"),
        ("id", "UnrecognizedClientException: The security token included in the request is inval"),
        ("right", "AccessDeniedException: User: "),
    ],
)
def test_what_aws_refuses_is_told_in_its_words(there, aws, wrong, words):
    key = aws.add_user(may=() if wrong == "right" else ("ecr:GetAuthorizationToken",))
    secret = key.secret
    if wrong == "id":
        del aws.keys[key.id]
    if wrong == "secret":
        secret = secrets.token_hex(20)

    refused = add(there, key=key, secret=secret, check=False)

    assert refused.returncode == 1, refused
    assert words in refused.stderr
    assert not holds(refused.stdout + refused.stderr, forms_of(secret))
    assert there.json("registry", "list") == {"registries": []}


def test_a_busy_aws_is_asked_again(there, aws):
    aws.busy = 2

    add(there, key=aws.add_user())

    assert there.json("registry", "show", "aws")["domain"] == DOMAIN


def test_china_has_names_of_its_own(there, aws, network):
    aws.put_on(network, "cn-north-1")
    key = aws.add_user()
    there.run(
        "registry", "add", "aws", "--provider", "ecr", "--region", "cn-north-1",
        "--access-key-id", key.id, "--password-stdin", stdin=key.secret,
    )

    assert results(there)["credentials"] == "passed"
    domain = there.json("registry", "show", "aws")["domain"]
    assert domain == f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn"


# --- repositories -----------------------------------------------------------------------------


def test_a_missing_repository_is_told_and_not_made(there, aws, local_image, prefix):
    add(there, "--prefix", prefix, "--default", key=aws.add_user())

    run = push(there, local_image, prefix)

    assert run.result == "failure"
    said = run["build"].text + str(run["build"].error)
    assert f"The repository with name '{prefix}/app' does not exist" in said, run
    assert "CreateRepository" not in aws.actions()


def test_a_missing_repository_is_made_below_the_prefix_where_that_is_wanted(
    there, aws, backend, local_image, prefix
):
    add(there, "--prefix", prefix, "--default", "--create-repositories", key=aws.add_user())

    run = push(there, local_image, prefix)

    assert run.result == "success", run
    assert (ACCOUNT, REGION, f"{prefix}/app") in aws.repositories
    assert aws.actions().count("CreateRepository") == 1
    assert backend.tags(f"{prefix}/app") == ["v1"]


def test_a_missing_right_to_make_repositories_is_told(there, aws, local_image, prefix):
    key = aws.add_user(may=("ecr:GetAuthorizationToken",))
    add(there, "--prefix", prefix, "--default", "--create-repositories", key=key)

    run = push(there, local_image, prefix)

    assert run.result == "failure"
    said = run["build"].text + str(run["build"].error)
    assert "is not authorized to perform: ecr:CreateRepository" in said, run


POLICY = {
    "rules": [{
        "rulePriority": 1, "action": {"type": "expire"},
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9},
    }]
}
PUSH_TWICE = """
    first: {type: push, candidate: "${{build}}", tag: v1}
    second: {type: push, candidate: "${{build}}", tag: v1}
"""
EVERYTHING = (
    "ecr:GetAuthorizationToken", "ecr:CreateRepository", "ecr:PutLifecyclePolicy"
)


def add_with_template(there, aws, prefix, tmp_path, policy=POLICY, may=EVERYTHING):
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    add(
        there, "--prefix", prefix, "--default", "--create-repositories", "--scan-on-push",
        "--immutable-tags", "--lifecycle-policy", str(tmp_path / "policy.json"),
        key=aws.add_user(may=may),
    )


def test_a_repository_is_made_by_the_template(there, aws, local_image, prefix, tmp_path):
    add_with_template(there, aws, prefix, tmp_path)

    run = push(there, local_image, prefix)

    assert run.result == "success", run
    assert aws.settings[ACCOUNT, REGION, f"{prefix}/app"] == {
        "scan": True, "immutable": True, "policy": POLICY,
    }
    assert f"Created repository {DOMAIN}/{prefix}/app" in run["build"].text
    shown = there.json("registry", "show", "aws")
    assert shown["scan_on_push"] and shown["immutable_tags"]
    assert json.loads(shown["lifecycle_policy"]) == POLICY


def test_a_repository_that_is_there_keeps_its_settings(there, aws, local_image, prefix, tmp_path):
    make_repository(aws, f"{prefix}/app")
    add_with_template(there, aws, prefix, tmp_path)

    assert push(there, local_image, prefix).result == "success"

    assert aws.actions().count("CreateRepository") == 1
    assert "PutLifecyclePolicy" not in aws.actions()


@pytest.mark.parametrize("command", ["run", "promote"])
def test_a_lifecycle_policy_that_is_refused_is_a_warning(
    there, aws, local_image, prefix, tmp_path, command
):
    add_with_template(there, aws, prefix, tmp_path, may=EVERYTHING[:2])
    words = (
        f"warning: repository {DOMAIN}/{prefix}/{'app' if command == 'run' else 'other'} has no "
        "lifecycle policy: AccessDeniedException: User: "
    )

    if command == "promote":
        there.run_pipeline(BUILD % "disable_push: true", vars={"BASE": local_image, "SALT": prefix})
        (image,) = there.json("image", "list")["images"]
        promoted = there.run(
            "image", "promote", image["id"], "--registry", "aws", "--tag", "v1", "--name", "other"
        )
        assert words in promoted.stderr
    else:
        run = push(there, local_image, prefix)
        assert run.result == "success", run
        assert words in run["build"].text


def test_an_immutable_tag_takes_its_own_image_again_and_no_other(
    there, aws, backend, local_image, prefix, tmp_path
):
    add_with_template(there, aws, prefix, tmp_path)

    first = there.run_pipeline(
        (BUILD % "disable_push: true") + textwrap.indent(PUSH_TWICE, "  "),
        vars={"BASE": local_image, "SALT": prefix},
    )
    digest = backend.manifest(f"{prefix}/app", "v1").digest
    changed = push(there, local_image, prefix)

    assert first.result == "success", first
    assert changed.result == "failure"
    assert changed["build"].error["message"] == (
        f"'{DOMAIN}' does not let the tag '{prefix}/app:v1' be moved to another image"
    )
    assert backend.manifest(f"{prefix}/app", "v1").digest == digest


@pytest.mark.parametrize(
    "policy, words",
    [
        ("{", "the lifecycle policy is no JSON"),
        ('{"rule": []}', "the lifecycle policy has no list of 'rules'"),
    ],
)
def test_a_lifecycle_policy_that_is_none_is_refused(there, aws, tmp_path, policy, words):
    (tmp_path / "policy.json").write_text(policy)

    refused = add(
        there, "--prefix", "team", "--create-repositories", "--lifecycle-policy",
        str(tmp_path / "policy.json"), key=aws.add_user(), check=False,
    )

    assert refused.returncode == 2
    assert words in refused.stderr
    assert aws.calls == []


# --- expiry -----------------------------------------------------------------------------------


def test_a_login_that_ends_in_the_middle_of_a_push_is_renewed(
    there, aws, backend, local_image, prefix
):
    """It ends before the time that AWS told; ECR says so with 403."""
    make_repository(aws, f"{prefix}/app")
    add(there, "--prefix", prefix, "--default", key=aws.add_user())
    aws.calls.clear()
    ended = []

    def end_logins(request):
        if request.method == "PUT" and "/manifests/" in request.path and not ended:
            # A login that is refused right after it was given out is not asked for again.
            start = time.time()
            wait_for(lambda: time.time() > start + 11, "a login that is not new", timeout=20)
            for password, (account, region, _) in list(aws.logins.items()):
                aws.logins[password] = (account, region, 0)
            ended.append(request.path)

    aws.before = end_logins
    run = push(there, local_image, prefix)

    assert run.result == "success", run
    assert ended
    assert aws.actions() == ["GetAuthorizationToken"] * 2
    assert backend.tags(f"{prefix}/app") == ["v1"]


def test_a_login_that_is_about_to_end_is_not_used(there, aws, local_image, prefix):
    make_repository(aws, f"{prefix}/app")
    add(there, "--prefix", prefix, "--default", key=aws.add_user())
    aws.calls.clear()
    aws.login_life = 5 * 60

    assert push(there, local_image, prefix).result == "success"

    assert len(aws.calls) > 1


# --- roles ------------------------------------------------------------------------------------


def test_an_integrations_role_leads_to_its_account(there, aws, backend, local_image, prefix):
    key = aws.add_user(may=())
    role = aws.add_role("push", [key.principal], OTHER_ACCOUNT)
    make_repository(aws, f"{prefix}/app", OTHER_ACCOUNT)
    add(there, "--prefix", prefix, "--default", "--role-arn", role.arn, key=key)
    assert there.json("registry", "show", "aws")["domain"] == OTHER_DOMAIN

    run = push(there, local_image, prefix)

    assert run.result == "success", run
    assert backend.tags(f"{prefix}/app") == ["v1"]
    (principal, _, action, asked), (session, *_) = aws.calls[-2:]
    assert (principal, action) == (key.principal, "AssumeRole")
    assert asked["DurationSeconds"] == "3600"
    assert session == f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/push/default-session-name"


def test_a_steps_role_region_name_and_duration_are_what_aws_is_asked(
    there, aws, network, backend, local_image, prefix
):
    key = aws.add_user()
    role = aws.add_role("release", [key.principal], OTHER_ACCOUNT)
    aws.put_on(network, "us-east-1", accounts=(OTHER_ACCOUNT,))
    make_repository(aws, f"{prefix}/app", OTHER_ACCOUNT, "us-east-1")
    add(there, "--prefix", prefix, key=key)
    aws.calls.clear()

    run = push(
        there, local_image, prefix,
        f"registry: aws\n        region: us-east-1\n        role_arn: {role.arn}\n"
        "        aws_session_name: nightly\n        aws_duration_seconds: 900",
    )

    assert run.result == "success", run
    principal, region, action, asked = aws.calls[0]
    assert (principal, region, action) == (key.principal, "us-east-1", "AssumeRole")
    assert asked == {
        "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role.arn,
        "RoleSessionName": "nightly", "DurationSeconds": "900",
    }
    there_domain = f"{OTHER_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    assert f"{there_domain}/{prefix}/app:v1" in run.stdout
    assert backend.tags(f"{prefix}/app") == ["v1"]


def test_a_role_that_may_not_be_taken_is_told(there, aws):
    key = aws.add_user()
    role = aws.add_role("closed", [])

    refused = add(there, "--domain", DOMAIN, "--role-arn", role.arn, key=key, check=False)
    tested = there.run("registry", "test", "aws", check=False)

    said = refused.stderr + tested.stdout
    assert f"taking the role '{role.arn}'" in said or "AccessDenied" in said
    assert "is not authorized to perform: sts:AssumeRole" in said


# --- what the machine is ----------------------------------------------------------------------


def test_keys_of_the_environment(there, aws):
    role = aws.add_role("session", [])
    session = aws.make_session(role, "ci", 3600)
    environment = {
        "AWS_ACCESS_KEY_ID": session.id, "AWS_SECRET_ACCESS_KEY": session.secret,
        "AWS_SESSION_TOKEN": session.session,
    }

    add(there, env=environment)

    assert results(there, env=environment)["credentials"] == "passed"
    assert {principal for principal, *_ in aws.calls} == {session.principal}
    for secret in (session.secret, session.session):
        assert files_that_hold(there.data_dir, forms_of(secret)) == []


def test_a_web_identity_as_kubernetes_gives_it(there, aws, tmp_path):
    subject = "system:serviceaccount:ci:freshet"
    role = aws.add_role("pod", [subject])
    token = f"{secrets.token_urlsafe(40)}.{secrets.token_urlsafe(200)}.{secrets.token_urlsafe(90)}"
    aws.web_tokens[token] = subject
    (tmp_path / "token").write_text(token)
    environment = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": role.arn,
        "AWS_ROLE_SESSION_NAME": "pod-1", "AWS_REGION": REGION,
    }

    add(there, env=environment)

    assert results(there, env=environment)["credentials"] == "passed"
    caller, _, action, asked = aws.calls[0]
    assert (caller, action) == (subject, "AssumeRoleWithWebIdentity")
    assert asked["RoleSessionName"] == "pod-1"
    assert aws.calls[1][0].endswith("assumed-role/pod/pod-1")


def test_a_web_identity_that_sts_does_not_take_is_told_without_it(there, aws, tmp_path):
    token = secrets.token_urlsafe(60)
    (tmp_path / "token").write_text(token)
    role = aws.add_role("pod", [])
    environment = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": role.arn,
    }

    refused = add(there, env=environment, check=False)

    assert refused.returncode == 1
    assert "InvalidIdentityToken: Couldn't retrieve verification key" in refused.stderr
    assert not holds(refused.stdout + refused.stderr, forms_of(token))


def test_the_credentials_of_a_task(there, aws, network):
    role = aws.add_role("task", [])
    path = "/v2/credentials/4e2f"
    ContainerCredentials(aws, role, path).put_on(network, "169.254.170.2")
    environment = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path}

    add(there, env=environment)

    assert results(there, env=environment)["credentials"] == "passed"
    assert aws.calls[0][0].endswith("assumed-role/task/task")


def test_the_credentials_of_a_pod_need_its_token(there, aws, network, tmp_path):
    role = aws.add_role("pod", [])
    token = secrets.token_urlsafe(40)
    ContainerCredentials(aws, role, "/v1/credentials", token).put_on(network, "169.254.170.23")
    (tmp_path / "token").write_text(token + "\n")
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
    }

    add(there, env=environment)
    (tmp_path / "token").write_text("another")
    refused = there.run("registry", "test", "aws", check=False, env=environment)

    assert aws.calls[0][0].endswith("assumed-role/pod/task")
    assert refused.returncode == 1
    assert "the container's credentials endpoint gave no credentials (HTTP 401)" in refused.stdout


def test_the_role_of_an_instance_by_the_second_version_of_its_metadata(there, aws, network):
    role = aws.add_role("builder", [])
    metadata = InstanceMetadata(aws, role).put_on(network)

    add(there)

    assert results(there)["credentials"] == "passed"
    assert aws.calls[0][0].endswith("assumed-role/builder/i-0abc")
    assert metadata.refused == 0


def test_the_metadata_is_asked_directly_whatever_proxy_there_is(there, aws, network):
    InstanceMetadata(aws, aws.add_role("builder", [])).put_on(network)

    refused = add(there, env={"http_proxy": "http://127.0.0.1:1"})

    assert refused.returncode == 0
    assert there.json("registry", "show", "aws")["domain"] == DOMAIN


def test_a_machine_that_is_nobody_is_told_so(there, aws):
    refused = add(there, env={"AWS_EC2_METADATA_DISABLED": "true"}, check=False)

    assert refused.returncode == 1
    assert "this machine has no identity of AWS" in refused.stderr


# --- the public registry and logins of a step -------------------------------------------------


def test_the_public_registry_has_an_api_of_its_own(there, aws, network, backend, prefix):
    aws.put_public_on(network)
    key = aws.add_user(may=("ecr-public:GetAuthorizationToken",))
    add(there, "--prefix", prefix, key=key, provider="ecr-public")

    assert results(there) == {
        name: "passed" for name in ("reach", "tls", "protocol", "credentials", "pull", "push")
    }
    assert aws.calls[0][1:3] == ("us-east-1", "GetAuthorizationToken")


def test_a_push_step_with_keys_of_its_own(there, aws, backend, local_image, prefix):
    key = aws.add_user()
    make_repository(aws, f"{prefix}/app")

    run = there.run_pipeline(
        f"""
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            disable_push: true
            dockerfile: {{content: "FROM ${{{{BASE}}}}\\nLABEL salt={prefix}\\n"}}
          push:
            type: push
            candidate: ${{{{build}}}}
            image_name: {prefix}/app
            tag: v1
            provider: ecr
            accessKeyId: {key.id}
            secretAccessKey: ${{{{SECRET}}}}
            region: {REGION}
        """,
        vars={"BASE": local_image, "SECRET": key.secret},
    )

    assert run.result == "success", run
    assert backend.tags(f"{prefix}/app") == ["v1"]
    assert aws.actions() == ["GetAuthorizationToken"]
    for secret in (key.secret, *aws.logins):
        assert not holds(run.stdout + run.stderr, forms_of(secret))


# --- the fake itself --------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["nothing", "body", "query", "header", "key", "time"])
def test_the_check_of_signatures_agrees_with_amazons_own_library(change):
    auth = pytest.importorskip("botocore.auth")
    awsrequest = pytest.importorskip("botocore.awsrequest")
    credentials = pytest.importorskip("botocore.credentials")
    from email.message import Message

    from support.aws_signature import WrongSignature, check_signature
    from support.servers import Request

    key = credentials.Credentials("AKIDEXAMPLE", "secret/key", "session+token==")
    signed = awsrequest.AWSRequest(
        "POST", f"https://api.ecr.{REGION}.amazonaws.com/?b=2&a=1%20x", data=b'{"a": 1}',
        headers={"X-Amz-Target": "X.Y", "Content-Type": "application/x-amz-json-1.1",
                 "Host": f"api.ecr.{REGION}.amazonaws.com"},
    )
    auth.SigV4Auth(key, "ecr", REGION).add_auth(signed)
    headers = Message()
    for name, value in signed.headers.items():
        headers[name] = "Z.Y" if (change, name) == ("header", "X-Amz-Target") else value
    if change == "time":
        headers.replace_header("X-Amz-Date", "20200101T000000Z")
    request = Request(
        "POST", "/?b=3&a=1%20x" if change == "query" else "/?b=2&a=1%20x", headers,
        b"{}" if change == "body" else b'{"a": 1}',
    )
    secret = "other" if change == "key" else "secret/key"

    if change == "nothing":
        check_signature(request, secret, REGION, "ecr")
    else:
        with pytest.raises(WrongSignature):
            check_signature(request, secret, REGION, "ecr")
