# SPDX-License-Identifier: Apache-2.0
"""Build steps: what is built, of what, and under which names."""

import pytest

from support.pipelines import BUILD, with_fields


def context_sent(step):
    """What the step's log says: 'Built …: 1 of 2 instructions cached, 3.0 kB of context sent'."""
    (line,) = [line for line in step.log if line.startswith("Built ")]
    return line.partition(": ")[2]


# --- what goes wrong --------------------------------------------------------------------------


def test_a_missing_dockerfile_is_told_with_the_path_and_the_step(build):
    run = build({"other": ""})

    error = run["build"].error
    assert error["message"] == "no Dockerfile found at '/codefresh/volume/app/Dockerfile'"
    assert error["at"]["line"] == 4
    assert error["hint"] == "'dockerfile' is relative to 'working_directory', the build context"
    assert error["context"][-1].startswith("running step 'build' (")
    assert run.returncode == 1


def test_a_missing_dockerfile_points_to_the_field_that_names_it(build):
    run = build(dockerfile="docker/Dockerfile.prod")

    error = run["build"].error
    path = "/codefresh/volume/app/docker/Dockerfile.prod"
    assert error["message"] == f"no Dockerfile found at '{path}'"
    assert (error["at"]["line"], error["at"]["column"]) == (8, 17)


def test_a_syntax_error_is_told_with_its_line(build):
    run = build({"Dockerfile": "ARG BASE\nFROM ${BASE}\n\n# what now?\nRUNN echo hello\n"})

    error = run["build"].error
    assert "RUNN" in error["message"], run
    assert (error["at"]["file"], error["at"]["line"]) == ("Dockerfile", 5)
    assert error["context"][-1].startswith("running step 'build' (")
    assert run.returncode == 2


def test_an_empty_dockerfile_is_told(build):
    run = build({"Dockerfile": "# nothing\n"})

    assert run["build"].error["message"] == "'Dockerfile' is not valid: it has no instructions"


def test_a_failing_command_is_told_with_its_output_exit_code_step_and_line(build):
    run = build(
        {
            "Dockerfile": "ARG BASE\nFROM ${BASE}\nRUN true\n\n"
            "RUN echo to stdout; \\\n    echo to stderr >&2; exit 42\n"
        }
    )

    step = run["build"]
    assert step.result == "failure"
    assert "to stdout" in step.text
    assert "to stderr" in step.text
    assert step.error["message"].endswith("ended with exit code 42"), run
    assert "echo to stdout" in step.error["message"]
    assert (step.error["at"]["file"], step.error["at"]["line"]) == ("Dockerfile", 5)
    assert step.error["context"][-1].startswith("running step 'build' (")
    assert step.vertex("echo to stdout").state == "failed"
    assert run.returncode == 1


def test_a_failing_command_of_an_inline_dockerfile_is_told_with_its_line(build):
    run = build(dockerfile='{content: "FROM ${{BASE}}\\nRUN true\\nRUN exit 3\\n"}')

    error = run["build"].error
    assert error["code"] == "step_failed"
    assert error["message"] == "the command 'exit 3' ended with exit code 3"
    assert (error["at"]["file"], error["at"]["line"]) == ("inline Dockerfile", 3)


def test_on_a_terminal_the_failure_ends_the_output(build):
    files = {"Dockerfile": "ARG BASE\nFROM ${BASE}\nRUN exit 42\n"}
    repository = build.freshet.make_repository(with_fields(BUILD, {}), files)

    done = build.freshet.run(
        "run", repository.path, "--progress", "plain", "--var", f"BASE={build.base}", check=False
    )

    assert done.returncode == 1
    assert done.stderr == (
        "error: the command 'exit 42' ended with exit code 42\n"
        f"  while running step 'build' ({repository.path}/codefresh.yml:4:3)\n"
        "  at Dockerfile:3:1\n"
    )


def test_a_file_that_is_not_in_the_context_is_told(build):
    run = build({"Dockerfile": "ARG BASE\nFROM ${BASE}\nCOPY missing.txt /\n"})

    error = run["build"].error
    assert "missing.txt" in error["message"], run
    assert "does not exist in the build context" in error["message"]
    assert error["at"]["line"] == 3


def test_an_unknown_target_is_told(build):
    run = build({"Dockerfile": "ARG BASE\nFROM ${BASE} AS first\n"}, target="second")

    assert run["build"].error["message"] == "'Dockerfile' has no stage 'second'", run


def test_a_base_image_that_does_not_exist_is_told(connected, registry):
    missing = f"{registry.address}/no-such/base:9"
    run = connected.run_pipeline(
        BUILD, {"Dockerfile": "ARG BASE\nFROM ${BASE}\n"}, {"BASE": missing}
    )

    error = run["build"].error
    assert error["message"] == f"base image '{missing}' does not exist", run


