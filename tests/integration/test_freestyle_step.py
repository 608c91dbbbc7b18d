# SPDX-License-Identifier: Apache-2.0
"""Freestyle steps: a container for each, its script, its variables, the shared volume."""

import re
import subprocess
import textwrap
from pathlib import Path

import pytest


@pytest.fixture
def steps(freshet, local_image):
    """Runs steps, given as YAML below 'steps:', in a pipeline without any registry."""

    def run(text, files=None, vars=None, **options):
        body = textwrap.indent(textwrap.dedent(text.strip("\n")), "  ")
        pipeline = f"version: '1.0'\nsteps:\n{body}\n"
        vars = {"BASE": local_image, **(vars or {})}
        return freshet.run_pipeline(pipeline, files, vars, **options)

    return run


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
          use: {image: '${{MOVING}}', commands: ['cat /version || echo old']}
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
          commands: ['echo "kept $(cat kept)" > now', mv now kept]
        read: {image: '${{BASE}}', commands: [cat /codefresh/volume/kept]}
    """

    assert steps(pipeline)["read"].log[-1] == "kept", "first"
    assert steps(pipeline)["read"].log[-1] == "kept kept", "second"


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


# --- variables --------------------------------------------------------------------------------


def test_the_environment_holds_the_variables_of_the_build_and_of_the_step(steps):
    run = steps(
        """
        check:
          image: ${{BASE}}
          environment:
            - PAIR=a=b=c
            - FROM_BRANCH=on ${{CF_BRANCH}}
            - GIVEN=by the step
            - EMPTY=
          commands: [env]
        """,
        vars={"GIVEN": "for the run", "OTHER": "x  y 'z'"},
    )

    said = run["check"].log
    for line in (
        "CI=true", "PAIR=a=b=c", "FROM_BRANCH=on main", "GIVEN=by the step", "EMPTY=",
        "OTHER=x  y 'z'", f"CF_BUILD_ID={run.build_id}", "CF_BRANCH=main",
        "CF_BRANCH_TAG_NORMALIZED=main", f"CF_REVISION={run.repository.revision}",
        f"CF_SHORT_REVISION={run.repository.short_revision}",
        "CF_COMMIT_AUTHOR=Ada Tester", "CF_REPO_NAME=app", "CF_STEP_NAME=check",
        "CF_VOLUME_PATH=/codefresh/volume", "CF_PIPELINE_NAME=app",
    ):
        assert line in said, (line, run)
    assert re.search(r"^CF_BUILD_TIMESTAMP=\d{13}$", run["check"].text, re.MULTILINE)


def test_an_undefined_variable_stays_as_it_is_written(steps):
    run = steps("""check: {image: '${{BASE}}', commands: ["echo '${{NOPE}} ${{ NOPE }}'"]}""")

    assert run["check"].log[-1] == "${{NOPE}} ${{ NOPE }}", run


def test_a_value_is_not_expanded_again(steps):
    run = steps(
        """check: {image: '${{BASE}}', commands: ["echo '${{OUTER}}'"]}""",
        vars={"OUTER": "${{INNER}}", "INNER": "wrong"},
    )

    assert run["check"].log[-1] == "${{INNER}}", run


def test_exports_reach_all_later_steps(steps):
    run = steps(
        """
        give:
          image: ${{BASE}}
          commands:
            - export BARE=exported
            - cf_export PLAIN=v PAIR=a=b=c "SPACED=one  two" BARE
            - echo 'APPENDED=x=y' >> ${{CF_VOLUME_PATH}}/env_vars_to_export
            - export LOCAL=only here
        take:
          image: ${{BASE}}
          environment: [PLAIN=environment]
          commands:
            - echo "<$PLAIN> <$PAIR> <$SPACED> <$BARE> <$APPENDED> <$LOCAL>"
            - echo '<${{PLAIN}}> <${{PAIR}}> <${{LOCAL}}>'
            - cf_export PLAIN=changed
        last: {image: '${{BASE}}', commands: [echo "$PLAIN $PAIR"]}
        """
    )

    assert run.result == "success", run
    assert "<v> <a=b=c> <one  two> <exported> <x=y> <>" in run["take"].log, run
    assert "<v> <a=b=c> <${{LOCAL}}>" in run["take"].log
    assert run["last"].log[-1] == "changed a=b=c"


def test_an_export_wins_over_a_variable_of_the_run(steps):
    run = steps(
        """
        before: {image: '${{BASE}}', commands: ['echo "${{WHAT}}"', cf_export WHAT=export]}
        after: {image: '${{BASE}}', commands: ['echo "${{WHAT}} $WHAT"']}
        """,
        vars={"WHAT": "run"},
    )

    assert run["before"].log[1] == "run"
    assert run["after"].log[-1] == "export export"


def test_exports_of_one_run_are_not_there_in_the_next(steps):
    give = "give: {image: '${{BASE}}', commands: [cf_export LEFT=over]}"
    take = "take: {image: '${{BASE}}', commands: ['echo \"<$LEFT>\"']}"

    assert steps(give).result == "success"
    assert steps(take)["take"].log[-1] == "<>"


def test_what_is_no_export_is_told_and_left_out(steps):
    run = steps(
        """
        give:
          image: ${{BASE}}
          commands:
            - printf 'no equals sign\\nGOOD=1\\n' >> /codefresh/volume/env_vars_to_export
        take: {image: '${{BASE}}', commands: [echo "good $GOOD"]}
        bad_name: {image: '${{BASE}}', commands: ['cf_export 1BAD=x']}
        """
    )

    warning = "warning: 1 lines of env_vars_to_export are not NAME=VALUE and were left out"
    assert warning in run["give"].log
    assert run["take"].log[-1] == "good 1"
    assert run["bad_name"].result == "failure"
    assert "cf_export: '1BAD' is not a variable name" in run["bad_name"].log


def test_a_link_in_place_of_the_export_file_leads_nowhere(steps, tmp_path):
    secret = tmp_path / "secret-of-the-host"
    secret.write_text("STOLEN=secret of the host\n")

    run = steps(
        """
        link:
          image: ${{BASE}}
          working_directory: /codefresh/volume
          commands: ['ln -s ${{TARGET}} env_vars_to_export']
        show: {image: '${{BASE}}', commands: ['echo "<$STOLEN>"']}
        """,
        vars={"TARGET": str(secret)},
    )

    assert run["show"].log[-1] == "<>", run
    assert secret.exists()


# --- output -----------------------------------------------------------------------------------


def test_a_last_line_without_line_break_is_told(steps):
    run = steps("check: {image: '${{BASE}}', commands: ['printf \"one\\ntwo\"']}")

    assert run["check"].log[-2:] == ["one", "two"]


def test_both_streams_are_told(steps):
    run = steps("check: {image: '${{BASE}}', commands: ['echo to stdout; echo to stderr >&2']}")

    assert {"to stdout", "to stderr"} <= set(run["check"].log)


def test_output_that_is_no_text_does_no_harm(steps, freshet):
    run = steps(
        """
        check:
          image: ${{BASE}}
          commands:
            - head -c 300000 /dev/urandom
            - printf 'a\\000b\\377c\\n'; echo; echo the end
        """
    )

    assert run.result == "success", run.stderr
    assert run["check"].log[-1] == "the end"
    assert "the end" in "".join(freshet.logs(run.build_id).values())


def test_a_great_deal_of_output_is_kept_whole_in_little_memory(freshet, local_image):
    count = 500_000
    repository = freshet.make_repository(
        """
        version: '1.0'
        steps:
          flood: {image: '${{BASE}}', commands: ['yes ${{LINE}} | head -n ${{COUNT}}']}
        """
    )
    line = "x" * 99
    command = freshet.command(
        "run", repository.path, "--progress", "plain", "--var", f"BASE={local_image}",
        "--var", f"LINE={line}", "--var", f"COUNT={count}",
    )
    process = subprocess.Popen(command, env=freshet.environment(), stdout=subprocess.DEVNULL)
    peak = _peak_memory_kb(process)

    assert process.wait() == 0
    (log,) = (freshet.data_dir / "runs").glob("*/logs/*-flood.log")
    lines = log.read_text().splitlines()
    assert lines[1:] == [line] * count
    assert peak < 60_000


def _peak_memory_kb(process):
    """Follows a process to its end."""
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        peak = max(peak, int(found[1]) if found else 0)
    return peak


def test_one_endless_line_is_kept_whole(steps, freshet):
    run = steps(
        """
        check:
          image: ${{BASE}}
          commands:
            - head -c 3000000 /dev/zero | tr '\\000' x; echo; echo the end
        """
    )

    assert run["check"].log[-1] == "the end"
    assert sum(line.count("x") for line in run["check"].log if set(line) == {"x"}) == 3_000_000


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
