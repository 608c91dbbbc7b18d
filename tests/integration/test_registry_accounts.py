# SPDX-License-Identifier: Apache-2.0
"""Several accounts and registries in one pipeline: who pulls, who pushes, and what if one is
down."""

import pytest

from support.servers import Answer, Wiretap, serve


@pytest.fixture
def tapped(registry):
    """The registry by an address at which is noted who asks for what."""
    tap = Wiretap(registry.address)
    yield tap
    tap.close()


def connect(freshet, registry, tapped, name, user, *options):
    password = registry.add_user(user)
    freshet.run(
        "registry", "add", name, "--domain", tapped.address, "--username", user,
        "--password-stdin", *options, stdin=password,
    )


@pytest.fixture
def accounts(freshet, registry, tapped, prefix):
    """Two users of the registry, connected as 'alice' and 'bob'; bob is the primary one."""
    for name in ("alice", "bob"):
        connect(freshet, registry, tapped, name, name)
    freshet.run("registry", "set-primary", "bob")


def users(tapped, path):
    """Who sent a login for what begins with the path."""
    return {user for user, _, _ in tapped.requests(path)} - {None}


def run_steps(freshet, text, vars=None):
    return freshet.run_pipeline(f"version: '1.0'\nsteps:\n{text}", vars=vars)


# --- two accounts of one domain ---------------------------------------------------------------


def test_the_primary_account_pulls_unless_a_context_is_named(
    freshet, engine, registry, tapped, base_image, prefix, accounts
):
    for name in ("first", "second"):
        engine.put_image(base_image, registry, f"{prefix}/{name}:1")

    run = run_steps(
        freshet,
        f"""
  primary: {{image: '{tapped.address}/{prefix}/first:1', commands: ['true']}}
  named:
    image: {tapped.address}/{prefix}/second:1
    registry_context: alice
    commands: ['true']
""",
    )

    assert run.result == "success", run
    assert users(tapped, f"/v2/{prefix}/first/") == {"bob"}
    assert users(tapped, f"/v2/{prefix}/second/") == {"alice"}
    assert "Login: the step names registry 'alice' for pulling" in run["named"].log


def test_a_push_logs_in_with_the_registry_that_it_names(
    freshet, tapped, local_image, prefix, accounts
):
    run = run_steps(
        freshet,
        f"""
  build:
    type: build
    image_name: {prefix}/pushed
    registry: alice
    dockerfile: {{content: "FROM ${{{{BASE}}}}\\nLABEL salt={prefix}\\n"}}
""",
        {"BASE": local_image},
    )

    assert run.result == "success", run
    assert users(tapped, f"/v2/{prefix}/pushed/") == {"alice"}, (run, tapped.requests())


def test_a_build_pulls_with_one_account_and_pushes_with_another(
    freshet, engine, registry, tapped, base_image, prefix, accounts
):
    engine.put_image(base_image, registry, f"{prefix}/staging:1")

    run = run_steps(
        freshet,
        f"""
  build:
    type: build
    image_name: {prefix}/production
    registry: bob
    registry_contexts: [alice]
    dockerfile:
      content: "FROM {tapped.address}/{prefix}/staging:1\\nLABEL salt={prefix}\\n"
""",
    )

    assert run.result == "success", run
    assert users(tapped, f"/v2/{prefix}/staging/") == {"alice"}
    assert users(tapped, f"/v2/{prefix}/production/") == {"bob"}


def test_the_account_with_the_longest_prefix_pulls_in_one_build(
    freshet, engine, registry, tapped, base_image, prefix
):
    """Two accounts of one domain in one Dockerfile: each pulls what lies below its prefix."""
    for name in ("one", "two"):
        engine.put_image(base_image, registry, f"{prefix}/{name}/base:1")
        connect(freshet, registry, tapped, name, name, "--prefix", f"{prefix}/{name}")
    where = f"{tapped.address}/{prefix}"

    run = run_steps(
        freshet,
        f"""
  build:
    type: build
    image_name: app
    disable_push: true
    dockerfile:
      content: |
        FROM {where}/one/base:1 AS one
        FROM {where}/two/base:1
        COPY --from=one /bin/busybox /copied
""",
    )

    assert run.result == "success", run
    for name in ("one", "two"):
        assert users(tapped, f"/v2/{prefix}/{name}/base/") == {name}


def test_contexts_of_one_domain_are_refused(freshet, tapped, accounts):
    run = run_steps(
        freshet,
        """
  build:
    type: build
    image_name: app
    registry_contexts: [alice, bob]
""",
    )

    assert run.returncode == 2
    assert (
        f"error: registry contexts 'alice' and 'bob' have the same domain '{tapped.address}'"
        in run.stderr
    )


