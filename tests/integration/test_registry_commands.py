# SPDX-License-Identifier: Apache-2.0
"""'freshet registry': integrations by name, their roles and fields."""

import pytest

from support.commands import run
from support.integrations import add, holder_of, names
from support.terminal import Terminal

# --- add, list, show --------------------------------------------------------------------------


def test_a_fresh_data_directory_has_no_registries_and_says_how_to_add_one(freshet):
    assert freshet.json("registry", "list") == {"registries": []}
    assert freshet.run("registry", "list").stdout == (
        "No registries yet. Connect one with:\n"
        "  freshet registry add NAME --domain HOST --username USER\n"
    )


def test_an_added_registry_is_listed_with_its_roles(freshet):
    add(freshet, "prod", "Registry.Invalid:5000", "--prefix", "/team/apps/", "--default", "--cache")

    (listed,) = freshet.json("registry", "list")["registries"]
    text = freshet.run("registry", "list").stdout

    id = listed.pop("id")
    assert freshet.json("registry", "show", id[:8])["name"] == "prod"
    assert listed.pop("created_at")
    assert listed == {
        "name": "prod",
        "provider": "other",
        "choice": "other",
        "kind": "standard",
        "domain": "registry.invalid:5000",
        "region": None,
        "username": "ada",
        "role_arn": None,
        "ambient_role": False,
        "creates_repositories": False,
        "scan_on_push": False,
        "immutable_tags": False,
        "lifecycle_policy": None,
        "repository_prefix": "team/apps",
        "fallback": None,
        "default": True,
        "caching": True,
        "primary": True,
        "behind_firewall": False,
        "plain_http": False,
        "skip_tls_verify": False,
        "ca_certificates": None,
        "client_certificate": None,
        "proxy": None,
        "proxy_username": None,
        "mirror": None,
        "token_server": None,
    }
    assert [line.split() for line in text.splitlines()] == [
        ["ID", "NAME", "PROVIDER", "KIND", "DOMAIN/PREFIX", "ROLES"],
        [
            id[:8], "prod", "other", "standard", "registry.invalid:5000/team/apps",
            "default,caching,primary",
        ],
    ]


def test_show_tells_one_registry_and_not_its_password(freshet):
    add(freshet, "prod", password="hush-hush")

    shown = freshet.run("registry", "show", "prod").stdout
    document = freshet.json("registry", "show", "prod")

    fields = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert fields["Name"] == "prod"
    assert fields["Domain"] == "registry.invalid"
    assert fields["Password"] == "stored, sealed"
    assert document["name"] == "prod"
    assert document["repository_prefix"] is None
    assert "password" not in document
    assert "hush-hush" not in shown + str(document)


def test_docker_hub_needs_no_domain(freshet):
    freshet.run(
        "registry", "add", "hub", "--provider", "dockerhub", "--username", "ada",
        "--password-stdin", stdin="token",
    )

    shown = freshet.json("registry", "show", "hub")
    assert (shown["provider"], shown["domain"]) == ("dockerhub", "docker.io")


def test_a_name_that_is_taken_is_refused_and_nothing_changes(freshet, registry):
    freshet.registry_add(registry)
    before = freshet.json("registry", "list")

    refused = add(freshet, "local", "other.invalid", "--default", check=False)

    assert refused.returncode == 1
    assert refused.stderr.startswith("error: an integration named 'local' exists already\n")
    assert "hint: " in refused.stderr
    assert freshet.json("registry", "list") == before
    assert freshet.run("registry", "test", "local", check=False).returncode == 0


@pytest.mark.parametrize(
    "name, domain",
    [
        ("prod", "https://registry.invalid/path"),
        ("prod", "registry.invalid/team"),
        ("prod", "registry invalid"),
        ("prod", "registry.invalid:70000"),
        ("prod", ""),
        ("registry.invalid", "registry.invalid"),
        ("", "registry.invalid"),
    ],
)
def test_what_cannot_work_is_refused(freshet, name, domain):
    refused = add(freshet, name, domain, check=False)

    assert refused.returncode == 2, refused
    assert refused.stderr.startswith("error: ")
    assert "password" not in refused.stderr
    assert names(freshet) == []


