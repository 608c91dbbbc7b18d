# SPDX-License-Identifier: Apache-2.0
"""The shipped binary as a user who is not root but may use the engine."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .freshet import Freshet

UID = 61234
GID = 61235  # of no file and no process but those of the tests


class OrdinaryFreshet(Freshet):
    """Everything below 'directory', the binary and the repositories too, is that user's."""

    def command(self, *arguments):
        user = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"]
        return [*user, *super().command(*arguments)]

    def make_repository(self, yaml_text, files=None, name="app"):
        repository = super().make_repository(yaml_text, files, name)
        self.own(repository.path)
        return repository

    def commit(self, repository, files):
        """A further commit; git wants the repository to be the tests' own meanwhile."""
        _give(repository.path, 0, 0)
        repository.commit(files)
        self.own(repository.path)

    def own(self, path):
        _give(path, UID, GID)

    def left_on_disk(self):
        """What is in the folders of all runs beside logs and the lock."""
        return sorted(
            str(path.relative_to(self.data_dir))
            for run in (self.data_dir / "runs").iterdir()
            for path in run.iterdir()
            if path.name not in ("logs", "lock")
        )

    def saved_volume(self):
        """The shared volume of the one pipeline that has run, on this machine."""
        (saved,) = (self.data_dir / "volumes").iterdir()
        return saved / "volume"


def _give(path, user, group):
    for one in [path, *path.rglob("*")]:
        os.chown(one, user, group, follow_symlinks=False)


@contextmanager
def ordinary_user(binary, engine):
    """An OrdinaryFreshet; while it exists the engine's socket belongs to its group."""
    directory = Path(tempfile.mkdtemp(prefix="freshet-ordinary-"))
    copy = directory / "freshet"
    shutil.copy(binary, copy)  # where it was built may be closed to others
    runner = OrdinaryFreshet(copy, directory, engine)
    runner.own(directory)
    group = os.stat(engine.socket_path).st_gid
    os.chown(engine.socket_path, -1, GID)
    try:
        yield runner
    finally:
        runner.close()
        os.chown(engine.socket_path, -1, group)
        shutil.rmtree(directory)
