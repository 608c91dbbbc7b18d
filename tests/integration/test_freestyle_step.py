# SPDX-License-Identifier: Apache-2.0
"""Freestyle steps: a container for each, its image, its script, the shared volume."""

import pytest


# --- the image --------------------------------------------------------------------------------


@pytest.mark.parametrize("has_registry", [False, True])
def test_an_image_that_was_just_built_runs_with_and_without_a_registry(
    freshet, registry, prefix, steps, has_registry
):
    if has_registry:
        freshet.registry_add(registry, prefix=prefix)

    run = steps(
        """
        build:
          type: build
          image_name: app
          dockerfile: {content: "FROM ${{BASE}}\\nRUN echo ${{SALT}} > /made\\n"}
        bare: {image: '${{build}}', commands: [cat /made]}
        by_id: {image: '${{build.imageId}}', commands: [cat /made]}
        """,
        vars={"SALT": prefix},
    )

    assert run.result == "success", run
    assert run["bare"].log[-1] == prefix
    assert run["by_id"].log[-1] == prefix
    assert registry.tags(f"{prefix}/app") == (["main"] if has_registry else [])


def test_a_private_image_is_pulled_through_its_integration(
    connected, engine, registry, base_image, prefix
):
    private = engine.put_image(base_image, registry, f"{prefix}/tool:1")
    assert engine.image(private) is None
    pipeline = """
        version: '1.0'
        steps:
          use: {image: '${{PRIVATE}}', commands: [echo in the tool]}
    """

    first = connected.run_pipeline(pipeline, vars={"PRIVATE": private})
    second = connected.run_pipeline(pipeline, vars={"PRIVATE": private})

    assert "in the tool" in first["use"].log, first
    assert f"Pulling image {private}" in first["use"].log
    assert second.result == "success"
    assert "Pulling image" not in second["use"].text


def test_a_tag_that_moved_in_the_registry_is_pulled_again(
    connected, engine, registry, base_image, local_image, prefix
):
    reference = engine.put_image(base_image, registry, f"{prefix}/moving:1")
    pipeline = """
        version: '1.0'
        steps:
          use: {image: '${{MOVING}}', commands: ['cat /version 2>/dev/null || echo old']}
    """
    old = connected.run_pipeline(pipeline, vars={"MOVING": reference})
    write = ["sh", "-c", "echo new > /version"]
    container = engine.docker("run", "-d", local_image, *write).stdout.strip()
    engine.docker("wait", container)
    engine.docker("commit", container, "freshet-test-moved:1")
    engine.docker("rm", container)
    engine.put_image("freshet-test-moved:1", registry, f"{prefix}/moving:1")
    engine.docker("tag", base_image, reference)

    new = connected.run_pipeline(pipeline, vars={"MOVING": reference})

    assert old["use"].log[-1] == "old", old
    assert new["use"].log[-1] == "new", new


def test_a_private_image_without_an_integration_is_told(
    freshet, engine, registry, base_image, prefix
):
    private = engine.put_image(base_image, registry, f"{prefix}/tool:1")

    run = freshet.run_pipeline(
        "version: '1.0'\nsteps:\n  use: {image: '${{PRIVATE}}', commands: ['true']}\n",
        vars={"PRIVATE": private},
    )

    error = run["use"].error
    assert error["code"] == "upstream_denied"
    assert error["message"] == (
        f"{registry.address} wants credentials for '{private}', and there are none"
    )
    assert error["context"][0] == f"pulling {private}"
    assert run.returncode == 1


def test_an_image_that_does_not_exist_is_told(connected, registry):
    missing = f"{registry.address}/no-such/image:1"

    run = connected.run_pipeline(
        "version: '1.0'\nsteps:\n  use: {image: '${{MISSING}}', commands: ['true']}\n",
        vars={"MISSING": missing},
    )

    error = run["use"].error
    assert error["code"] == "not_found", run
    assert error["message"] == f"{registry.address} has no '{missing}'"


