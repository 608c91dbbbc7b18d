# SPDX-License-Identifier: Apache-2.0
"""Runs of a user who is not root, while the steps' containers are."""

import os

import pytest

from support.commands import run as run_program
from support.ordinary_user import ordinary_user

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

# Shows what it finds, then leaves files of root's that an ordinary user could not even list.
MESS = """
    version: '1.0'
    steps:
      look:
        image: '${{BASE}}'
        commands:
          - 'find . -path ./.git -prune -o -print | sort'
          - 'cat src/file'
          - 'cat /codefresh/volume/cache/file || echo none'
          - 'stat -c "%u %a" /codefresh/volume/cache || echo none'
      mess:
        image: '${{BASE}}'
        commands:
          - 'rm -rf src && mkdir -m 700 src private .git/private'
          - 'echo mine | tee src/file new private/file .git/private/file > .git/config'
          - 'chmod 600 new && ln -s /etc/passwd link && ln -s / private/root'
          - 'rm -rf .git/refs && ln -s /etc .git/refs'
          - 'mkdir -p /codefresh/volume/cache && echo kept > /codefresh/volume/cache/file'
          - 'chown -R 500:500 /codefresh/volume/cache && chmod 700 /codefresh/volume/cache'
"""
FILES = {"src/file": "one\n", ".gitignore": "ignored\n"}
SEEN = [".", "./.gitignore", "./codefresh.yml", "./src", "./src/file"]


@pytest.fixture
def freshet(binary, engine):
    with ordinary_user(binary, engine) as runner:
        yield runner


@pytest.fixture
def vars(local_image):
    return {"BASE": local_image}


def helpers(engine):
    """{name: id} of the images of Freshet's own program."""
    listed = engine.get("/images/json")
    tags = [(tag, image["Id"]) for image in listed for tag in image["RepoTags"] or []]
    return {tag: id for tag, id in tags if tag.startswith("freshet-helper:")}


def assert_nothing_is_left(freshet, engine):
    assert freshet.left_on_disk() == []
    for (build,) in freshet.query("SELECT id FROM builds"):
        label = f"io.freshet.build={build}"
        assert [*engine.containers(label), *engine.volumes(label)] == []


# --- between the builds of a pipeline ---------------------------------------------------------


def test_files_of_root_in_a_checkout_do_not_get_in_the_way_of_the_next_build(
    freshet, engine, vars
):
    repository = freshet.make_repository(MESS, FILES)
    first = freshet.run_repository(repository, vars)
    freshet.commit(repository, {"src/file": "two\n"})
    second = freshet.run_repository(repository, vars)
    third = freshet.run_repository(repository, vars)

    assert first.result == "success", first
    for run, content in ((second, "two"), (third, "two")):
        assert run.result == "success", run
        assert [line for line in run["look"].log if line.startswith(".")] == SEEN, run
        assert content in run["look"].log
        assert "kept" in run["look"].log
        assert "500 700" in run["look"].log  # not ours to change
        assert "Took over what other users made in /codefresh/volume/app" in run["main_clone"].log
        assert "warning" not in run.stdout
    assert "Took over" not in first["main_clone"].text
    assert_nothing_is_left(freshet, engine)


def test_the_helper_does_not_run_where_nothing_is_foreign(freshet, vars):
    pipeline = """
        version: '1.0'
        steps:
          quiet: {image: '${{BASE}}', commands: ['cat src/file']}
    """
    repository = freshet.make_repository(pipeline, FILES)
    runs = [freshet.run_repository(repository, vars) for _ in range(2)]

    for run in runs:
        assert run.result == "success", run
        assert "Took over" not in run["main_clone"].text


def test_the_image_of_the_helper_is_kept_and_a_false_one_never_run(
    freshet, engine, vars, local_image
):
    repository = freshet.make_repository(MESS, FILES)
    for _ in range(2):
        assert freshet.run_repository(repository, vars).result == "success"
    ((name, genuine),) = helpers(engine).items()
    assert engine.image(name)["Config"]["Labels"] == {"io.freshet.helper": "reclaim"}

    assert freshet.run_repository(repository, vars).result == "success"
    assert helpers(engine) == {name: genuine}

    engine.docker("tag", local_image, name)
    again = freshet.run_repository(repository, vars)

    assert again.result == "success", again
    assert engine.image(name)["RootFS"] == engine.image(genuine)["RootFS"]
    engine.remove_image(genuine)


