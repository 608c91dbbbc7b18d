# SPDX-License-Identifier: Apache-2.0
"""Passwords of registries: where they come from, and who may read where they are kept."""

import os
import stat
import subprocess

import pytest

from support.commands import run
from support.integrations import add, holder_of, names
from support.terminal import Terminal

# --- where passwords come from ----------------------------------------------------------------


def add_command(freshet, registry, *options):
    return freshet.command(
        "registry", "add", "local", "--domain", registry.address, "--username", registry.username,
        *options,
    )


def test_a_password_is_read_from_a_descriptor(freshet, registry, tmp_path):
    (tmp_path / "secret").write_text(registry.password + "\n")
    command = add_command(freshet, registry, "--password-fd", "7")

    run("sh", "-c", 'exec "$@" 7<secret', "sh", *command, env=freshet.environment(), cwd=tmp_path)

    assert freshet.run("registry", "test", "local", check=False).returncode == 0


def test_a_password_is_asked_for_without_echo(freshet, registry):
    with Terminal(add_command(freshet, registry), freshet.environment()) as terminal:
        terminal.wait_for_text("Password of 'freshet' for registry 'local': ")
        assert not terminal.echoes
        terminal.type(registry.password + "\n")

        assert terminal.finish() == 0, terminal.text
        assert registry.password not in terminal.text
    assert freshet.run("registry", "test", "local", check=False).returncode == 0


def test_ctrl_c_at_the_password_ends_it_and_gives_the_echo_back(freshet, registry):
    with Terminal(add_command(freshet, registry), freshet.environment()) as terminal:
        terminal.wait_for_text("Password of 'freshet' for registry 'local': ")
        terminal.type("half a pass\x03")

        assert terminal.finish(timeout=10) == 130, terminal.text
        assert terminal.echoes
    assert names(freshet) == []


def test_a_password_is_never_taken_from_the_command_line(freshet, registry):
    help_text = freshet.run("registry", "add", "--help").stdout
    for option in (["--password", "s3cret"], ["--password=s3cret"]):
        refused = run(
            *add_command(freshet, registry, *option), env=freshet.environment(), check=False
        )
        assert refused.returncode == 2, refused
    assert "--password-stdin" in help_text
    assert "--password " not in help_text
    assert names(freshet) == []


def test_without_a_terminal_it_says_how_to_give_the_password(freshet, registry):
    refused = run(
        "setsid", "--wait", *add_command(freshet, registry), env=freshet.environment(), check=False
    )

    assert refused.returncode == 2
    assert refused.stderr == (
        "error: there is no terminal to ask for the password on\n"
        "hint: give it by --password-stdin or --password-fd\n"
    )


@pytest.mark.parametrize("nothing", ["", "\n"])
def test_an_empty_password_is_refused(freshet, registry, nothing):
    refused = run(
        *add_command(freshet, registry, "--password-stdin"),
        env=freshet.environment(), stdin=nothing, check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr == "error: the password is empty\n"
    assert names(freshet) == []


def test_a_password_may_hold_anything_but_is_not_trimmed(freshet, registry):
    # Blanks at its ends belong to it: they must make this one wrong.
    freshet.registry_add(registry, password=f" {registry.password} ")

    assert freshet.run("registry", "test", "local", check=False).returncode == 1


# --- files ------------------------------------------------------------------------------------


def mode_of(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_key_database_and_directory_are_for_their_owner_alone(freshet):
    command = freshet.command("registry", "list")

    run("sh", "-c", 'umask 0; exec "$@"', "sh", *command, env=freshet.environment())
    add(freshet, "prod")

    assert mode_of(freshet.data_dir) == "0o700"
    assert {path.name: mode_of(path) for path in freshet.data_dir.iterdir() if path.is_file()} == {
        "freshet.db": "0o600",
        "key": "0o600",
    }


@pytest.mark.parametrize(
    "name, mode, message",
    [
        ("key", 0o644, "the sealing key '{}' can be read by others (mode 0644)"),
        ("key", 0o660, "the sealing key '{}' can be read by others (mode 0660)"),
        ("freshet.db", 0o644, "the database '{}' can be read by others (mode 0644)"),
        (".", 0o755, "the data directory '{}' can be read by others (mode 0755)"),
    ],
)
def test_what_others_can_read_is_refused_with_the_way_out(freshet, name, mode, message):
    add(freshet, "prod")
    path = freshet.data_dir / name
    before = stat.S_IMODE(path.stat().st_mode)
    path.chmod(mode)

    refused = freshet.run("registry", "list", check=False)

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        f"error: {message.format(path)}\n"
        f"hint: run 'chmod {before:o} {path}', and renew the stored passwords if others may have "
        "read it\n"
    )
    path.chmod(before)
    assert names(freshet) == ["prod"]


def test_a_data_directory_of_another_user_is_refused(freshet):
    add(freshet, "prod")
    os.chown(freshet.data_dir / "key", 65534, 65534)

    refused = freshet.run("registry", "list", check=False)

    assert refused.returncode == 1
    assert "belongs to another user (uid 65534)" in refused.stderr


def test_processes_that_start_at_once_on_a_fresh_directory_lose_nothing(freshet, registry):
    def start(number):
        return subprocess.Popen(
            freshet.command(
                "registry", "add", f"r{number}", "--domain", registry.address,
                "--username", registry.username, "--password-stdin",
                *(["--default"] if number % 2 else []),
            ),
            env=freshet.environment(), stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    started = [start(number) for number in range(6)]
    ended = [one.communicate(registry.password, timeout=30) for one in started]

    assert [one.returncode for one in started] == [0] * 6, ended
    assert sorted(names(freshet)) == [f"r{number}" for number in range(6)]
    assert holder_of(freshet, "default") in ("r1", "r3", "r5")
    # All of them sealed with the one key that is there now.
    for number in range(6):
        assert freshet.run("registry", "test", f"r{number}", check=False).returncode == 0
    assert freshet.query("PRAGMA integrity_check") == [("ok",)]