def test_an_image_in_the_engine_needs_no_registry(steps):
    run = steps("local: {image: 'freshet-test-local:1', commands: [echo here]}")

    assert run["local"].log[-1] == "here", run
    assert "Pulling" not in run["local"].text


def test_a_malformed_image_is_told_with_its_place(steps):
    run = steps("wrong: {image: 'Upper/Case:1'}")

    assert "upper-case letters" in run["wrong"].error["message"]
    assert run["wrong"].error["at"]["line"] == 3
    assert run.returncode == 2


# --- the script -------------------------------------------------------------------------------


def test_the_exit_code_of_a_step_is_told(steps):
    run = steps("check: {image: '${{BASE}}', commands: [echo checking, exit 42]}")

    assert run["check"].error["message"] == "step 'check' ended with exit code 42"
    assert run["check"].error["code"] == "step_failed"
    assert run["check"].error["context"] == [
        f"running step 'check' ({run.repository.path}/codefresh.yml:3:3)"
    ]
    assert run.returncode == 1


def test_a_failing_command_ends_the_script(steps):
    run = steps(
        """
        check:
          image: ${{BASE}}
          commands:
            - echo before
            - grep nothing /etc/passwd
            - echo after
        """
    )

    assert run["check"].error["message"] == "step 'check' ended with exit code 1"
    assert "before" in run["check"].log
    assert "after" not in run["check"].log
    assert "Executing command: grep nothing /etc/passwd" in run["check"].log
    assert "Executing command: echo after" not in run["check"].log


def test_commands_are_one_script(steps):
    run = steps(
        r"""
        check:
          image: ${{BASE}}
          commands:
            - cd /tmp
            - one=1; export two=2
            - greet() { echo "hello $1"; }
            - pwd; echo "$one $two"; greet you
            - |
              if true; then
                echo several lines
              fi
            - false || echo caught
            - echo "it's \"quoted\" \$HOME 100%s"
        """
    )

    assert run.result == "success", run
    said = [line for line in run["check"].log if not line.startswith("Executing command")]
    quoted = "it's \"quoted\" $HOME 100%s"
    for line in ("/tmp", "1 2", "hello you", "several lines", "caught", quoted):
        assert line in said, run


def test_a_failing_step_skips_the_later_ones(steps):
    run = steps(
        """
        one: {image: '${{BASE}}', commands: ['true']}
        two: {image: '${{BASE}}', commands: ['false']}
        three: {image: '${{BASE}}', commands: ['true']}
        four: {type: build, image_name: app}
        """
    )

    assert run.results[1:] == [
        ("one", "success"),
        ("two", "failure"),
        ("three", "skipped"),
        ("four", "skipped"),
    ]
    assert run.result == "failure"


def test_programs_and_words_of_the_image_can_be_replaced(
    freshet, engine, local_image, prefix, steps
):
    run = steps(
        """
        build:
          type: build
          image_name: app
          dockerfile:
            content: |
              FROM ${{BASE}}
              ENTRYPOINT ["echo", "entry"]
              CMD ["image words"]
        as_built: {image: '${{build}}'}
        words: {image: '${{build}}', cmd: [own, 'two words', '${{SALT}}']}
        one_string: {image: '${{build}}', cmd: "own 'two words' ${{SALT}}"}
        program: {image: '${{build}}', entry_point: [printf, '<%s>\\n'], cmd: [a, b c]}
        commands: {image: '${{build}}', commands: [echo from the script]}
        """,
        vars={"SALT": prefix},
    )

    assert run.result == "success", run
    assert run["as_built"].log == ["entry image words"]
    assert run["words"].log == [f"entry own two words {prefix}"]
    assert run["one_string"].log == [f"entry own two words {prefix}"]
    assert run["program"].log == ["<a>", "<b c>"]
    assert run["commands"].log[-1] == "from the script"


