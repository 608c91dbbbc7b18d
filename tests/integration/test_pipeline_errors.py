# SPDX-License-Identifier: Apache-2.0
"""What is wrong in codefresh.yml is told all at once, with its place, and nothing is run."""

import re
import textwrap

import pytest

from support.engine import Engine


@pytest.fixture
def check(freshet, tmp_path):
    """Runs a file that must not start; returns what was said on standard error.

    Some registry is connected, unless the test says otherwise, so that pushes are no error.
    """

    def check(text, exit_code=2, connect=True):
        if connect and not (freshet.data_dir / "freshet.db").exists():
            names = ["connected", "--domain", "registry.invalid", "--username", "ada"]
            freshet.run("registry", "add", *names, "--default", "--password-stdin", stdin="secret")
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / "codefresh.yml").write_text(textwrap.dedent(text))
        done = freshet.run("run", "--progress", "json", cwd=folder, check=False)
        assert done.returncode == exit_code, done
        assert done.stdout == "", done
        assert not (freshet.data_dir / "runs").exists()
        if (freshet.data_dir / "freshet.db").exists():
            assert freshet.query("SELECT count(*) FROM builds") == [(0,)]
        return done.stderr

    return check


def findings(text):
    """[(line, column, 'error' or 'warning', message)] as they were told."""
    pattern = re.compile(r"^codefresh\.yml:(\d+):(\d+): (error|warning): (.*)$", re.MULTILINE)
    found = pattern.findall(text)
    return [(int(line), int(column), kind, message) for line, column, kind, message in found]


def test_one_error_is_told_with_its_line_a_caret_and_a_hint(check):
    said = check(
        """\
        version: '1.0'
        steps:
          hello:
            image: alpine
            comands: [echo hello]
        """
    )

    assert said == (
        "codefresh.yml:5:5: error: 'comands' is not allowed\n"
        "        comands: [echo hello]\n"
        "        ^\n"
        "    hint: did you mean 'commands'?\n"
    )


def test_all_errors_of_a_file_are_told_at_once_in_their_order(check):
    said = check(
        """\
        version: '2.0'
        stages: [first]
        steps:
          build:
            type: build
            stage: frist
            tag: 1
            no_cache: maybe
          clone:
            type: git-clone
            depth: none
          push:
            type: push
            candidates: '${{build}}'
          run:
            commands: echo hello
            environment: [NAME]
          over.there: {image: alpine}
        """
    )

    assert findings(said) == [
        (1, 10, "error", "version '2.0' is invalid, it must be '1.0'"),
        (4, 3, "error", "'image_name' is required"),
        (6, 12, "error", "'stage' must be one of [first]"),
        (7, 10, "error", "'tag' must be a string"),
        (8, 15, "error", "'no_cache' must be a boolean"),
        (9, 3, "error", "'repo' is required"),
        (11, 12, "error", "'depth' must be a whole number of at least 1"),
        (12, 3, "error", "'candidate' is required"),
        (14, 5, "error", "'candidates' is not allowed"),
        (15, 3, "error", "'image' is required"),
        (16, 15, "error", "'commands' must be a list"),
        (17, 19, "error", "an entry of 'environment' must have the form KEY=value"),
        (18, 3, "error", "step name 'over.there' must not contain . # $ [ ]"),
    ]
    carets = [line for line in said.splitlines() if line.strip() == "^"]
    assert len(carets) == 13
    assert "hint: did you mean 'first'?" in said
    assert "hint: did you mean 'candidate'?" in said
    assert "hint: put it in quotes: '1'" in said


@pytest.mark.parametrize(
    "place, field",
    [
        ("root", "mode: parallel"),
        ("root", "hooks: {on_finish: {}}"),
        ("root", "fail_fast: false"),
        ("step", "when: {}"),
        ("step", "retry: {}"),
        ("step", "timeout: 1m"),
        ("step", "fail_fast: false"),
        ("step", "volumes: ['./a:/b']"),
        ("step", "services: {}"),
        ("build", "secrets: [a]"),
        ("build", "ssh: default"),
        ("build", "buildx: true"),
        ("build", "platform: linux/arm64"),
        ("build", "cache_from: [a]"),
        ("build", "cosign: {}"),
        ("build", "metadata: {}"),
        ("push", "retry: {}"),
        ("clone", "use_proxy: true"),
    ],
)
def test_a_field_that_comes_later_says_so(check, place, field):
    text = textwrap.dedent(
        """\
        version: '1.0'
        <root>
        steps:
          step:
            image: alpine
            <step>
          build:
            type: build
            image_name: app
            disable_push: true
            <build>
          push:
            type: push
            candidate: '${{build}}'
            <push>
          clone:
            type: git-clone
            repo: acme/app
            <clone>
        """
    ).replace(f"<{place}>", field)
    text = re.sub(r" *<\w+>", "", text)

    said = check(text)

    name = field.partition(":")[0]
    (line,) = [n for n, content in enumerate(text.splitlines(), 1) if content.strip() == field]
    assert [(at, kind, message) for at, _, kind, message in findings(said)] == [
        (line, "error", f"'{name}' is not supported yet")
    ]


@pytest.mark.parametrize(
    "kind",
    [
        "composition", "launch-composition", "deploy", "parallel", "push-tag",
        "pending-approval", "services", "freestyle-ssh", "github-action", "integration-test",
    ],
)
def test_a_step_type_that_comes_later_says_so(check, kind):
    said = check(f"version: '1.0'\nsteps:\n  step:\n    type: {kind}\n")

    assert findings(said) == [(4, 11, "error", f"step type '{kind}' is not supported yet")]


