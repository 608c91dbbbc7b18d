# SPDX-License-Identifier: Apache-2.0
"""Registries behind a firewall: runs connect to them, everything else leaves them alone."""

import pytest


@pytest.mark.parametrize(
    "command, end",
    [
        ("promote", "from"), ("promote", "to"), ("copy", "from"), ("copy", "to"), ("copy", "text"),
        ("tag", "to"), ("tag", "text"), ("untag", "to"), ("untag", "text"), ("images", "to"),
    ],
)
def test_what_is_behind_a_firewall_is_not_connected_to(
    both, built, registry, other_registry, prefix, command, end
):
    """'from' and 'to': which side of a move is behind it; 'text': named by its host."""
    inside = f"{other_registry.address}/{prefix}/prod/app"
    outside = f"{registry.address}/{prefix}/app"
    words = {
        ("promote", "from"): [f"{inside}:v1", "--registry", "staging", "--tag", "v2"],
        ("promote", "to"): [built["id"], "--registry", "prod", "--tag", "v2"],
        ("copy", "from"): ["app:v1", outside, "--from", "prod"],
        ("copy", "to"): [f"{outside}:v1", "app:v2", "--to", "prod"],
        ("copy", "text"): [f"{inside}:v1", outside],
        ("tag", "to"): [built["id"], "v2", "--registry", "prod"],
        ("tag", "text"): [f"{inside}:v1", "v2"],
        ("untag", "to"): [built["id"], "v1", "--registry", "prod"],
        ("untag", "text"): [f"{inside}:v1", "v1"],
        ("images", "to"): ["prod"],
    }[command, end]
    both.run("registry", "set", "prod", "--behind-firewall")
    asked = len(other_registry.requests())

    group = "registry" if command == "images" else "image"
    refused = both.run(group, command, *words, check=False)

    assert refused.returncode == 2
    assert refused.stderr == (
        "error: registry 'prod' is behind a firewall: only runs of pipelines connect to it\n"
        "hint: use a push step on a machine that reaches it; if that is this one: 'freshet "
        "registry set prod --no-behind-firewall'\n"
    )
    assert len(other_registry.requests()) == asked


def test_a_run_connects_to_what_is_behind_a_firewall(both, built, other_registry, prefix):
    both.run("registry", "set", "prod", "--behind-firewall")

    run = both.run_pipeline(
        f"""
        version: '1.0'
        steps:
          push: {{type: push, candidate: '{built["tags"][0]["reference"]}', registry: prod, tag: v3}}
          use: {{image: '{other_registry.address}/{prefix}/prod/{prefix}/app:v3', commands: [cat /x]}}
        """
    )

    assert run.result == "success", run
    assert other_registry.tags(f"{prefix}/prod/{prefix}/app") == ["v3"]
