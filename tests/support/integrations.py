# SPDX-License-Identifier: Apache-2.0
"""Registries as the tests of 'freshet registry' connect and list them."""


def names(freshet):
    return [one["name"] for one in freshet.json("registry", "list")["registries"]]


def holder_of(freshet, role):
    """The name of the one integration with that role, or None."""
    listed = freshet.json("registry", "list")["registries"]
    holders = [one["name"] for one in listed if one[role]]
    assert len(holders) <= 1, holders
    return holders[0] if holders else None


def add(freshet, name, domain="registry.invalid", *options, password="pass-word", check=True):
    return freshet.run(
        "registry", "add", name, "--domain", domain, "--username", "ada", "--password-stdin",
        *options, stdin=password, check=check,
    )