@pytest.mark.parametrize("mode", ["777", "700", "1777", "0"])
def test_a_step_may_take_the_whole_volume(freshet, engine, vars, mode):
    repository = freshet.make_repository(
        f"""
        version: '1.0'
        steps:
          look: {{image: '${{{{BASE}}}}', commands: ['cat src/file', 'echo got-$GIFT-']}}
          take:
            image: '${{{{BASE}}}}'
            commands:
              - touch /codefresh/volume/kept
              - cf_export GIFT=a-gift
              - chown -R 1234:1234 /codefresh/volume
              - chmod {mode} /codefresh/volume
          use: {{image: '${{{{BASE}}}}', commands: ['echo $GIFT', 'ls /codefresh/volume/kept']}}
        """,
        FILES,
    )
    runs = [freshet.run_repository(repository, vars) for _ in range(3)]

    for run in runs:
        assert run.result == "success", run
        assert "a-gift" in run["use"].log
        assert "got--" in run["look"].log, "an export reached the next build"
        assert "warning" not in run.stdout
    assert_nothing_is_left(freshet, engine)
    assert (freshet.saved_volume() / "kept").stat().st_uid == 1234


def test_a_checkout_goes_into_a_folder_of_roots_and_makes_way_for_another_repository(
    freshet, engine, vars
):
    pipeline = """
        version: '1.0'
        steps:
          clone: {type: git-clone, repo: '${{SOURCE}}', working_directory: /codefresh/volume/a/b}
          mess:
            image: '${{BASE}}'
            working_directory: '${{clone}}'
            commands:
              - cat file
              - mkdir -m 700 private && touch private/x
              - chown -R 0:0 /codefresh/volume/a && chmod 755 /codefresh/volume/a
              - chmod 700 /codefresh/volume/a/b
              - touch /codefresh/volume/a/other
    """
    sources = [
        freshet.make_repository("steps: {}\n", {"file": f"{name}\n"}, name=f"{name}/source")
        for name in ("first", "second")
    ]
    repository = freshet.make_repository(pipeline)
    for source in [*sources, sources[0]]:
        run = freshet.run_repository(
            repository, {**vars, "SOURCE": source.url, "CF_SKIP_MAIN_CLONE": "true"}
        )
        assert run.result == "success", run
        assert source.path.parent.name in run["mess"].log
    assert (freshet.saved_volume() / "a/other").stat().st_uid == 0
    assert_nothing_is_left(freshet, engine)


@pytest.mark.parametrize("place", ["/etc", "/codefresh", "/codefresh/volume/out"])
def test_a_checkout_outside_of_the_volume_is_refused(freshet, engine, vars, place):
    run = freshet.run_pipeline(
        f"""
        version: '1.0'
        steps:
          link: {{image: '${{{{BASE}}}}', commands: ['ln -s /etc /codefresh/volume/out']}}
          clone: {{type: git-clone, repo: '${{{{SOURCE}}}}', working_directory: '{place}'}}
        """,
        vars={**vars, "SOURCE": "file:///nowhere/source", "CF_SKIP_MAIN_CLONE": "true"},
    )

    assert run["clone"].result == "failure", run
    problem = "leads out of" if place.endswith("out") else "is outside of"
    assert f"'{place}/source' {problem} the shared volume" in run["clone"].error["message"]
    assert_nothing_is_left(freshet, engine)


# --- what a run leaves ------------------------------------------------------------------------

WAIT = """
    version: '1.0'
    steps:
      wait:
        image: '${{BASE}}'
        commands:
          - mkdir -p -m 700 private /codefresh/volume/private
          - touch private/file /codefresh/volume/private/file
          - chown -R 77 /codefresh/volume && chmod 700 /codefresh/volume
          - echo ready
          - '[ -z "$WAIT" ] || sleep 1000'
"""


