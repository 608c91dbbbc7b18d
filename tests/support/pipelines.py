# SPDX-License-Identifier: Apache-2.0
"""Pipelines that several test files start from."""

BUILD = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        build_arguments: ['BASE=${{BASE}}']
"""

# Builds another image each time, without a checkout.
SALTED_BUILD = """
    version: '1.0'
    steps:
      build:
        type: build
        image_name: app
        tag: v1
        dockerfile: {content: "FROM ${{BASE}}\\nLABEL salt=${{SALT}}\\nRUN echo ${{SALT}} > /x\\n"}
"""

DOCKERFILE = """\
ARG BASE
FROM ${BASE}
COPY . /src
RUN cat /src/a.txt /src/b.txt > /joined
"""


def with_fields(pipeline, fields):
    """The pipeline with more fields for its last step."""
    lines = "".join(f"        {name}: {value}\n" for name, value in fields.items())
    return pipeline.rstrip(" ") + lines
