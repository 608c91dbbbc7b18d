# SPDX-License-Identifier: Apache-2.0
"""What the tests of Amazon ECR share: its names, and the first steps of each."""

from .aws import ACCOUNT
from .pipelines import SALTED_BUILD

OTHER_ACCOUNT = "210987654321"
REGION = "eu-west-1"
DOMAIN = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
OTHER_DOMAIN = f"{OTHER_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def add(freshet, *options, key=None, secret=None, name="aws", provider="ecr", **more):
    region = ["--region", REGION] if provider == "ecr" else []
    login = ["--access-key-id", key.id, "--password-stdin"] if key else ["--use-ambient-role"]
    return freshet.run(
        "registry", "add", name, "--provider", provider, *region, *login, *options,
        stdin=(secret or key.secret) if key else "", **more,
    )


def results(freshet, **options):
    tested = freshet.json("registry", "test", "aws", check=False, **options)
    return {check["name"]: check["result"] for check in tested["checks"]}


def push(freshet, local_image, prefix, pipeline=SALTED_BUILD, **options):
    return freshet.run_pipeline(
        pipeline, vars={"BASE": local_image, "SALT": prefix}, **options
    )


def make_repository(aws, name, account=ACCOUNT, region=REGION):
    aws.repositories.add((account, region, name))
