# SPDX-License-Identifier: Apache-2.0
"""'freshet registry list' as people see it."""

from support.terminal import Terminal


def test_a_list_of_usual_registries_fits_into_100_columns(freshet):
    for name, options in {
        "hub": ["--provider", "dockerhub"],
        "prod": ["--domain", "registry.example.com:5000", "--prefix", "team/apps", "--default"],
        "inside": ["--domain", "registry.internal", "--behind-firewall"],
        "github": ["--provider", "ghcr", "--prefix", "acme"],
    }.items():
        freshet.run(
            "registry", "add", name, *options, "--username", "ada", "--password-stdin", stdin="x"
        )

    lines = freshet.run("registry", "list").stdout.splitlines()

    assert max(map(len, lines)) <= 100
    assert [line.split()[-1] for line in lines] == [
        "ROLES", "primary", "default,primary", "primary,firewall", "primary",
    ]


def test_a_long_host_gives_way_in_a_narrow_terminal_and_nowhere_else(freshet):
    host = "registry.of-a-department-with-a-long-name.eu-west-1.example.com"
    freshet.run(
        "registry", "add", "prod", "--domain", host, "--prefix", "team/apps", "--default",
        "--username", "ada", "--password-stdin", stdin="x",
    )

    with Terminal(
        freshet.command("registry", "list"), freshet.environment(), columns=90
    ) as terminal:
        assert terminal.finish() == 0
    piped = freshet.run("registry", "list").stdout

    assert {len(line.rstrip()) for line in terminal.text.splitlines()[1:]} == {90}
    assert "  registry.of-a-depa…mple.com/team/apps  " in terminal.text
    assert f"  {host}/team/apps  " in piped
