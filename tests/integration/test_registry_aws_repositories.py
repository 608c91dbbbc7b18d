# SPDX-License-Identifier: Apache-2.0
"""Repositories in Amazon ECR, which have to be there: made by hand or by a template."""

import json
import textwrap

import pytest

from support.aws import ACCOUNT
from support.ecr import DOMAIN, REGION, add, make_repository, push
from support.pipelines import SALTED_BUILD, with_fields
from support.private_network import can_make_networks

pytestmark = pytest.mark.skipif(not can_make_networks(), reason="only root can make networks")

UNPUSHED = with_fields(SALTED_BUILD, {"disable_push": "true"})


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
        there.run_pipeline(UNPUSHED, vars={"BASE": local_image, "SALT": prefix})
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
        UNPUSHED + textwrap.indent(PUSH_TWICE, "  "),
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
