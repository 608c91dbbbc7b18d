# SPDX-License-Identifier: Apache-2.0
"""Amazon ECR with the identity of the machine: environment, web identity, task, pod, instance."""

import secrets

import pytest

from support.aws_machine import ContainerCredentials, InstanceMetadata
from support.ecr import DOMAIN, REGION, add, results
from support.leaks import files_that_hold, forms_of, holds
from support.private_network import can_make_networks

pytestmark = pytest.mark.skipif(not can_make_networks(), reason="only root can make networks")


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
