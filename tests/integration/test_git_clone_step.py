# SPDX-License-Identifier: Apache-2.0
"""git-clone steps: which revision, what is kept between runs, what a step cannot do to git."""

import pytest

from support.commands import run as run_program

SHOW = """
    version: '1.0'
    steps:
      clone:
        type: git-clone
        repo: '${{SOURCE}}'
        <revision>
      show:
        image: ${{BASE}}
        working_directory: ${{clone}}
        commands:
          - pwd
          - cat file
"""


@pytest.fixture
def source(git_repository):
    """A repository with two commits on main, a tag between them, and a branch."""
    repository = git_repository("source", {"file": "first\n", ".gitignore": "*.cache\n"})
    repository.first = repository.revision
    repository.git("tag", "v1")
    repository.git("checkout", "--quiet", "-b", "feature/x")
    repository.commit({"file": "on the branch\n"})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"file": "newest\n"}, message="it's \"new\"")
    return repository


@pytest.fixture
def clone(freshet, local_image, source):
    """Clones the source at a revision and shows the file; returns the run."""

    def clone(revision=None, pipeline=SHOW, **vars):
        field = "" if revision is None else f"revision: '{revision}'"
        return freshet.run_pipeline(
            pipeline.replace("<revision>", field),
            vars={"BASE": local_image, "SOURCE": source.url, "CF_SKIP_MAIN_CLONE": "true", **vars},
        )

    clone.freshet = freshet
    return clone


# --- the revision -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "revision, content",
    [
        (None, "newest"),
        ("main", "newest"),
        ("feature/x", "on the branch"),
        ("v1", "first"),
        ("refs/tags/v1", "first"),
        ("${{WANTED}}", "first"),
    ],
)
def test_a_branch_a_tag_or_nothing_decides_the_revision(clone, revision, content):
    run = clone(revision, WANTED="v1")

    assert run.result == "success", run
    assert run["show"].log[-1] == content
    assert "/codefresh/volume/source" in run["show"].log


def test_a_hash_decides_the_revision_in_full_and_short(clone, source):
    for revision in (source.first, source.first[:10]):
        run = clone(revision)

        assert run["show"].log[-1] == "first", run
        assert f"HEAD is now at {source.first[:7]} Change something" in run["clone"].log


def test_the_default_branch_is_the_remotes_even_when_it_changes(clone, source):
    source.git("checkout", "--quiet", "feature/x")
    assert clone()["show"].log[-1] == "on the branch"

    source.git("checkout", "--quiet", "main")
    assert clone()["show"].log[-1] == "newest"


def test_a_commit_that_no_branch_leads_to_is_fetched_by_its_hash(clone, source):
    lost = source.commit({"file": "lost\n"})
    source.git("reset", "--hard", "--quiet", "HEAD~1")
    source.git("config", "uploadpack.allowAnySHA1InWant", "true")

    assert clone(lost)["show"].log[-1] == "lost"


def test_a_shallow_clone_has_one_commit(clone):
    run = clone(
        pipeline=SHOW.replace("<revision>", "depth: 1")
        + """
      count:
        image: ${{BASE}}
        working_directory: ${{clone}}
        commands: [wc -l < .git/shallow]
    """
    )

    assert run.result == "success", run
    assert run["show"].log[-1] == "newest"
    assert int(run["count"].log[-1]) >= 1


def test_a_clone_without_a_depth_after_a_shallow_one_has_the_whole_history(clone):
    clone(pipeline=SHOW.replace("<revision>", "depth: 1"))

    run = clone(
        pipeline=SHOW.replace("<revision>", "")
        + """
      look:
        image: ${{BASE}}
        working_directory: ${{clone}}
        commands: ['test ! -e .git/shallow']
    """
    )

    assert run.result == "success", run


