# SPDX-License-Identifier: Apache-2.0
"""Registries that the engine cannot reach as they are connected: Freshet pulls from them itself."""

import hashlib
import json
import time

import pytest

from support.commands import run as run_program
from support.own_registry import OwnRegistry
from support.servers import Authority, TunnelProxy
from support.steps import build, run_steps, use


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def private(tmp_path, engine, authority):
    """A registry with a certificate of an authority that only its integration knows."""
    host = engine.bridge_address  # the engine trusts anybody on loopback
    certificate = authority.issue("registry", f"IP:{host},DNS:images.invalid")
    registry = OwnRegistry(tmp_path / "private", host, certificate).start()
    yield registry
    registry.stop()


@pytest.fixture
def proxy(private):
    proxy = TunnelProxy(private.address)
    yield proxy
    proxy.close()


@pytest.fixture
def fresh_image(engine, registry, base_image, prefix):
    """An image with a shell in the tests' registry that the engine does not have."""
    engine.docker("pull", "--quiet", base_image, config=registry.docker_config())
    container = engine.docker("create", base_image).stdout.strip()
    engine.docker("commit", "--change", f"LABEL salt={prefix}", container, f"{prefix}-fresh:1")
    engine.docker("rm", container)
    reference = engine.put_image(f"{prefix}-fresh:1", registry, f"{prefix}/fresh:1")
    engine.remove_image(f"{prefix}-fresh:1")
    return reference


def connect(freshet, registry, *options, name="private", domain=None):
    freshet.run(
        "registry", "add", name, "--domain", domain or registry.address, "--username",
        registry.username, "--password-stdin", *options, stdin=registry.password,
    )


# --- an authority of its own -------------------------------------------------------------------


def test_a_step_runs_an_image_of_a_registry_with_its_own_authority(
    freshet, engine, registry, fresh_image, private, authority, prefix
):
    image = private.take_image(registry, fresh_image, f"{prefix}/tool:1")
    connect(freshet, private, "--ca", authority.certificate)
    refused = engine.docker("pull", image, check=False)
    assert "certificate" in refused.stderr, "the engine reaches it by itself: no test"

    run = run_steps(freshet, use(image))

    assert run.result == "success", run
    assert "it runs" in run["use"].log
    assert (
        "Pulling without the engine, which cannot be told the CA certificates of registry 'private'"
        in run["use"].log
    )
    assert "The engine has" not in run["use"].text
    _, manifest = private.manifest(f"{prefix}/tool", "1")
    assert engine.image(image)["Id"] == manifest["config"]["digest"]


def test_an_engine_behind_tls_loads_it_too(
    freshet, engine, registry, fresh_image, private, authority, prefix
):
    if engine.tls_endpoint is None:
        pytest.skip("FRESHET_TEST_ENGINE is given: whether it listens with TLS is not known")
    image = private.take_image(registry, fresh_image, f"{prefix}/tool:1")
    connect(freshet, private, "--ca", authority.certificate)
    environment = {
        "DOCKER_HOST": engine.tls_endpoint,
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(engine.authority.issue("client")),
    }

    run = freshet.with_engine(None).run_pipeline(
        f"version: '1.0'\nsteps:{use(image)}", env=environment
    )

    assert run.result == "success", run
    assert "The engine has" not in run["use"].text
    assert "it runs" in run["use"].log


def test_what_the_engine_has_is_not_sent_again_and_a_tag_that_moved_is(
    freshet, registry, base_image, private, authority, prefix
):
    image = private.take_image(registry, base_image, f"{prefix}/tool:1")
    connect(freshet, private, "--ca", authority.certificate)
    assert run_steps(freshet, use(image)).result == "success"
    blobs = [where for _, where in private.requests(f"/v2/{prefix}/tool/blobs/")]
    assert blobs

    again = run_steps(freshet, use(image))

    assert again.result == "success", again
    assert "Pulling" not in again["use"].text
    assert [where for _, where in private.requests(f"/v2/{prefix}/tool/blobs/")] == blobs

    made = run_steps(
        freshet,
        build(prefix, f"FROM {image}\nRUN echo moved > /moved", f"{prefix}/tool", tag="'1'",
              registry="private"),
    )
    assert made.result == "success", made
    moved = run_steps(
        freshet, f"\n  use: {{image: '{image}', commands: [cat /moved]}}\n"
    )
    assert moved.result == "success", moved
    assert "moved" in moved["use"].log


def test_a_build_starts_from_such_an_image_and_pushes_there(
    freshet, engine, registry, base_image, private, authority, prefix
):
    image = private.take_image(registry, base_image, f"{prefix}/base:1")
    connect(freshet, private, "--ca", authority.certificate)

    run = run_steps(
        freshet,
        build(prefix, f"FROM {image}\nRUN echo built > /built", f"{prefix}/made",
              registry="private"),
    )

    assert run.result == "success", run
    assert "the engine pushes it itself" not in run["build"].text
    digest, _ = private.manifest(f"{prefix}/made", "main")
    assert digest, run
    # Pulled back by its digest, once the engine has nothing of it.
    for name in (f"{private.address}/{prefix}/made:main", image):
        engine.remove_image(name)
    used = run_steps(
        freshet,
        f"\n  use: {{image: '{private.address}/{prefix}/made@{digest}', commands: [cat /built]}}\n",
    )
    assert used.result == "success", used
    assert "built" in used["use"].log