def test_a_private_base_image_without_credentials_is_told(
    freshet, registry, engine, base_image, prefix
):
    private = engine.put_image(base_image, registry, f"{prefix}/private:1")
    run = freshet.run_pipeline(
        with_fields(BUILD, {"disable_push": "true"}),
        {"Dockerfile": "ARG BASE\nFROM ${BASE}\n"},
        {"BASE": private},
    )

    error = run["build"].error
    assert private in error["message"], run
    assert "den" in error["message"]  # denied, denies
    assert "credentials" in error["hint"]
    assert run.returncode == 1


def test_a_name_that_cannot_be_pushed_fails_before_anything_is_built(build, files):
    for name, problem in [
        ("Upper/Case", "upper-case"), ("a b", "a b"), ("elsewhere.invalid/app", "elsewhere")
    ]:
        run = build.freshet.run_pipeline(
            BUILD.replace("image_name: app", f"image_name: '{name}'"), files, {"BASE": build.base}
        )

        assert run["build"].result == "failure", run
        assert problem in run["build"].error["message"], run
        assert run["build"].vertices == []


@pytest.mark.parametrize("tag", ["-x", "'a b'", ".hidden"])
def test_what_is_no_tag_fails_before_anything_is_built(build, tag):
    run = build(tag=tag)

    assert f"'{tag.strip(chr(39))}' is not a" in run["build"].error["message"], run
    assert run["build"].error["at"]["line"] == 8
    assert run["build"].vertices == []


# --- where the Dockerfile and the context are -------------------------------------------------


def content_of(run, registry, prefix, path, tag="main"):
    """The content of the label 'content' of what was pushed."""
    assert run.result == "success", run
    return registry.config(f"{prefix}/app", tag)["config"]["Labels"].get(path)


LABEL = "ARG BASE\nFROM ${BASE}\nCOPY here.txt /\nLABEL content="


@pytest.mark.parametrize(
    "directory, dockerfile",
    [
        ("./sub", "../docker/Dockerfile.prod"),
        ("sub", "../docker/Dockerfile.prod"),
        ("/codefresh/volume/app/sub", "../docker/Dockerfile.prod"),
        ("'${{main_clone}}/sub'", "../docker/Dockerfile.prod"),
        ("./sub", "inner/Dockerfile"),
        ("./sub", "/inner/Dockerfile"),
    ],
)
def test_the_dockerfile_is_found_beside_and_inside_the_context(
    build, registry, prefix, directory, dockerfile
):
    files = {
        "docker/Dockerfile.prod": LABEL + "yes\n",
        "sub/inner/Dockerfile": LABEL + "yes\n",
        "sub/here.txt": "only in this context",
    }
    run = build(files, working_directory=directory, dockerfile=dockerfile)

    assert content_of(run, registry, prefix, "content") == "yes"


def test_an_inline_dockerfile_knows_variables_and_the_context(build, registry, prefix):
    run = build(
        {"here.txt": "here"},
        {"WHAT": "variables"},
        dockerfile='{content: "FROM ${{BASE}}\\nCOPY here.txt /\\nLABEL content=${{WHAT}}\\n"}',
    )

    assert content_of(run, registry, prefix, "content") == "variables"


@pytest.mark.parametrize("link", ["/etc/passwd", "../" * 20 + "etc/passwd"])
def test_a_dockerfile_that_is_a_link_out_of_the_volume_is_refused(build, tmp_path, link):
    repository = build.freshet.make_repository(BUILD, {"file": ""})
    (repository.path / "Dockerfile").symlink_to(link)
    repository.commit()

    run = build.freshet.run_repository(repository, {"BASE": build.base})

    assert run["build"].result == "failure", run
    assert "symbolic link" in run["build"].error["message"], run
    assert "root:" not in run.stdout


@pytest.mark.parametrize(
    "field",
    [
        "working_directory: ../../../../etc",
        "working_directory: /etc",
        "dockerfile: ../../../../etc/passwd",
    ],
)
def test_what_is_outside_of_the_volume_is_refused(build, field):
    name, _, value = field.partition(": ")
    run = build(**{name: value})

    assert "is outside of the shared volume" in run["build"].error["message"], run


# --- arguments, stages, cache -----------------------------------------------------------------


def test_build_arguments_reach_the_dockerfile_and_their_values_may_hold_equal_signs(
    build, registry, prefix
):
    run = build.freshet.run_pipeline(
        """
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            build_arguments:
              - BASE=${{BASE}}
              - PAIR=a=b=c
              - BRANCH=${{CF_BRANCH}}
              - EMPTY=
        """,
        {
            "Dockerfile": "ARG BASE\nFROM ${BASE}\nARG PAIR\nARG BRANCH\nARG EMPTY=full\n"
            'LABEL pair="${PAIR}" branch="${BRANCH}" empty="${EMPTY}"\n'
        },
        {"BASE": build.base},
    )

    assert run.result == "success", run
    labels = registry.config(f"{prefix}/app", "main")["config"]["Labels"]
    assert (labels["pair"], labels["branch"], labels["empty"]) == ("a=b=c", "main", "")