def test_git_variables_of_a_hook_that_started_freshet_are_not_obeyed(freshet, local_image, tmp_path):
    index = tmp_path / "index-of-the-user"
    repository = freshet.make_repository(
        """
        version: '1.0'
        steps:
          look: {image: '${{BASE}}', commands: [cat codefresh.yml]}
        """
    )

    run = freshet.run_repository(
        repository, vars={"BASE": local_image}, env={"GIT_INDEX_FILE": str(index), "GIT_DIR": "/nowhere"}
    )

    assert run.result == "success", run
    assert not index.exists()


def test_an_unknown_revision_is_told(clone):
    run = clone("no-such-branch")

    error = run["clone"].error
    assert error["code"] == "not_found"
    assert error["message"] == "the repository has no branch, tag or commit 'no-such-branch'"
    assert error["context"][-1].startswith("running step 'clone' (")
    assert run.returncode == 1


@pytest.mark.parametrize("revision", ["--upload-pack=touch /tmp/freshet-pwned", "-x"])
def test_a_revision_that_looks_like_an_option_is_refused(clone, revision):
    run = clone(revision)

    assert f"'{revision}' is not a revision" in run["clone"].error["message"]
    assert run.returncode == 2


# --- the repository ---------------------------------------------------------------------------


def test_an_unknown_repository_is_told_with_gits_words(clone, tmp_path):
    run = clone(SOURCE=f"file://{tmp_path}/nowhere")

    error = run["clone"].error
    assert "'git fetch' ended with exit code 128" in error["message"]
    assert "nowhere" in run["clone"].text
    assert error["detail"]["remote_text"]
    assert run.returncode == 1


@pytest.mark.parametrize(
    "repository, problem",
    [
        ("https://ada:s3cret@example.invalid/a/b.git", "the repository's address holds a password or token"),
        ("--upload-pack=x", "is not the address of a repository"),
        ("ext::sh -c touch% /tmp/freshet-pwned", ""),
        ("what is this", "is not the address of a repository"),
    ],
)
def test_an_address_that_must_not_be_used_is_refused(clone, repository, problem):
    run = clone(SOURCE=repository)

    assert run["clone"].result == "failure", run
    assert problem in run["clone"].error["message"]
    assert "s3cret" not in str(run["clone"].error)
    assert not [line for line in run["clone"].log if line.startswith("Cloning")] or not problem


def test_a_password_in_an_address_is_not_shown(clone):
    run = clone(SOURCE="https://ada:s3cret@example.invalid/a/b.git")

    assert "s3cret" not in run.stdout + run.stderr


# --- from run to run --------------------------------------------------------------------------


def test_the_next_run_updates_and_keeps_only_ignored_files(clone, source):
    litter = """
      litter:
        image: ${{BASE}}
        working_directory: ${{clone}}
        commands:
          - test ! -e dependencies.cache
          - echo kept > dependencies.cache
          - mkdir -p sub && echo untracked > sub/untracked
          - echo changed > file
          - git init sub/nested 2>/dev/null || mkdir -p sub/nested/.git
    """
    look = """
      look:
        image: ${{BASE}}
        working_directory: ${{clone}}
        commands: ['cat dependencies.cache', 'test ! -e sub', 'cat second']
    """
    assert clone(pipeline=SHOW + litter).result == "success"
    source.commit({"second": "came later\n"})

    run = clone(pipeline=SHOW + look)

    assert run.result == "success", run
    assert run["show"].log[-1] == "newest"
    assert "kept" in run["look"].log
    assert run["look"].log[-1] == "came later"


def test_a_file_that_was_removed_upstream_is_gone(clone, source):
    source.commit({"extra": "x\n"})
    assert clone().result == "success"
    (source.path / "extra").unlink()
    source.commit()

    look = """
      look:
        image: ${{BASE}}
        working_directory: ${{clone}}
        commands: ['test ! -e extra']
    """
    run = clone(pipeline=SHOW + look)

    assert run.result == "success", run