def test_of_an_index_the_image_for_this_machine_is_taken_once(
    freshet, engine, registry, base_image, private, authority, prefix
):
    private.take_image(registry, base_image, f"{prefix}/tool:one")
    digest, manifest = private.manifest(f"{prefix}/tool", "one")
    size = private.manifest_size(f"{prefix}/tool", digest)
    one = {"mediaType": manifest["mediaType"], "digest": digest, "size": size}
    private.put_manifest(
        f"{prefix}/tool",
        "1",
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
            "manifests": [{**one, "platform": engine_platform(engine)}],
        },
    )
    connect(freshet, private, "--ca", authority.certificate)
    image = f"{private.address}/{prefix}/tool:1"

    first, second = (run_steps(freshet, use(image)) for _ in range(2))

    assert (first.result, second.result) == ("success", "success"), (first, second)
    assert engine.image(image)["Id"] == manifest["config"]["digest"]
    assert "Pulling" in first["use"].text
    assert "Pulling" not in second["use"].text


def engine_platform(engine):
    version = engine.get("/version")
    return {"os": version["Os"], "architecture": version["Arch"]}


@pytest.mark.parametrize("way", ["literal", "argument"])
def test_a_build_starts_from_such_an_image_by_its_digest(
    freshet, registry, base_image, private, authority, prefix, way
):
    private.take_image(registry, base_image, f"{prefix}/base:1")
    digest, _ = private.manifest(f"{prefix}/base", "1")
    image = f"{private.address}/{prefix}/base@{digest}"
    connect(freshet, private, "--ca", authority.certificate)
    content = f"FROM {image}" if way == "literal" else "ARG FIRST\nFROM ${FIRST}"

    run = run_steps(
        freshet,
        build(prefix, content, f"{prefix}/made", registry="private",
              build_arguments=json.dumps([f"FIRST={image}"])),
    )

    assert run.result == "success", run
    digest, _ = private.manifest(f"{prefix}/made", "main")
    assert digest, run


def test_layers_of_zstd_are_taken_as_they_are(
    freshet, registry, base_image, private, authority, prefix
):
    image = private.take_image(
        registry, base_image, f"{prefix}/tool:1",
        "--format", "oci", "--dest-compress-format", "zstd",
    )
    _, manifest = private.manifest(f"{prefix}/tool", "1")
    if not all(layer["mediaType"].endswith("zstd") for layer in manifest["layers"]):
        pytest.skip("skopeo did not compress anew")
    connect(freshet, private, "--ca", authority.certificate)

    run = run_steps(freshet, use(image))

    assert run.result == "success", run


def put_made_image(private, name, layer, diff_id=None):
    """An image of one layer; diff_id: what its configuration says of it, if not the truth."""

    def digest(content):
        return "sha256:" + hashlib.sha256(content).hexdigest()

    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [diff_id or digest(layer)]},
        }
    ).encode()
    for content in (layer, config):
        private.put_blob(name, content, digest(content))
    kind = "application/vnd.oci.image"
    private.put_manifest(
        name,
        "1",
        {
            "schemaVersion": 2,
            "mediaType": f"{kind}.manifest.v1+json",
            "config": {
                "mediaType": f"{kind}.config.v1+json", "digest": digest(config), "size": len(config)
            },
            "layers": [
                {"mediaType": f"{kind}.layer.v1.tar", "digest": digest(layer), "size": len(layer)}
            ],
        },
    )
    return f"{private.address}/{name}:1", digest(config)


def make_layer(directory, size):
    folder = directory / "layer"
    folder.mkdir()
    with open("/dev/urandom", "rb") as noise, open(folder / "noise", "wb") as file:
        file.write(noise.read(size))
    return run_tar(folder, directory / "layer.tar")


def run_tar(folder, archive):
    run_program("tar", "-C", folder, "-cf", archive, ".")
    return archive.read_bytes()


def test_a_layer_that_is_not_the_configurations_is_refused(
    freshet, engine, private, authority, prefix, tmp_path
):
    wrong = "sha256:" + "a" * 64
    image, config = put_made_image(
        private, f"{prefix}/bad", make_layer(tmp_path, 100_000), diff_id=wrong
    )
    connect(freshet, private, "--ca", authority.certificate)

    run = run_steps(freshet, use(image))

    assert run.result == "failure"
    error = run["use"].error
    assert error["message"] == "the Docker engine could not load an image", run
    assert wrong in json.dumps(error)
    assert error["context"][0] == f"pulling {image}"
    assert engine.image(image) is None
    assert engine.image(config) is None


