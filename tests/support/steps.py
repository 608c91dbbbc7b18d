# SPDX-License-Identifier: Apache-2.0
"""Steps that several test files run."""

import json


def run_steps(freshet, text, vars=None):
    return freshet.run_pipeline(f"version: '1.0'\nsteps:\n{text}", vars=vars)


def use(image, name="use"):
    return f"""
  {name}: {{image: '{image}', commands: [echo it runs]}}
"""


def build(prefix, content, image="made", **fields):
    """A build step whose Dockerfile nobody has built."""
    lines = "".join(f"    {key}: {value}\n" for key, value in fields.items())
    text = json.dumps(f"{content}\nLABEL salt={prefix}\n")
    return f"""
  build:
    type: build
    image_name: {image}
{lines}    dockerfile: {{content: {text}}}
"""