def test_a_target_leaves_out_what_it_does_not_need(build, registry, prefix):
    files = {
        "Dockerfile": "ARG BASE\nFROM ${BASE} AS first\nLABEL content=first\n"
        "FROM first AS second\nRUN false\nLABEL content=second\n"
    }
    run = build(files, target="first")

    assert content_of(run, registry, prefix, "content") == "first"


def test_without_cache_every_command_runs_again(build):
    assert build(no_cf_cache="true").result == "success"
    again, anew = build(no_cf_cache="true"), build(no_cache="'yes'")

    assert again["build"].vertex("RUN cat").cached
    assert not anew["build"].vertex("RUN cat").cached, anew
    assert context_sent(anew["build"]).startswith("0 of 2 instructions cached")


def test_an_unchanged_second_build_is_cached_and_sends_nothing(build, files):
    first, second = build(no_cf_cache="true"), build(no_cf_cache="true")

    assert (first.result, second.result) == ("success", "success"), second
    assert not first["build"].vertex("RUN cat").cached
    assert second["build"].vertex("RUN cat").cached
    assert second["build"].vertex("COPY . /src").cached
    # Newer builders ask for .dockerignore each time.
    ignore = len(files[".dockerignore"])
    assert context_sent(second["build"]) in [
        f"2 of 2 instructions cached, {sent} B of context sent" for sent in (0, ignore)
    ]
    assert second["build"].log[-1] != ""


def test_only_a_changed_file_is_sent_again(build, files):
    assert build().result == "success"

    run = build({**files, "b.txt": "c" * 2000})

    assert run.result == "success", run
    assert context_sent(run["build"]) == "0 of 2 instructions cached, 2.0 kB of context sent"


def test_what_dockerignore_names_is_neither_sent_nor_seen(build, registry, prefix):
    files = {
        "Dockerfile": "ARG BASE\nFROM ${BASE}\nCOPY . /src\n"
        "RUN cd /src && find . -type f | sort | tr '\\n' ' ' > /list && "
        "test \"$(cat /list)\" = './kept.txt ./sub/kept.log '\n",
        ".dockerignore": "*\n!kept.txt\n!sub\nsub/*.txt\n# comment\n",
        "kept.txt": "kept",
        "left.txt": "x" * 500_000,
        "sub/kept.log": "kept",
        "sub/left.txt": "x" * 500_000,
    }
    run = build(files)

    assert run.result == "success", run
    sent = len(files[".dockerignore"]) + len("kept") * 2
    assert context_sent(run["build"]).endswith(f", {sent} B of context sent")


# --- names and the push -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, tags",
    [
        ({"tag": "Feature-X"}, ["feature-x"]),
        ({"tag": "Feature-X", "tag_policy": "original"}, ["Feature-X"]),
        ({"tag": "Feature-X", "tag_policy": "lowercase"}, ["feature-x"]),
        ({"tags": "[one, 'Two', '${{CF_SHORT_REVISION}}']"}, ["one", "two", "<revision>"]),
        ({"tags": "[one, two]", "tag": "three"}, ["one", "three", "two"]),
        ({"tags": "[one, ONE]", "tag": "one"}, ["one"]),
        ({"tag": "${{CF_SHORT_REVISION}}"}, ["<revision>"]),
    ],
)
def test_the_tags_of_a_step(build, registry, prefix, fields, tags):
    run = build(**fields)

    assert run.result == "success", run
    expected = [tag.replace("<revision>", run.repository.short_revision) for tag in tags]
    assert registry.tags(f"{prefix}/app") == sorted(expected)
    digests = {registry.manifest(f"{prefix}/app", tag).digest for tag in expected}
    assert len(digests) == 1


def test_without_a_tag_the_branch_is_the_tag(build, registry, prefix, files):
    repository = build.freshet.make_repository(BUILD, files)
    repository.git("checkout", "--quiet", "-b", "Feature/ABC-12")

    run = build.freshet.run_repository(repository, {"BASE": build.base})

    assert run.result == "success", run
    assert registry.tags(f"{prefix}/app") == ["feature_abc-12"]


def test_the_registry_of_the_step_wins_over_the_default_one(build, registry, prefix):
    build.freshet.registry_add(
        registry, name="second", prefix=f"{prefix}/second", default=False
    )

    run = build(registry="second")

    assert run.result == "success", run
    assert registry.tags(f"{prefix}/second/app") == ["main"]
    assert registry.tags(f"{prefix}/app") == []