def test_what_cannot_work_is_refused_before_the_password_is_asked_for(freshet):
    command = freshet.command(
        "registry", "add", "prod", "--domain", "registry.invalid/team", "--username", "ada"
    )
    with Terminal(command, freshet.environment()) as terminal:
        assert terminal.finish(timeout=10) == 2, terminal.text

    assert "domain 'registry.invalid/team' has more than a host and a port" in terminal.text
    assert "Password" not in terminal.text


def test_an_unknown_name_offers_the_nearest(freshet):
    add(freshet, "staging")
    add(freshet, "production")

    for verb in (["show"], ["test"], ["set-default"], ["set-cache"], ["remove"], ["images"]):
        refused = freshet.run("registry", *verb, "prodution", check=False)

        assert refused.returncode == 1, refused
        assert "'prodution'" in refused.stderr, refused
        assert "did you mean 'production'?" in refused.stderr, refused
    assert names(freshet) == ["staging", "production"]


# --- providers --------------------------------------------------------------------------------


def test_providers_tell_what_they_ask_for(freshet):
    providers = {one["name"]: one for one in freshet.json("registry", "providers")["providers"]}
    listed = freshet.run("registry", "providers").stdout
    told = freshet.run("registry", "providers", "gar").stdout

    assert set(providers) >= {
        "dockerhub", "acr", "gcr", "gar", "ecr", "bintray", "other", "quay", "ghcr",
        "github-packages", "gitlab", "harbor", "nexus", "digitalocean", "heroku", "ecr-public",
    }
    assert all(name in listed for name in providers)
    assert providers["gcr"]["domains"] == ["gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io"]
    assert "JSON key file (--keyfile), required" in told
    refused = freshet.run("registry", "providers", "quai", check=False)
    assert refused.returncode == 2
    assert "did you mean 'quay'?" in refused.stderr


@pytest.mark.parametrize(
    "options, domain",
    [
        (["dockerhub", "--username", "ada"], "docker.io"),
        (["acr", "--domain", "acme.azurecr.io", "--client-id", "app"], "acme.azurecr.io"),
        (["gcr", "--domain", "eu.gcr.io", "--prefix", "project"], "eu.gcr.io"),
        (["gar", "--location", "us", "--prefix", "project/repository"], "us-docker.pkg.dev"),
        (
            ["ecr", "--region", "eu-west-1", "--access-key-id", "AKID", "--role-arn",
             "arn:aws:iam::123456789012:role/push"],
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        ),
        (["bintray", "--domain", "acme.bintray.io", "--username", "ada"], "acme.bintray.io"),
        (["other", "--domain", "r.example.com:5000", "--username", "ada"], "r.example.com:5000"),
        (["artifactory", "--domain", "acme.jfrog.io", "--username", "ada"], "acme.jfrog.io"),
        (["quay", "--username", "ada"], "quay.io"),
        (["ghcr", "--username", "ada", "--prefix", "ada"], "ghcr.io"),
        (["github-packages", "--username", "ada", "--prefix", "ada"], "docker.pkg.github.com"),
        (["gitlab", "--username", "ada"], "registry.gitlab.com"),
        (["harbor", "--domain", "harbor.example.com", "--username", "robot$ci"],
         "harbor.example.com"),
        (["nexus", "--domain", "nexus.example.com:8082", "--username", "ada"],
         "nexus.example.com:8082"),
        (["digitalocean"], "registry.digitalocean.com"),
        (["heroku"], "registry.heroku.com"),
        (["ecr-public", "--access-key-id", "AKID"], "public.ecr.aws"),
    ],
)
def test_each_provider_is_connected_with_its_own_fields(freshet, options, domain):
    secret = '{"type": "service_account", "private_key": "s3cret"}'
    if options[0] not in ("gcr", "gar"):
        secret = "s3cret"
    freshet.run("registry", "add", "one", "--provider", *options, "--password-stdin", stdin=secret)

    shown = freshet.json("registry", "show", "one")
    assert (shown["choice"], shown["domain"]) == (options[0], domain)
    assert "s3cret" not in str(shown)