def test_a_branch_that_was_rewritten_upstream_is_followed(clone, source):
    assert clone("feature/x").result == "success"
    source.git("checkout", "--quiet", "feature/x")
    source.git("reset", "--hard", "--quiet", "v1")
    source.commit({"file": "rewritten\n"})
    source.git("checkout", "--quiet", "main")

    assert clone("feature/x")["show"].log[-1] == "rewritten"


def test_another_repository_in_the_same_place_replaces_the_first(clone, git_repository):
    other = git_repository("elsewhere/source", {"file": "another repository\n"})
    assert clone()["show"].log[-1] == "newest"

    run = clone(SOURCE=other.url)

    assert run["show"].log[-1] == "another repository", run


# --- a step cannot make git on this machine run programs --------------------------------------

TAMPER = {
    "settings": """
          - printf '[core]\\n\\tfsmonitor = "touch ${{MARK}}; false"\\n' >> .git/config
          - printf '\\tsshCommand = "touch ${{MARK}}"\\n\\thooksPath = .git/hooks\\n' >> .git/config
          - printf '\\tpager = "touch ${{MARK}}"\\n\\teditor = "touch ${{MARK}}"\\n' >> .git/config
          - printf '[uploadpack]\\n\\tpackObjectsHook = touch ${{MARK}}\\n' >> .git/config
          - printf '[filter "evil"]\\n\\tsmudge = touch ${{MARK}}\\n' >> .git/config
          - printf '\\tclean = touch ${{MARK}}\\n' >> .git/config
          - mkdir -p .git/info && echo '* filter=evil' > .git/info/attributes
    """,
    "hooks": """
          - mkdir -p .git/hooks && cd .git/hooks
          - printf '#!/bin/sh\\ntouch ${{MARK}}\\n' > post-checkout && chmod 755 post-checkout
          - cp -a post-checkout post-merge && cp -a post-checkout reference-transaction
          - cp -a post-checkout pre-auto-gc && cp -a post-checkout post-index-change
    """,
    "another repository": """
          - mv .git ../moved && printf 'gitdir%s ../moved\\n' ':' > .git
          - printf '[core]\\n\\tfsmonitor = "touch ${{MARK}}; false"\\n' >> ../moved/config
          - mkdir -p ../moved/hooks && cd ../moved/hooks
          - printf '#!/bin/sh\\ntouch ${{MARK}}\\n' > post-checkout && chmod 755 post-checkout
    """,
    "a link": """
          - mv .git ../moved && ln -s ../moved .git
          - printf '[core]\\n\\tfsmonitor = "touch ${{MARK}}; false"\\n' >> ../moved/config
    """,
}


@pytest.mark.parametrize("how", list(TAMPER))
def test_what_a_step_writes_into_the_clone_is_not_run_on_this_machine(clone, source, tmp_path, how):
    mark = tmp_path / "marked"
    tamper = (
        "      tamper:\n        image: ${{BASE}}\n        working_directory: ${{clone}}\n"
        "        commands:" + TAMPER[how].rstrip() + "\n"
    )
    first = clone(pipeline=SHOW + tamper, MARK=str(mark))
    assert first.result == "success", first
    (checkout,) = (clone.freshet.data_dir / "volumes").glob("*/volume/source")
    # What was written does its work when git is used there plainly.
    run_program("git", "-C", checkout, "status", check=False)
    run_program("git", "-C", checkout, "checkout", "HEAD", check=False)
    assert mark.exists()
    mark.unlink()
    source.commit({"file": "after the tampering\n"})

    second = clone()

    assert second.result == "success", second
    assert second["show"].log[-1] == "after the tampering"
    assert not mark.exists()


