# SPDX-License-Identifier: Apache-2.0
"""A repository that is built again and again."""

from .pipelines import BUILD, with_fields

PIPELINE = with_fields(BUILD, {"tag": "'${{TAG}}'"})


class App:
    """A repository whose pipeline builds it under the tag of the run."""

    def __init__(self, freshet, base, files, pipeline=PIPELINE):
        self.freshet = freshet
        self.base = base
        self.repository = freshet.make_repository(pipeline, files)
        self.last_tag = 0

    def __call__(self, *arguments, freshet=None, **vars):
        """Runs the pipeline with the next tag: v1, v2, …"""
        self.last_tag += 1
        vars = {"BASE": self.base, "TAG": f"v{self.last_tag}", **vars}
        run = (freshet or self.freshet).run_repository(self.repository, vars, arguments)
        assert run.result == "success", run
        return run

    def commit(self, files):
        self.repository.commit(files)
        return self