def test_a_large_layer_goes_through_in_little_memory(
    freshet, engine, private, authority, prefix, tmp_path
):
    image, config = put_made_image(private, f"{prefix}/large", make_layer(tmp_path, 200_000_000))
    connect(freshet, private, "--ca", authority.certificate)
    # The image has no shell, so that the step fails once it is there.
    live = freshet.start_pipeline(f"version: '1.0'\nsteps:{use(image)}")
    peak = 0
    while live.process.poll() is None:
        peak = max(peak, peak_memory_kb(live.pid))
        time.sleep(0.01)
    run = live.finish()

    assert engine.image(image)["Id"] == config, run
    assert 0 < peak < 64 * 1024, f"{peak} KB"


def peak_memory_kb(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def test_a_stop_in_the_middle_of_a_layer_leaves_nothing_behind(
    freshet, engine, private, authority, prefix, tmp_path
):
    image, config = put_made_image(private, f"{prefix}/large", make_layer(tmp_path, 300_000_000))
    connect(freshet, private, "--ca", authority.certificate)
    live = freshet.start_pipeline(f"version: '1.0'\nsteps:{use(image)}")
    live.wait_for_event("log", step="use", line=": 300 MB")

    live.interrupt()
    run = live.finish()

    assert run.returncode == 130, run
    assert engine.image(config) is None


# --- a proxy -----------------------------------------------------------------------------------


def test_a_registry_behind_a_proxy_is_pulled_from_built_from_and_pushed_to(
    freshet, engine, registry, base_image, private, authority, proxy, prefix
):
    private.take_image(registry, base_image, f"{prefix}/tool:1")
    private.take_image(registry, base_image, f"{prefix}/base:1")
    domain = "images.invalid:5000"  # a name that only the proxy knows
    connect(freshet, private, "--ca", authority.certificate, "--proxy", proxy.url, domain=domain)

    run = run_steps(
        freshet,
        use(f"{domain}/{prefix}/tool:1")
        + build(prefix, f"FROM {domain}/{prefix}/base:1\nRUN true", f"{prefix}/made",
                registry="private"),
    )

    assert run.result == "success", run
    assert "it runs" in run["use"].log
    assert (
        "Pulling without the engine, which cannot be told the CA certificates, proxy of registry "
        "'private'" in run["use"].log
    )
    assert private.manifest(f"{prefix}/made", "main")[0], run
    assert set(proxy.asked_for) == {domain}


def test_docker_hub_behind_a_proxy_is_pulled_from_by_its_short_names(
    freshet, engine, registry, fresh_image, tmp_path, authority, prefix
):
    """A stand-in for Docker Hub that only the proxy leads to."""
    certificate = authority.issue("hub", "DNS:registry-1.docker.io,IP:127.0.0.1")
    hub = OwnRegistry(tmp_path / "hub", certificate=certificate).start()
    proxy = TunnelProxy(hub.address)
    hub.take_image(registry, fresh_image, f"{prefix}/tool:1")
    hub.take_image(registry, fresh_image, f"library/{prefix}:latest")
    freshet.run(
        "registry", "add", "hub", "--provider", "dockerhub", "--username", hub.username,
        "--password-stdin", "--ca", authority.certificate, "--proxy", proxy.url,
        stdin=hub.password,
    )

    run = run_steps(
        freshet, use(f"{prefix}/tool:1") + build(prefix, f"FROM {prefix}", disable_push="true")
    )

    proxy.close()
    hub.stop()
    assert run.result == "success", run
    assert engine.image(f"{prefix}/tool:1"), run
    assert engine.image(f"{prefix}:latest"), run
    assert set(proxy.asked_for) == {"registry-1.docker.io:443"}


# --- other settings ----------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["skip-tls-verify", "plain-http", "client certificate"])
def test_what_else_is_set_for_a_registry_holds_for_steps_builds_and_pushes(
    freshet, engine, registry, base_image, authority, tmp_path, prefix, setting
):
    host = engine.bridge_address
    certificate = authority.issue("registry", f"IP:{host}")
    asks_who = setting == "client certificate"
    strange = OwnRegistry(
        tmp_path / "strange", host, None if setting == "plain-http" else certificate,
        clients=authority.certificate if asks_who else None,
    ).start()
    image = strange.take_image(
        registry, base_image, f"{prefix}/tool:1",
        *(["--dest-cert-dir", skopeo_certificates(tmp_path, certificate)] if asks_who else []),
    )
    options = [f"--{setting}"]
    if asks_who:
        options = ["--ca", authority.certificate]
        options += ["--client-cert", certificate / "cert.pem"]
        options += ["--client-key", certificate / "key.pem"]
    connect(freshet, strange, *options, name="strange")

    run = run_steps(
        freshet, use(image) + build(prefix, f"FROM {image}", f"{prefix}/made", registry="strange")
    )

    made, _ = strange.manifest(f"{prefix}/made", "main")
    strange.stop()
    assert run.result == "success", run
    assert made, run
    assert "Pulling without the engine, which cannot be told the " in run["use"].text


def skopeo_certificates(directory, certificate):
    """A client certificate as skopeo wants to find it."""
    folder = directory / "skopeo"
    folder.mkdir()
    (folder / "own.cert").write_text((certificate / "cert.pem").read_text())
    (folder / "own.key").write_text((certificate / "key.pem").read_text())
    return folder