def test_a_checkout_that_a_step_replaced_by_a_link_does_not_lead_out_of_the_volume(clone, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    replace = """
      replace:
        image: ${{BASE}}
        commands: ['rm -rf /codefresh/volume/source', 'ln -s ${{OUTSIDE}} /codefresh/volume/source']
    """
    assert clone(pipeline=SHOW + replace, OUTSIDE=str(outside)).result == "success"

    run = clone()

    assert [path.name for path in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "precious"
    assert run["clone"].result == "failure", run
    assert "leads out of the shared volume by a symbolic link" in run["clone"].error["message"]


# --- variables and the implicit clone ---------------------------------------------------------


def run_plain(freshet, folder, base):
    options = ["--progress", "plain", "--var", f"BASE={base}"]
    return freshet.run("run", folder, *options, check=False)


def test_the_clone_named_main_clone_decides_the_git_variables(freshet, source, local_image):
    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          main_clone: {type: git-clone, repo: '${{SOURCE}}', revision: feature/x}
          show:
            image: ${{BASE}}
            commands:
              - pwd
              - env
              - echo 'branch=${{CF_BRANCH}} tag=${{CF_BRANCH_TAG_NORMALIZED}}'
              - echo 'owner=${{CF_REPO_OWNER}}'
              - echo "step=${{main_clone.revision}} ${{main_clone.repo}} ${{main_clone.result}}"
        """,
        vars={"SOURCE": source.url, "BASE": local_image},
    )

    revision = source.git("rev-parse", "feature/x")
    assert run.result == "success", run
    assert run.results[0] == ("main_clone", "success")
    said = run["show"].log
    for line in (
        "/codefresh/volume/source",
        f"CF_REVISION={revision}",
        f"CF_SHORT_REVISION={revision[:7]}",
        "CF_REPO_NAME=source",
        "branch=feature/x tag=feature_x",
        "owner=${{CF_REPO_OWNER}}",
        f"step={revision} source success",
    ):
        assert line in said, (line, run)


def test_a_message_with_quotes_is_escaped(clone, source, freshet, local_image):
    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          main_clone: {type: git-clone, repo: '${{SOURCE}}'}
          show: {image: '${{BASE}}', commands: [env]}
        """,
        vars={"SOURCE": source.url, "BASE": local_image},
    )

    assert "CF_COMMIT_MESSAGE=it\\'s \\\"new\\\"" in run["show"].log, run


def test_a_pipeline_without_a_clone_starts_from_the_repository_that_holds_it(freshet, local_image):
    repository = freshet.make_repository(
        """
        version: '1.0'
        steps:
          show: {image: '${{BASE}}', commands: [pwd, cat file, 'test ! -e not-committed']}
        """,
        {"file": "committed\n"},
    )
    (repository.path / "file").write_text("changed and not committed\n")
    (repository.path / "not-committed").write_text("")

    run = freshet.run_repository(repository, {"BASE": local_image})

    assert run.results == [("main_clone", "success"), ("show", "success")], run
    assert "/codefresh/volume/app" in run["show"].log
    assert "committed" in run["show"].log
    assert "changed and not committed" not in run["show"].log


def test_a_pipeline_in_a_folder_of_a_repository_starts_from_the_whole_repository(
    freshet, local_image
):
    repository = freshet.make_repository("version: '1.0'\nsteps: {}\n", {"top": "the top\n"})
    folder = repository.path / "pipelines"
    folder.mkdir()
    (folder / "codefresh.yml").write_text(
        "version: '1.0'\nsteps:\n  show: {image: '${{BASE}}', commands: [cat top]}\n"
    )
    repository.commit()

    done = run_plain(freshet, folder, local_image)

    assert done.returncode == 0, done
    assert "the top" in done.stdout.splitlines()


def test_a_pipeline_outside_of_any_repository_has_no_git_variables(freshet, local_image, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "codefresh.yml").write_text(
        "version: '1.0'\nsteps:\n  show:\n    image: ${{BASE}}\n"
        "    commands:\n      - echo '${{CF_REVISION}}'\n      - pwd\n"
    )

    done = run_plain(freshet, folder, local_image)

    assert done.returncode == 0, done
    assert "${{CF_REVISION}}" in done.stdout.splitlines()
    assert "/codefresh/volume" in done.stdout.splitlines()
