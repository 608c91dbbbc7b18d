# SPDX-License-Identifier: Apache-2.0
"""Git repositories to build from."""

import os
import shutil
import textwrap

from .commands import run

# Nothing of the machine's or the user's git settings reaches a test.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada Tester",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_NAME": "Ada Tester",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
}


class Repository:
    """A git repository on disk with its work tree."""

    def __init__(self, path, branch="main"):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", f"--initial-branch={branch}")

    def git(self, *arguments):
        return run("git", *arguments, cwd=self.path, env=ENVIRONMENT).stdout.strip()

    def commit(self, files=None, message="Change something"):
        """Writes the files ({path: text or bytes}) and commits all there is; returns the hash."""
        for name, content in (files or {}).items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(textwrap.dedent(content))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.revision

    def commit_copy_of(self, directory, message="Import"):
        shutil.copytree(directory, self.path, dirs_exist_ok=True)
        return self.commit(message=message)

    @property
    def revision(self):
        return self.git("rev-parse", "HEAD")

    @property
    def short_revision(self):
        return self.revision[:7]

    @property
    def url(self):
        return f"file://{self.path}"
