# SPDX-License-Identifier: Apache-2.0
"""Variables and exports of freestyle steps."""

import re


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
