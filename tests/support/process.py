# SPDX-License-Identifier: Apache-2.0
"""Servers that are processes of the tests' own."""

import shutil
import subprocess


class OwnProcess:
    """What runs from 'run' to 'stop', with its files below one directory."""

    directory = None
    process = None

    def run(self, *command, log=None):
        """log: a file for all that it says; None: nowhere."""
        with open(log or "/dev/null", "ab") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )

    def stop(self, purge=False):
        self.process.terminate()
        self.process.wait(30)
        if purge:
            shutil.rmtree(self.directory)
