# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the integration tests. The objects themselves are in tests/support/.

The engine and the registry are started once for all tests; a test keeps to itself by a data
directory of its own ('freshet') and by repositories of its own in the registry ('prefix').
$FRESHET_TEST_ENGINE names an engine to use instead, as 'unix:///path/docker.sock';
$FRESHET_DOCKERD is the path of another dockerd than Debian's to start, with its containerd and runc
beside it, and $FRESHET_DOCKERD_OPTIONS are further words for it.
$FRESHET_BIN names a binary other than that of the preset 'release'.
"""

import os
import secrets
import shutil
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.aws import ACCOUNT, Aws
from support.distribution import Distribution
from support.ecr import OTHER_ACCOUNT, REGION
from support.engine import Engine
from support.freshet import Freshet
from support.git import Repository
from support.paths import freshet_binary
from support.pipelines import BUILD, DOCKERFILE, with_fields
from support.private_network import FreshetThere, PrivateNetwork
from support.registry import Registry
from support.servers import Authority


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """A Docker engine that all tests share. Do not stop it: see 'disposable_engine'."""
    if "FRESHET_TEST_ENGINE" in os.environ:
        yield Engine(endpoint=os.environ["FRESHET_TEST_ENGINE"])
        return
    directory = tmp_path_factory.mktemp("engine")
    yield from _running(Engine(state_dir=directory, authority=Authority(directory / "authority")))


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """A registry that all tests share. Do not stop it: see 'disposable_registry'."""
    yield from _running(Registry(tmp_path_factory.mktemp("registry")))


@pytest.fixture(scope="session")
def other_registry(tmp_path_factory):
    """Another registry that all tests share, with a password and a port of its own."""
    yield from _running(Registry(tmp_path_factory.mktemp("other-registry")))


@pytest.fixture(scope="session")
def base_image(registry):
    """The reference of a small image with a shell, to be pulled with the registry's password."""
    return registry.push_base_image()


@pytest.fixture(scope="session")
def local_image(engine, registry, base_image):
    """The name of the same image in the engine, which no registry knows anything of."""
    name = "freshet-test-local:1"
    engine.docker("pull", base_image, config=registry.docker_config())
    container = engine.docker("create", base_image).stdout.strip()
    engine.docker("commit", container, name)
    engine.docker("rm", container)
    # An engine with containerd's image store has a digest for each name, pushed or not.
    digests = engine.image(name)["RepoDigests"]
    assert all(one.startswith("freshet-test-local@") for one in digests), digests
    return name


@pytest.fixture
def disposable_engine(tmp_path):
    """An engine of the test's own, to stop, kill and start again."""
    yield from _running(Engine(state_dir=tmp_path / "engine"))


@pytest.fixture
def disposable_registry(tmp_path):
    """A registry of the test's own, to stop, kill, fill and start again."""
    yield from _running(Registry(tmp_path / "registry"))


@pytest.fixture
def prefix():
    """A repository prefix that no other test uses."""
    return f"t-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def binary(tmp_path_factory):
    """A copy, so that a build that goes on meanwhile does not pull it from under the tests."""
    path = freshet_binary()
    if not path.exists():
        pytest.fail(f"there is no {path}: build it first, or run scripts/test", pytrace=False)
    return Path(shutil.copy(path, tmp_path_factory.mktemp("bin") / "freshet"))


@pytest.fixture
def freshet(binary, tmp_path, engine):
    """The binary with an empty data directory, on the engine that all tests share."""
    runner = Freshet(binary, tmp_path, engine)
    yield runner
    runner.close()


@pytest.fixture
def connected(freshet, registry, prefix):
    """The binary with the tests' registry as its default one, named 'local'."""
    freshet.registry_add(registry, prefix=prefix)
    return freshet


@pytest.fixture
def caching(freshet, registry, prefix):
    """The binary with the tests' registry as its default one and as its caching one."""
    freshet.registry_add(registry, prefix=prefix, cache=True)
    return freshet


