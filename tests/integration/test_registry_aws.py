# SPDX-License-Identifier: Apache-2.0
"""Amazon ECR under its own names: signed calls that are checked, roles, logins that expire."""

import secrets
import time

import pytest

from support.aws import ACCOUNT
from support.ecr import (
    DOMAIN, OTHER_ACCOUNT, OTHER_DOMAIN, REGION, add, make_repository, push, results,
)
from support.leaks import files_that_hold, forms_of, holds
from support.pipelines import SALTED_BUILD, with_fields
from support.private_network import can_make_networks
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(not can_make_networks(), reason="only root can make networks")

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

    fields = {
        "registry": "aws", "region": "us-east-1", "role_arn": role.arn,
        "aws_session_name": "nightly", "aws_duration_seconds": 900,
    }
    run = push(there, local_image, prefix, with_fields(SALTED_BUILD, fields))

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
