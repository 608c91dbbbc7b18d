# SPDX-License-Identifier: Apache-2.0
"""The shipped binary, with a data directory of its own."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import textwrap
import threading

from .commands import run
from .git import Repository
from .pipeline_run import PipelineRun, parse_event
from .waiting import wait_for

# What of the test's own environment the binary may see: no DOCKER_*, no FRESHET_*, no HOME.
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")


class Freshet:
    def __init__(self, binary, directory, engine):
        """directory: where data, home and the repositories of pipelines go."""
        self.binary = binary
        self.directory = directory
        self.engine = engine
        self.data_dir = directory / "data"
        self.home = directory / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.live_runs = []

    def with_engine(self, engine):
        """The same data directory with another engine (None: whichever Freshet finds)."""
        return Freshet(self.binary, self.directory, engine)

    def environment(self, extra=None):
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {**kept, "HOME": str(self.home), **(extra or {})}

    def command(self, *arguments):
        """Before the arguments: the data directory, and the endpoint unless engine is None."""
        where = ["--data-dir", self.data_dir]
        if self.engine is not None:
            where += ["--engine", self.engine.endpoint]
        return [str(word) for word in [self.binary, *where, *arguments]]

    def run(self, *arguments, stdin="", env=None, check=True, cwd=None, timeout=120):
        """Runs a command to its end; returns its stdout, stderr and returncode."""
        return run(
            *self.command(*arguments), stdin=stdin, env=self.environment(env), check=check,
            cwd=cwd or self.directory, timeout=timeout,
        )

    def json(self, *arguments, **options):
        """Runs a command with --json; returns the document that it printed."""
        return json.loads(self.run(*arguments, "--json", **options).stdout)

    def query(self, sql, *values):
        """Rows of the database."""
        with contextlib.closing(sqlite3.connect(self.data_dir / "freshet.db")) as database:
            return database.execute(sql, values).fetchall()

    def volume(self, build):
        """The shared volume of a build that runs, on this machine."""
        return self.data_dir / "runs" / build / "state" / "volume"

    def logs(self, build):
        """The logs of a build's steps: {file name: text}."""
        folder = self.data_dir / "runs" / build / "logs"
        return {path.name: path.read_text(errors="replace") for path in sorted(folder.iterdir())}

    def registry_add(
        self, registry, name="local", prefix=None, default=True, cache=False,
        username=None, password=None, check=True,
    ):
        """Adds the tests' registry as an integration; the password goes through stdin."""
        options = ["--username", username or registry.username, "--password-stdin"]
        options += ["--prefix", prefix] if prefix else []
        options += ["--default"] if default else []
        options += ["--cache"] if cache else []
        return self.run(
            "registry", "add", name, "--domain", registry.address, *options,
            stdin=password or registry.password, check=check,
        )

    # --- pipelines ------------------------------------------------------------------------

    def make_repository(self, yaml_text, files=None, name="app"):
        """A git repository with codefresh.yml and the files, committed on main."""
        repository = Repository(self.directory / name)
        repository.commit({"codefresh.yml": textwrap.dedent(yaml_text), **(files or {})})
        return repository

    def run_pipeline(self, yaml_text, files=None, vars=None, **options):
        """Makes a repository of the text and the files and runs its pipeline.

        ${{REPO_URL}} is the repository's address; it and the commit are in the result too.
        A failing pipeline is a result, not an error of the test.
        """
        return self.run_repository(self.make_repository(yaml_text, files), vars, **options)

    def run_repository(self, repository, vars=None, arguments=(), **options):
        done = self.run(
            *self._run_arguments(repository, vars), *arguments, check=False, **options
        )
        return PipelineRun(done.command, done.returncode, done.stdout, done.stderr, repository)

    def start_pipeline(self, yaml_text, files=None, vars=None, env=None):
        """Like run_pipeline, but returns while it runs."""
        return self.start_repository(self.make_repository(yaml_text, files), vars, env=env)

    def start_repository(self, repository, vars=None, arguments=(), env=None):
        command = self.command(*self._run_arguments(repository, vars), *arguments)
        self.live_runs.append(LiveRun(command, self.environment(env), self.directory, repository))
        return self.live_runs[-1]

    def close(self):
        """Ends what a failed test left running."""
        for live in self.live_runs:
            if live.process.poll() is None:
                live.kill()
                live.finish()

    def _run_arguments(self, repository, vars):
        arguments = ["run", repository.path, "--progress", "json"]
        for name, value in {"REPO_URL": repository.url, **(vars or {})}.items():
            arguments += ["--var", f"{name}={value}"]
        return arguments


class LiveRun:
    """A 'freshet run --progress json' that has not ended yet."""

    def __init__(self, command, environment, directory, repository):
        self.command = command
        self.repository = repository
        self.lines = []
        self.errors = []
        self.process = subprocess.Popen(
            command, env=environment, cwd=directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        )
        self.readers = [
            threading.Thread(target=_read, args=pair, daemon=True)
            for pair in [(self.process.stdout, self.lines), (self.process.stderr, self.errors)]
        ]
        for reader in self.readers:
            reader.start()

    @property
    def pid(self):
        return self.process.pid

    def wait_for_event(self, name, timeout=60, **fields):
        """Waits for an event of that name whose fields have those values; returns it.

        'line' and 'name' need only contain it: wait_for_event("log", step="a", line="ready").
        """

        def find():
            ended = self.process.poll() is not None
            if ended:
                self._read_the_rest()
            for line in list(self.lines):
                event = parse_event(line)
                if event["event"] == name and _has(event, fields):
                    return event
            assert not ended, f"it ended without event '{name}' {fields}: {self.lines}{self.errors}"
            return None

        return wait_for(find, f"event '{name}' {fields}", timeout)

    def interrupt(self):
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def finish(self, timeout=60):
        """Waits for its end; a run that a signal ended has that signal, negative, as returncode."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._read_the_rest()
        output = "".join(self.lines)
        errors = "".join(self.errors)
        return PipelineRun(self.command, self.process.returncode, output, errors, self.repository)

    def _read_the_rest(self):
        for reader in self.readers:
            reader.join(10)


def _read(stream, lines):
    for line in stream:
        lines.append(line)


def _has(event, fields):
    def matches(key, value):
        if key in ("line", "name"):
            return value in (event.get(key) or "")
        return event.get(key) == value

    return all(matches(key, value) for key, value in fields.items())