# --- fallback and mirror ----------------------------------------------------------------------


def test_what_is_down_is_pulled_from_its_fallback(
    freshet, engine, registry, base_image, disposable_registry, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    freshet.registry_add(registry, name="fallback", prefix=prefix, default=False)
    freshet.registry_add(disposable_registry, name="down", prefix="team", default=False)
    freshet.run("registry", "set", "down", "--fallback", "fallback")
    disposable_registry.kill()
    asked = f"{disposable_registry.address}/team/tool:1"

    run = run_steps(
        freshet,
        f"""
  use: {{image: '{asked}', commands: [echo it runs]}}
""",
    )

    assert run.result == "success", run
    log = run["use"].text
    assert log.count(f"trying to pull {asked} again") == 2
    assert f"warning: cannot pull {asked}: " in log
    assert f"; trying {registry.address}/{prefix}/tool:1\n" in log
    assert "it runs" in log


def test_without_a_fallback_the_step_fails_with_the_registry_in_the_error(
    freshet, disposable_registry
):
    freshet.registry_add(disposable_registry, name="down")
    disposable_registry.kill()

    run = run_steps(
        freshet,
        f"""
  use: {{image: '{disposable_registry.address}/team/tool:1', commands: ['true']}}
""",
    )

    error = run["use"].error
    assert error["code"] == "unavailable", run
    assert error["context"][0] == f"pulling {disposable_registry.address}/team/tool:1"


# --- logins that a step carries ---------------------------------------------------------------


def test_a_push_with_credentials_of_its_own_needs_no_integration(
    freshet, registry, local_image, prefix
):
    run = run_steps(
        freshet,
        f"""
  build:
    type: build
    image_name: app
    disable_push: true
    dockerfile: {{content: "FROM ${{{{BASE}}}}\\nLABEL salt={prefix}\\n"}}
  push:
    type: push
    candidate: ${{{{build}}}}
    image_name: {prefix}/inline
    registry: {registry.address}
    credentials: {{username: {registry.username}, password: '${{{{PASSWORD}}}}'}}
  show:
    image: ${{{{BASE}}}}
    commands: ['echo it is ${{{{PASSWORD}}}}']
""",
        {"BASE": local_image, "PASSWORD": registry.password},
    )

    assert run.result == "success", run
    assert registry.tags(f"{prefix}/inline") == ["latest"]
    assert registry.password not in run.stdout + "".join(freshet.logs(run.build_id).values())
    record = freshet.json("image", "show", f"{registry.address}/{prefix}/inline:latest")
    assert record["tags"][0]["integration"] in (None, "")


def test_wrong_credentials_of_a_step_are_told_without_the_password(
    freshet, registry, local_image, prefix
):
    run = run_steps(
        freshet,
        f"""
  push:
    type: push
    candidate: {registry.address}/{prefix}/nothing:1
    registry: {registry.address}
    credentials: {{username: nobody, password: no-such-password}}
""",
    )

    assert run.result == "failure"
    assert "no-such-password" not in run.stdout + run.stderr


@pytest.mark.parametrize("credentials", ["", "credentials: {username: a, password: b}"])
def test_a_host_without_dot_is_the_name_of_an_integration(freshet, registry, credentials):
    freshet.registry_add(registry)

    run = run_steps(
        freshet,
        f"""
  push:
    type: push
    candidate: app
    registry: localhost:5000
    {credentials}
""",
    )

    assert run.returncode == 2
    assert "error: registry 'localhost:5000' does not exist" in run.stderr


def test_a_host_that_nobody_has_a_login_for_is_refused(freshet, registry):
    freshet.registry_add(registry)

    run = run_steps(
        freshet,
        """
  push: {type: push, candidate: app, registry: dtr.host.invalid}
""",
    )

    assert run.returncode == 2
    assert "error: no registry is connected for 'dtr.host.invalid'" in run.stderr


def test_credentials_go_to_their_own_registry_only(freshet, registry, local_image, prefix):
    """The host of the step's login is the only one that sees it."""
    seen = []

    def answer(method, path, headers):
        seen.append(headers.get("Authorization"))
        return Answer(404, "{}", {"Docker-Distribution-Api-Version": "registry/2.0"})

    with serve(answer) as stranger:
        run = run_steps(
            freshet,
            f"""
  push:
    type: push
    candidate: {stranger}/app:1
    registry: {registry.address}
    image_name: {prefix}/x
    credentials: {{username: {registry.username}, password: '${{{{PASSWORD}}}}'}}
""",
            {"PASSWORD": registry.password},
        )

    assert run["push"].error["code"] == "not_found", run
    assert seen and set(seen) == {None}