def test_a_google_key_file_is_read_from_its_file(freshet, tmp_path):
    key = tmp_path / "key.json"
    key.write_text('{"type": "service_account",\n "private_key": "hush"}\n')

    freshet.run(
        "registry", "add", "gar", "--provider", "gar", "--location", "europe-west1",
        "--keyfile", str(key), "--prefix", "proj/repo",
    )
    key.write_text("no key")
    refused = freshet.run(
        "registry", "add", "gcr", "--provider", "gcr", "--domain", "gcr.io",
        "--keyfile", str(key), check=False,
    )

    shown = freshet.json("registry", "show", "gar")
    assert (shown["domain"], shown["username"]) == ("europe-west1-docker.pkg.dev", None)
    assert "hush" not in str(shown)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: the key file is not a JSON object\n")


def test_everything_that_is_wrong_is_told_at_once(freshet):
    refused = freshet.run(
        "registry", "add", "prod", "--provider", "gcr", "--domain", "us.gcr.io/my_org",
        "--username", "ada", "--behind-firewall", check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == (
        "error: domain 'us.gcr.io/my_org' has more than a host and a port; provider 'gcr' takes no "
        "user name; Google Container Registry is not installed behind a firewall"
    )


# --- changing ---------------------------------------------------------------------------------


def test_fields_are_changed_and_taken_away(freshet):
    add(freshet, "prod", "prod.invalid")
    add(freshet, "spare", "spare.invalid")

    freshet.run(
        "registry", "set", "prod", "--fallback", "spare", "--mirror", "mirror.invalid/hub",
        "--proxy", "http://proxy.invalid:3128", "--plain-http", "--behind-firewall",
    )
    spare = freshet.json("registry", "show", "spare")["id"]
    changed = freshet.json("registry", "show", "prod")
    assert changed["fallback"] == spare
    assert changed["mirror"] == "mirror.invalid/hub"
    assert changed["proxy"] == "http://proxy.invalid:3128"
    assert changed["plain_http"] and changed["behind_firewall"]
    assert "Fallback   spare" in freshet.run("registry", "show", "prod").stdout

    freshet.run("registry", "set", "prod", "--mirror", "", "--no-plain-http")
    freshet.run("registry", "remove", "spare")
    changed = freshet.json("registry", "show", "prod")
    assert (changed["mirror"], changed["fallback"]) == (None, None)
    assert not changed["plain_http"]


def test_another_domain_needs_the_password_again(freshet, registry):
    freshet.registry_add(registry)
    refused = run(
        "setsid", "--wait",
        *freshet.command("registry", "set", "local", "--domain", "evil.invalid"),
        env=freshet.environment(), check=False,
    )
    assert refused.returncode == 2
    assert "there is no terminal to ask for the password on" in refused.stderr
    assert freshet.json("registry", "show", "local")["domain"] == registry.address

    freshet.run(
        "registry", "set", "local", "--domain", "new.invalid", "--password-stdin", stdin="other"
    )
    assert freshet.json("registry", "show", "local")["domain"] == "new.invalid"


def test_the_primary_role_moves_on_demand(freshet):
    add(freshet, "one", "registry.invalid")
    add(freshet, "two", "registry.invalid")
    assert holder_of(freshet, "primary") == "one"

    freshet.run("registry", "set-primary", "two")
    assert holder_of(freshet, "primary") == "two"
    add(freshet, "three", "registry.invalid", "--primary")
    assert holder_of(freshet, "primary") == "three"


def test_what_is_behind_a_firewall_is_not_tested(freshet):
    add(freshet, "prod", "prod.invalid", "--behind-firewall")

    tested = freshet.run("registry", "test", "prod", check=False)

    assert tested.returncode == 0
    assert "'prod.invalid' is behind a firewall" in tested.stdout


# --- roles, prefix, name ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "verb, role, option",
    [("set-default", "default", "--default"), ("set-cache", "caching", "--cache")],
)
def test_a_role_has_one_holder_and_moves(freshet, verb, role, option):
    add(freshet, "one", "one.invalid", option)
    add(freshet, "two", "two.invalid")
    assert holder_of(freshet, role) == "one"

    freshet.run("registry", verb, "two")
    assert holder_of(freshet, role) == "two"

    add(freshet, "three", "three.invalid", option)
    assert holder_of(freshet, role) == "three"