@pytest.fixture(scope="session")
def backend(tmp_path_factory):
    """A registry to stand behind servers of the tests, with the small image 'base:1'."""
    registry = Distribution(tmp_path_factory.mktemp("backend"))
    for running in _running(registry):
        running.push_base_image()
        yield running


@pytest.fixture
def network(tmp_path):
    """A network in which the hosts of providers are servers of ours; for root alone."""
    network = PrivateNetwork(tmp_path / "network")
    yield network
    network.close()


@pytest.fixture
def both(freshet, registry, other_registry, prefix):
    """Both registries, connected as 'staging' (the default) and 'prod'."""
    freshet.registry_add(registry, name="staging", prefix=prefix)
    freshet.registry_add(
        other_registry, name="prod", prefix=f"{prefix}/prod", default=False
    )
    return freshet


@pytest.fixture
def built(both, local_image, prefix):
    """An image that was built and pushed to 'staging'; returns its record."""
    run = both.run_pipeline(
        f"""
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            tag: v1
            dockerfile: {{content: "FROM ${{{{BASE}}}}\\nLABEL salt={prefix}\\nRUN echo {prefix} > /x\\n"}}
        """,
        vars={"BASE": local_image},
    )
    assert run.result == "success", run
    (record,) = both.json("image", "list")["images"]
    return record


@pytest.fixture
def aws(backend, network):
    """Amazon's STS and ECR there, for two accounts."""
    aws = Aws(backend).put_on(network, REGION, accounts=(ACCOUNT, OTHER_ACCOUNT))
    yield aws
    assert aws.violations == []


@pytest.fixture
def there(binary, tmp_path, engine, network):
    """The binary in that network, with an empty data directory."""
    runner = FreshetThere(binary, tmp_path, engine, network)
    yield runner
    runner.close()


@pytest.fixture
def files(prefix):
    """What the pipeline BUILD builds; no other test's build has cached any of it."""
    return {
        "Dockerfile": DOCKERFILE,
        "a.txt": prefix.ljust(1000, "a"),
        "b.txt": "b" * 2000,
        ".dockerignore": ".git\n",
    }


@pytest.fixture
def moving(registry, engine, base_image, prefix):
    """A base image that the engine has; its 'move()' puts another one there, in the registry."""
    config = registry.docker_config()
    name = engine.put_image(base_image, registry, f"{prefix}/base:1")
    old = f"{registry.address}/{prefix}/base@{registry.manifest(f'{prefix}/base', '1').digest}"
    engine.docker("pull", "--quiet", name, config=config)

    def move():
        container = engine.docker("create", name, "true").stdout.strip()
        engine.docker("commit", "--change", "LABEL moved=yes", container, f"{prefix}-moved:1")
        engine.docker("rm", container)
        engine.put_image(f"{prefix}-moved:1", registry, f"{prefix}/base:1")
        engine.docker("pull", "--quiet", old, config=config)
        engine.docker("tag", old, name)

    return SimpleNamespace(name=name, move=move)


@pytest.fixture
def build(connected, local_image, files):
    """Builds on a base image that the engine has; returns the run."""

    def build(other_files=None, vars=None, **fields):
        return connected.run_pipeline(
            with_fields(BUILD, fields), other_files or files, {"BASE": local_image, **(vars or {})}
        )

    build.freshet = connected
    build.base = local_image
    return build


@pytest.fixture
def steps(freshet, local_image):
    """Runs steps, given as YAML below 'steps:', in a pipeline without any registry."""

    def run(text, files=None, vars=None, **options):
        body = textwrap.indent(textwrap.dedent(text.strip("\n")), "  ")
        pipeline = f"version: '1.0'\nsteps:\n{body}\n"
        vars = {"BASE": local_image, **(vars or {})}
        return freshet.run_pipeline(pipeline, files, vars, **options)

    return run


@pytest.fixture
def git_repository(tmp_path):
    """Makes a git repository: git_repository('app', {'Dockerfile': ...})."""

    def make(name="repository", files=None):
        repository = Repository(tmp_path / name)
        repository.commit(files)
        return repository

    return make


def _running(service):
    service.start()
    try:
        yield service
    finally:
        service.stop(purge=True)