def test_what_a_killed_run_left_is_removed_by_the_next(freshet, engine, vars):
    live = freshet.start_pipeline(WAIT, FILES, {**vars, "WAIT": "yes"})
    live.wait_for_event("log", step="wait", line="ready")
    live.kill()
    assert live.finish().returncode == -9
    assert freshet.left_on_disk() != []

    again = freshet.run_repository(live.repository, vars)

    assert again.result == "success", again
    assert "cannot" not in again.stdout
    assert_nothing_is_left(freshet, engine)


def test_a_state_that_another_run_saved_meanwhile_is_removed(freshet, engine, vars):
    repository = freshet.make_repository(WAIT, FILES)
    live = freshet.start_repository(repository, {**vars, "WAIT": "yes"})
    live.wait_for_event("log", step="wait", line="ready")
    quick = freshet.run_repository(repository, vars)
    assert quick.result == "success", quick

    live.interrupt()
    stopped = live.finish()

    assert stopped.returncode == 130, stopped
    assert "cannot" not in stopped.stdout
    assert_nothing_is_left(freshet, engine)


def test_what_not_even_root_can_change_is_told_and_looked_at_again(freshet, engine, vars):
    live = freshet.start_pipeline(WAIT, FILES, {**vars, "WAIT": "yes"})
    build = live.wait_for_event("build_started")["build"]
    live.wait_for_event("log", step="wait", line="ready")
    file = freshet.volume(build) / "private/file"
    if run_program("chattr", "+i", file, check=False).returncode != 0:
        live.interrupt()
        live.finish()
        pytest.skip("the file system knows no immutable files")
    try:
        live.kill()
        live.finish()
        again = freshet.run_repository(live.repository, vars)
    finally:
        run_program("chattr", "-i", file)

    assert again.result == "success", again
    assert f"not even root can give us what is in '{freshet.data_dir}/runs/{build}/" in again.stdout
    assert (freshet.data_dir / "runs" / build / "running").exists()
    assert freshet.run_repository(live.repository, vars).result == "success"
    assert_nothing_is_left(freshet, engine)


# --- pushes -----------------------------------------------------------------------------------

PUSH = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: large
        tag: '${{TAG}}'
        working_directory: '${{main_clone}}'
        registry: local
"""
LARGE = "RUN head -c 40000000 /dev/urandom > /large"
EXPORTED = "the engine exports the image"
HANDED_OVER = "the engine hands over just those layers"


def test_a_small_change_of_a_large_image_is_pushed_without_exporting_it(
    freshet, engine, registry, vars, prefix
):
    freshet.registry_add(registry, name="local", prefix=prefix)
    dockerfile = f"FROM {vars['BASE']}\n{LARGE}\n"
    repository = freshet.make_repository(PUSH, {"Dockerfile": dockerfile, "change": "1"})
    first = freshet.run_repository(repository, {"TAG": "one"})
    assert first.result == "success", first
    freshet.commit(repository, {"Dockerfile": dockerfile + "COPY change /change\n"})
    second = freshet.run_repository(repository, {"TAG": "two"})
    again = freshet.run_repository(repository, {"TAG": "three"})

    assert second.result == again.result == "success", (second, again)
    assert any(EXPORTED in line for line in first["build"].log), first
    assert any(HANDED_OVER in line for line in second["build"].log), second
    assert not any("warning" in line for line in second["build"].log), second
    for run in (first, again):
        assert HANDED_OVER not in run["build"].text
    (image,) = [event["image"] for event in second.events if event["event"] == "image"]
    manifest = registry.manifest(f"{prefix}/large", "two")
    assert manifest.body["config"]["digest"] == "sha256:" + image["internal_image_id"]
    assert image["repo_digest"].endswith(f"/{prefix}/large@{manifest.digest}")
    assert manifest.layers[:-1] == registry.manifest(f"{prefix}/large", "one").layers
    names = [tag for image in engine.get("/images/json") for tag in image["RepoTags"] or []]
    assert [name for name in names if "/freshet/" in name or "freshet-name/" in name] == []