def test_docker_hub_cannot_be_the_caching_registry(freshet):
    hub = ["registry", "add", "hub", "--provider", "dockerhub", "--username", "ada"]
    add(freshet, "own", "own.invalid", "--cache")

    added = freshet.run(*hub, "--password-stdin", "--cache", stdin="token", check=False)
    assert names(freshet) == ["own"]
    freshet.run(*hub, "--password-stdin", stdin="token")
    appointed = freshet.run("registry", "set-cache", "hub", check=False)

    for refused in (added, appointed):
        assert refused.returncode == 2, refused
        assert "Docker Hub cannot be the caching registry: " in refused.stderr
    assert holder_of(freshet, "caching") == "own"


def test_the_first_of_a_domain_is_primary_until_it_is_removed(freshet):
    add(freshet, "one", "registry.invalid")
    add(freshet, "two", "REGISTRY.invalid")
    add(freshet, "other", "other.invalid")

    def primaries():
        listed = freshet.json("registry", "list")["registries"]
        return [one["name"] for one in listed if one["primary"]]

    assert primaries() == ["one", "other"]
    freshet.run("registry", "remove", "one")
    assert primaries() == ["two", "other"]


def test_the_prefix_is_changed_and_taken_away(freshet):
    add(freshet, "prod")

    freshet.run("registry", "set-prefix", "prod", "/team/apps/")
    assert freshet.json("registry", "show", "prod")["repository_prefix"] == "team/apps"
    refused = freshet.run("registry", "set-prefix", "prod", "Team Apps", check=False)
    assert refused.returncode == 2, refused
    assert freshet.json("registry", "show", "prod")["repository_prefix"] == "team/apps"
    freshet.run("registry", "set-prefix", "prod", "")
    assert freshet.json("registry", "show", "prod")["repository_prefix"] is None


def test_rename_keeps_everything_but_the_name(freshet, registry):
    freshet.registry_add(registry, prefix="team")
    before = freshet.json("registry", "show", "local")

    freshet.run("registry", "rename", "local", "prod")

    assert freshet.json("registry", "show", "prod") == {**before, "name": "prod"}
    assert names(freshet) == ["prod"]
    assert freshet.run("registry", "test", "prod", check=False).returncode == 0


def test_rename_to_a_name_that_is_taken_or_unusable_changes_nothing(freshet):
    add(freshet, "one", "one.invalid")
    add(freshet, "two", "two.invalid")

    taken = freshet.run("registry", "rename", "one", "two", check=False)
    unusable = freshet.run("registry", "rename", "one", "registry.invalid:5000", check=False)

    assert taken.returncode == 1
    assert "an integration named 'two' exists already" in taken.stderr
    assert unusable.returncode == 2, unusable
    assert names(freshet) == ["one", "two"]


def test_a_removed_registry_is_gone_and_its_name_free(freshet):
    add(freshet, "prod", "registry.invalid", "--default", "--cache")

    freshet.run("registry", "remove", "prod")

    assert names(freshet) == []
    assert freshet.query("SELECT count(*) FROM registry_integrations") == [(0,)]
    add(freshet, "prod", "registry.invalid")
    assert holder_of(freshet, "default") is None


def test_set_password_renews_what_is_stored(freshet, registry):
    freshet.registry_add(registry, password="wrong", username="nobody")
    assert freshet.run("registry", "test", "local", check=False).returncode == 1

    freshet.run(
        "registry", "set-password", "local", "--username", registry.username, "--password-stdin",
        stdin=registry.password + "\n",
    )

    assert freshet.json("registry", "show", "local")["username"] == registry.username
    assert freshet.run("registry", "test", "local", check=False).returncode == 0
