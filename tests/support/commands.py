# SPDX-License-Identifier: Apache-2.0
"""Running other programs."""

import subprocess
from dataclasses import dataclass


@dataclass
class Result:
    """How a program ended. Printing it shows everything, for the message of an assertion."""

    command: list
    returncode: int
    stdout: str
    stderr: str

    def __repr__(self):
        return (
            f"$ {' '.join(self.command)}\nexit code {self.returncode}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )


def run(*command, check=True, stdin="", env=None, cwd=None, timeout=120):
    """Runs a program to its end; check: fail the test unless it ends with 0."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, input=stdin, env=env, cwd=cwd, timeout=timeout,
        capture_output=True, text=True, errors="replace",
    )
    result = Result(words, done.returncode, done.stdout, done.stderr)
    assert not check or result.returncode == 0, result
    return result