def test_a_custom_step_type_says_so_and_offers_the_nearest(check):
    said = check(
        """\
        version: '1.0'
        steps:
          one: {type: git_clone, repo: acme/app}
          two: {type: 'helm:1.2.3', arguments: {chart: x}}
        """
    )

    assert findings(said) == [
        (3, 15, "error", "custom step type 'git_clone' is not supported yet"),
        (4, 15, "error", "custom step type 'helm:1.2.3' is not supported yet"),
    ]
    assert "did you mean 'git-clone'?" in said


def test_an_unknown_registry_offers_the_nearest(check, freshet, registry):
    freshet.registry_add(registry, name="production")

    said = check(
        """\
        version: '1.0'
        steps:
          build: {type: build, image_name: app, registry: prodution}
          push:
            type: push
            candidate: '${{build}}'
            registry: somewhere-else-entirely
        """
    )

    assert findings(said) == [
        (3, 51, "error", "registry 'prodution' does not exist"),
        (7, 15, "error", "registry 'somewhere-else-entirely' does not exist"),
    ]
    assert "hint: did you mean 'production'?" in said
    assert "hint: connect it with 'freshet registry add'" in said


def test_an_unknown_registry_is_told_together_with_the_other_errors(check, freshet, registry):
    freshet.registry_add(registry, name="production")

    said = check(
        """\
        version: '1.0'
        steps:
          build: {type: build, image_name: app, registry: prodution}
          run: {image: alpine, comands: [ls]}
        """
    )

    assert findings(said) == [
        (3, 51, "error", "registry 'prodution' does not exist"),
        (4, 24, "error", "'comands' is not allowed"),
    ]


def test_a_host_that_nothing_is_connected_for_is_told(check):
    said = check(
        """\
        version: '1.0'
        steps:
          build: {type: build, image_name: app, registry: registry.example.com}
        """
    )

    ((line, column, kind, message),) = findings(said)
    assert (line, column, kind) == (3, 51, "error")
    assert message == "no registry is connected for 'registry.example.com'"


def test_a_push_without_any_registry_is_told(check):
    said = check(
        """\
        version: '1.0'
        steps:
          push: {type: push, candidate: 'alpine:3'}
        """,
        connect=False,
    )

    assert findings(said) == [
        (3, 3, "error", "step 'push' pushes an image, but no registry is connected")
    ]
    assert "hint: connect one with 'freshet registry add'" in said


@pytest.mark.parametrize(
    "text, line, column, message",
    [
        ("version: '1.0'\nsteps:\n\trun: {image: a}\n", 3, 1, "a tab is used as indentation"),
        ("version: '1.0\nsteps: {}\n", 1, 10, "a quote is opened and never closed"),
        ("version: '1.0'\nversion: '1.0'\nsteps: {}\n", 2, 1, None),
        ("version: '1.0'\nsteps:\n  a: {image: x, commands: [echo a: b]}\n", 3, None, None),
        ("version: '1.0'\nsteps:\n  a: {image: x, commands: [*unknown]}\n", 3, None, None),
        ("- a\n- b\n", 1, 1, "a pipeline must be a map with 'version' and 'steps'"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(check, text, line, column, message):
    said = check(text)

    found = findings(said)[0]
    assert found[0] == line, said
    assert column is None or found[1] == column, said
    assert message is None or found[3] == message, said
    assert "\n    " in said and "^" in said


def test_an_empty_file_is_told(check):
    said = check("")

    assert "the file is empty" in said
    assert "it starts with: version: '1.0'" in said


def test_a_missing_file_is_told(freshet, tmp_path):
    done = freshet.run("run", tmp_path / "nowhere", check=False)

    assert done.returncode == 1
    assert done.stderr == (
        f"error: there is no '{tmp_path}/nowhere'\n"
        "hint: give the folder that holds codefresh.yml, or the file itself\n"
    )


def test_a_malformed_variable_is_told(freshet, tmp_path):
    (tmp_path / "codefresh.yml").write_text("version: '1.0'\nsteps: {}\n")

    for word in ("NAME", "=value"):
        done = freshet.run("run", "--var", word, cwd=tmp_path, check=False)

        assert done.returncode == 2
        assert done.stderr == f"error: '{word}' is not a variable\nhint: write --var NAME=value\n"


def test_errors_are_told_without_an_engine(freshet, tmp_path):
    offline = freshet.with_engine(Engine(endpoint=f"unix://{tmp_path}/no.sock"))
    (tmp_path / "codefresh.yml").write_text("version: '1.0'\nsteps: {a: {}}\n")

    done = offline.run("run", cwd=tmp_path, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("codefresh.yml:2:9: error: 'image' is required\n")


def test_a_warning_does_not_keep_the_pipeline_from_running(freshet, local_image):
    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            dockerfile: {content: "FROM ${{BASE}}"}
        """,
        vars={"BASE": local_image},
    )

    assert run.result == "success", run
    warning = "the image of step 'build' will not be pushed, no default registry is set"
    assert f":4:3: warning: {warning}\n" in run.stderr


def test_a_name_that_nothing_explains_stops_the_step_with_its_place(freshet, local_image):
    run = freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          first: {image: '${{BASE}}', commands: ['true']}
          second:
            image: ${{BASES}}
        """,
        vars={"BASE": local_image},
    )

    assert run.results[-1] == ("second", "failure")
    error = run["second"].error
    assert error["message"] == "'image' uses '${{BASES}}', which is not known"
    assert error["at"]["line"] == 6
    assert "did you mean '${{BASE}}'?" in error["hint"]
    assert run.returncode == 2
