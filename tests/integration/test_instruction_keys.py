# SPDX-License-Identifier: Apache-2.0
"""The keys of instructions against the builder itself: it runs nothing whose key it has seen."""

import os

import pytest

from support.app import App

DOCKERFILE = """\
ARG BASE
FROM ${BASE} AS tools
ARG UNUSED=1
RUN echo PREFIX > /tools
COPY tools /tools.d
FROM ${BASE}
ENV NAME=app
WORKDIR /work
COPY *.txt ./
RUN cat *.txt > joined
COPY --chown=1:1 dir more/
RUN --mount=type=bind,source=mounted,target=/m --mount=type=cache,target=/c cat /m/one > one
COPY --from=tools /tools ./
USER 1
RUN --mount=from=tools,target=/t id > /tmp/id
ADD link.txt /linked
"""


@pytest.fixture
def app(connected, local_image, files, prefix):
    project = {
        ".dockerignore": ".git\nignored\n",
        "Dockerfile": DOCKERFILE.replace("PREFIX", prefix),
        "a.txt": "a",
        "b.txt": "b",
        "dir/one": "1",
        "dir/deep/two": "2",
        "ignored": "i",
        "mounted/one": "1",
        "tools/one": "1",
        "unused": "u",
    }
    app = App(connected, local_image, project)
    (app.repository.path / "link.txt").symlink_to("dir/one")
    return app.commit({})


class Observed:
    """How many instructions a build ran, and how many keys it had that no build had before."""

    def __init__(self, app):
        self.app = app
        self.keys = set()

    def __call__(self, **vars):
        run = self.app(**vars)
        keys = {key for (key,) in self.app.freshet.query("SELECT hex(key) FROM cache_results")}
        new, self.keys = len(keys - self.keys), self.keys | keys
        built = [line for line in run["build"].log if line.startswith("Built ")]
        if not built:
            return 0, new
        words = built[0].partition(": ")[2].split()
        return int(words[2]) - int(words[0]), new


def edit(old, new):
    def change(path):
        text = (path / "Dockerfile").read_text()
        assert old in text
        (path / "Dockerfile").write_text(text.replace(old, new))

    return change


def write(name, text):
    def change(path):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)

    return change


def chmod(name, mode):
    return lambda path: (path / name).chmod(mode)


def relink(path):
    (path / "link.txt").unlink()
    (path / "link.txt").symlink_to("mounted/one")


def link_inside(path):
    (path / "dir/link").symlink_to("one")


def rename(path):
    (path / "dir/deep/two").rename(path / "dir/deep/three")


def touch(path):
    for name in ("a.txt", "dir/one", "mounted/one"):
        os.utime(path / name, (1_000_000_000, 1_000_000_000))


# What changes, and how many instructions get another key by that. The builder may run fewer: it
# looks at what is copied from a stage, keys at the stage.
CHANGES = [
    ("nothing", lambda path: None, 0),
    ("times", touch, 0),
    ("an ignored file", write("ignored", "changed"), 0),
    ("a file that is not copied", write("unused", "changed"), 0),
    ("a comment", edit("USER 1", "# comment\nUSER 1"), 0),
    ("a label", edit("USER 1", "LABEL a=b\nUSER 1"), 0),
    ("a line's break", edit("cat *.txt >", "cat *.txt \\\n>"), 0),
    ("the name of a stage", lambda path: [edit("AS tools", "AS kit")(path),
                                          edit("from=tools", "from=kit")(path)], 0),
    ("a copied file", write("b.txt", "changed"), 7),
    ("a new file that a pattern matches", write("c.txt", "c"), 7),
    ("the mode of a file", chmod("a.txt", 0o755), 7),
    ("a file in a directory, and behind a link", write("dir/one", "another"), 7),
    ("the name of a file", rename, 5),
    ("a link in a directory", link_inside, 5),
    ("the owner", edit("--chown=1:1", "--chown=2:1"), 5),
    ("a mounted file", write("mounted/one", "changed"), 4),
    ("a file of another stage", write("tools/one", "changed"), 4),
    ("where a link leads", relink, 7),
    ("an argument that is declared", edit("UNUSED=1", "UNUSED=2"), 5),
    ("a variable", edit("NAME=app", "NAME=other"), 6),
    ("the user", edit("USER 1", "USER 2"), 2),
    ("the shell", edit("USER 2", "USER 2\nSHELL [\"/bin/sh\", \"-ec\"]"), 2),
    ("a directory", edit("WORKDIR /work", "WORKDIR /works"), 8),
]


def test_the_builder_runs_nothing_that_has_its_key(app):
    observe = Observed(app)
    ran, new = observe()
    assert ran == new, "the first build"
    for name, change, expected in CHANGES:
        change(app.repository.path)
        app.commit({})
        ran, new = observe()
        assert new == expected, name
        assert ran <= new, name