def test_a_program_that_does_not_exist_is_told(steps):
    run = steps("check: {image: '${{BASE}}', entry_point: [no-such-program]}")

    assert run["check"].result == "failure"
    assert "no-such-program" in str(run["check"].error), run


def test_a_shell_that_the_image_lacks_is_told(steps):
    run = steps("check: {image: '${{BASE}}', shell: bash, commands: ['true']}")

    assert run["check"].result == "failure"
    assert "/bin/bash" in str(run["check"].error), run


# --- directories ------------------------------------------------------------------------------


def test_where_a_step_works(steps):
    run = steps(
        """
        build:
          type: build
          image_name: app
          disable_push: true
          dockerfile: {content: "FROM ${{BASE}}\\nWORKDIR /srv/here\\n"}
        default: {image: '${{build}}', commands: [pwd, cat file]}
        relative: {image: '${{build}}', working_directory: ./sub, commands: [pwd, cat file]}
        absolute: {image: '${{build}}', working_directory: /etc, commands: [pwd]}
        of_a_step: {image: '${{build}}', working_directory: '${{main_clone}}/sub', commands: [pwd]}
        of_the_image: {image: '${{build}}', working_directory: IMAGE_WORK_DIR, commands: [pwd]}
        """,
        {"file": "at the top\n", "sub/file": "below\n"},
    )

    assert run.result == "success", run
    assert "/codefresh/volume/app" in run["default"].log
    assert run["default"].log[-1] == "at the top"
    assert "/codefresh/volume/app/sub" in run["relative"].log
    assert run["relative"].log[-1] == "below"
    assert run["absolute"].log[-1] == "/etc"
    assert run["of_a_step"].log[-1] == "/codefresh/volume/app/sub"
    assert run["of_the_image"].log[-1] == "/srv/here"


def test_without_a_clone_steps_start_in_the_volume(steps):
    run = steps("here: {image: '${{BASE}}', commands: [pwd]}", vars={"CF_SKIP_MAIN_CLONE": "true"})

    assert run.results == [("here", "success")], run
    assert run["here"].log[-1] == "/codefresh/volume"


def test_the_volume_is_shared_between_steps_and_with_the_next_run_of_the_pipeline(steps):
    pipeline = """
        write:
          image: ${{BASE}}
          working_directory: /codefresh/volume
          commands: ['echo "kept-$(cat kept)" > now', mv now kept]
        read: {image: '${{BASE}}', commands: [cat /codefresh/volume/kept]}
    """

    assert steps(pipeline)["read"].log[-1] == "kept-"
    assert steps(pipeline)["read"].log[-1] == "kept-kept-"


def test_pipelines_do_not_share_their_volumes(freshet, local_image):
    text = """
        version: '1.0'
        steps:
          step:
            image: ${{BASE}}
            working_directory: /codefresh/volume
            commands: ['test ! -e mine', touch mine]
    """

    for name in ("one", "two"):
        repository = freshet.make_repository(text, name=name)
        run = freshet.run_repository(repository, {"BASE": local_image})
        assert run.result == "success", run


# --- afterwards -------------------------------------------------------------------------------


def test_the_containers_are_gone_whether_the_step_failed_or_not(steps, engine):
    for command in ("true", "false"):
        run = steps(f"check: {{image: '${{{{BASE}}}}', commands: ['{command}']}}")

        label = f"io.freshet.build={run.build_id}"
        assert engine.containers(label) == []
        assert engine.volumes(label) == []
        assert engine.networks(label) == []


def test_a_log_is_kept_for_each_step(steps, freshet):
    run = steps(
        """
        first one: {image: '${{BASE}}', commands: [echo hello]}
        second: {image: '${{BASE}}', commands: [exit 3]}
        """
    )

    logs = freshet.logs(run.build_id)
    assert list(logs) == ["01-main_clone.log", "02-first_one.log", "03-second.log"]
    assert logs["02-first_one.log"] == "Executing command: echo hello\nhello\n"
    assert "error: step 'second' ended with exit code 3" in logs["03-second.log"]