def test_a_name_with_the_registrys_own_domain_gets_no_prefix(build, registry, prefix, files):
    run = build.freshet.run_pipeline(
        BUILD.replace("image_name: app", "image_name: '${{DOMAIN}}/absolute/app'"),
        files, {"BASE": build.base, "DOMAIN": registry.address, "X": prefix},
    )

    assert run.result == "success", run
    assert registry.tags("absolute/app") == ["main"]
    registry.remove("absolute/app", "main")


def test_an_image_that_is_not_pushed_is_there_for_later_steps(
    connected, registry, prefix, local_image, files
):
    run = connected.run_pipeline(
        """
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            disable_push: true
            build_arguments: ['BASE=${{BASE}}']
          use:
            image: ${{build}}
            commands: [cat /joined]
          name_it:
            image: ${{BASE}}
            commands:
              - echo "${{build.imageName}} ${{steps.build.imageTagName}}"
              - test "${{build.imageId}}" = "${{steps.build.imageId}}"
        """,
        files, {"BASE": local_image},
    )

    assert run.result == "success", run
    assert run["use"].log[-1] == files["a.txt"] + files["b.txt"]
    assert "app app:main" in run["name_it"].log
    assert "Not pushed: 'disable_push' is set" in run["build"].log
    assert registry.tags(f"{prefix}/app") == []


@pytest.mark.parametrize(
    "mode, disable_push, result, is_pushed, words",
    [
        ("auto", None, "success", True, None),
        ("explicit", "true", "success", False, "Not pushed: 'disable_push' is set"),
        ("explicit", "${{NO}}", "failure", False, None),
        (
            "never", None, "success", False,
            "Not pushed: the step names no registry and the push mode is 'never'",
        ),
        ("never", "false", "success", True, None),
        ("never", "${{NO}}", "success", True, None),
    ],
)
def test_the_push_mode_decides_for_steps_that_name_no_registry(
    connected, registry, prefix, local_image, files, mode, disable_push, result, is_pushed, words
):
    connected.run("registry", "push-mode", mode)
    fields = {"disable_push": disable_push} if disable_push else {}

    run = connected.run_pipeline(
        with_fields(BUILD, fields), files, {"BASE": local_image, "NO": "false"}
    )

    assert run.result == result, run
    assert (registry.tags(f"{prefix}/app") != []) == is_pushed
    assert words is None or words in run["build"].log
    if result == "failure":
        error = run["build"].error
        assert error["message"] == "the step does not say where its image is pushed"
        assert not run["build"].log


def test_a_step_that_has_to_name_a_registry_and_does_not_keeps_the_pipeline_from_starting(
    connected, local_image, files
):
    connected.run("registry", "push-mode", "explicit")

    refused = connected.run_pipeline(BUILD, files, {"BASE": local_image})
    named = connected.run_pipeline(
        with_fields(BUILD, {"registry": "local"}), files, {"BASE": local_image}
    )

    assert refused.returncode == 2
    assert "step 'build' does not say where its image is pushed" in refused.stderr
    assert named.result == "success", named


def test_without_a_default_registry_the_image_stays_in_the_engine(
    freshet, registry, prefix, local_image, files
):
    freshet.registry_add(registry, prefix=prefix, default=False)

    run = freshet.run_pipeline(BUILD, files, {"BASE": local_image})

    assert run.result == "success", run
    assert "Not pushed: the step names no registry and none is the default" in run["build"].log
    assert registry.tags(f"{prefix}/app") == []


def test_a_private_base_image_is_pulled_with_the_integrations_password(
    connected, engine, registry, base_image, prefix
):
    private = engine.put_image(base_image, registry, f"{prefix}/private:1")
    assert engine.image(private) is None

    run = connected.run_pipeline(
        BUILD, {"Dockerfile": "ARG BASE\nFROM ${BASE}\nRUN echo fresh > /file\n"}, {"BASE": private}
    )

    assert run.result == "success", run
    pushed = registry.manifest(f"{prefix}/app", "main")
    base = registry.manifest(f"{prefix}/private", "1")
    assert len(pushed.layers) == len(base.layers) + 1


def test_the_labels_say_where_the_image_comes_from(build, registry, prefix):
    run = build()

    assert run.result == "success", run
    labels = registry.config(f"{prefix}/app", "main")["config"]["Labels"]
    (record,) = build.freshet.json("image", "list")["images"]
    assert labels == {
        "io.codefresh.repo.branch": "main",
        "io.codefresh.repo.hash": record["hash"],
        "io.codefresh.repo.name": "app",
        "io.codefresh.repo.sha": run.repository.revision,
        "io.codefresh.repo.type": "yml",
    }
