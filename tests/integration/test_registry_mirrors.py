# SPDX-License-Identifier: Apache-2.0
"""Where pulls go before and after the registry itself: its mirror, its fallback. Old images."""

import io
import tarfile

import pytest

from support.own_registry import OwnRegistry
from support.registry import MANIFEST_TYPES
from support.servers import Answer, Wiretap, serve
from support.steps import build, run_steps, use


def make_moved_tar():
    """An archive of the file /moved."""
    content = b"it moved\n"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("moved")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue().decode("latin-1")


@pytest.fixture
def origin(registry):
    """The tests' registry at an address at which is noted who asks for what."""
    tap = Wiretap(registry.address)
    yield tap
    tap.close()


@pytest.fixture
def mirror(tmp_path, registry):
    """A registry in proxy mode: it fetches what it lacks.

    It cannot log in where Basic is asked for, so that it gets the origin's images by a back door.
    """
    images = registry.state_dir / "registry/data"
    door = OwnRegistry(tmp_path / "door", has_login=False, storage=images).start()
    mirror = OwnRegistry(
        tmp_path / "mirror", has_login=False, more=f"proxy: {{remoteurl: 'http://{door.address}'}}"
    ).start()
    yield mirror
    mirror.stop()
    door.stop()


@pytest.fixture
def tapped_mirror(mirror):
    tap = Wiretap(mirror.address)
    yield tap
    tap.close()


def connect_mirrored(freshet, registry, origin, mirror):
    """mirror: what has an address, or an address."""
    freshet.run(
        "registry", "add", "mirrored", "--domain", origin.address, "--username", registry.username,
        "--password-stdin", "--mirror", getattr(mirror, "address", mirror), stdin=registry.password,
    )


def users(tap):
    return {user for user, _, _ in tap.requests()}


def paths(tap, begin):
    return [path for _, _, path in tap.requests(begin)]


def test_a_pull_asks_the_mirror_and_the_mirror_alone(
    freshet, engine, registry, base_image, origin, tapped_mirror, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    connect_mirrored(freshet, registry, origin, tapped_mirror)
    image = f"{origin.address}/{prefix}/tool:1"

    run = run_steps(freshet, use(image))

    assert run.result == "success", run
    assert f"Pulling image {tapped_mirror.address}/{prefix}/tool:1" in run["use"].log
    assert paths(tapped_mirror, f"/v2/{prefix}/tool/")
    assert origin.requests() == []
    assert users(tapped_mirror) == {None}, "the origin's login went to the mirror"


def test_a_build_starts_from_the_mirror_s_image_until_the_tag_moves(
    freshet, engine, registry, base_image, origin, tapped_mirror, mirror, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/base:1")
    connect_mirrored(freshet, registry, origin, tapped_mirror)
    image = f"{origin.address}/{prefix}/base:1"
    steps = build(prefix, f"FROM {image}\nRUN cat /moved || true", disable_push="true")

    first = run_steps(freshet, steps)

    assert first.result == "success", first
    assert origin.requests() == []
    assert users(tapped_mirror) == {None}

    container = engine.docker("create", base_image).stdout.strip()
    engine.docker("cp", "-", f"{container}:/", stdin=make_moved_tar())
    engine.docker("commit", container, f"{registry.address}/{prefix}/base:1")
    engine.docker("rm", container)
    engine.docker(
        "push", "--quiet", f"{registry.address}/{prefix}/base:1", config=registry.docker_config()
    )
    engine.remove_image(f"{registry.address}/{prefix}/base:1")

    second = run_steps(freshet, steps)

    assert second.result == "success", second
    assert "it moved" in second["build"].text, second
    assert origin.requests() == []


def test_by_digest_a_build_starts_from_the_mirror_s_image_too(
    freshet, engine, registry, base_image, origin, tapped_mirror, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/base:1")
    connect_mirrored(freshet, registry, origin, tapped_mirror)
    digest = registry.manifest(f"{prefix}/base", "1").digest

    run = run_steps(
        freshet,
        build(prefix, f"FROM {origin.address}/{prefix}/base@{digest}", disable_push="true"),
    )

    assert run.result == "success", run
    assert paths(tapped_mirror, f"/v2/{prefix}/base/")
    assert origin.requests() == []


def test_what_the_mirror_lacks_comes_from_the_origin(
    freshet, engine, registry, base_image, origin, tmp_path, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    empty = OwnRegistry(tmp_path / "empty", has_login=False).start()
    tap = Wiretap(empty.address)
    connect_mirrored(freshet, registry, origin, tap)
    image = f"{origin.address}/{prefix}/tool:1"

    run = run_steps(freshet, use(image))

    tap.close()
    empty.stop()
    assert run.result == "success", run
    assert f"warning: cannot pull {tap.address}/{prefix}/tool:1: " in run["use"].text
    assert f"; trying {image}\n" in run["use"].text
    assert users(tap) == {None}
    assert registry.username in users(origin)


def test_a_mirror_that_is_down_costs_a_warning(
    freshet, engine, registry, base_image, origin, mirror, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    connect_mirrored(freshet, registry, origin, mirror)
    mirror.stop()
    image = f"{origin.address}/{prefix}/tool:1"

    run = run_steps(freshet, use(image))

    assert run.result == "success", run
    assert f"warning: cannot pull {mirror.address}/{prefix}/tool:1: " in run["use"].text
    assert "it runs" in run["use"].log


def test_an_image_is_copied_out_of_the_mirror(
    freshet, engine, registry, other_registry, base_image, origin, tapped_mirror, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    connect_mirrored(freshet, registry, origin, tapped_mirror)
    freshet.registry_add(other_registry, name="other", default=False)

    freshet.run(
        "image", "copy", f"{origin.address}/{prefix}/tool:1",
        f"{other_registry.address}/{prefix}/copied:1",
    )

    assert (
        other_registry.manifest(f"{prefix}/copied", "1").digest
        == registry.manifest(f"{prefix}/tool", "1").digest
    )
    assert origin.requests() == []
    assert users(tapped_mirror) == {None}


def test_an_image_that_the_mirror_lacks_is_copied_from_the_origin(
    freshet, engine, registry, other_registry, base_image, origin, tmp_path, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    empty = OwnRegistry(tmp_path / "empty", has_login=False).start()
    connect_mirrored(freshet, registry, origin, empty)
    freshet.registry_add(other_registry, name="other", default=False)

    freshet.run(
        "image", "copy", f"{origin.address}/{prefix}/tool:1",
        f"{other_registry.address}/{prefix}/copied:1",
    )

    assert empty.requests(f"/v2/{prefix}/tool/")
    empty.stop()
    assert other_registry.manifest(f"{prefix}/copied", "1")


def test_a_copy_that_the_mirror_breaks_off_goes_on_from_the_origin(
    freshet, engine, registry, other_registry, base_image, origin, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    freshet.registry_add(other_registry, name="other", default=False)
    asked = []

    def answer(method, path, headers):
        """Has manifests and no layers."""
        asked.append(path)
        if "/blobs/" in path:
            return Answer(404, "{}")
        status, said, body = registry.request(method, path, {"Accept": MANIFEST_TYPES})
        kept = ("Content-Type", "Docker-Content-Digest")
        return Answer(status, body, {name: said[name] for name in kept if said[name]})

    with serve(answer) as half:
        connect_mirrored(freshet, registry, origin, half)
        copied = freshet.run(
            "image", "copy", f"{origin.address}/{prefix}/tool:1",
            f"{other_registry.address}/{prefix}/copied:1",
        )

    assert any("/blobs/" in path for path in asked)
    assert f"warning: by the mirror '{half}' it failed: " in copied.stderr
    assert "; trying without it\n" in copied.stderr
    assert other_registry.manifest(f"{prefix}/copied", "1")


def test_a_copy_that_the_target_refuses_is_not_tried_again_from_the_origin(
    freshet, engine, registry, base_image, origin, tapped_mirror, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/tool:1")
    connect_mirrored(freshet, registry, origin, tapped_mirror)

    with serve(lambda method, path, headers: Answer(403, "{}")) as target:
        refused = freshet.run(
            "image", "copy", f"{origin.address}/{prefix}/tool:1", f"{target}/copied:1", check=False
        )

    assert refused.returncode == 1
    assert "trying without it" not in refused.stderr
    assert refused.stderr.count("error: ") == 1
    assert origin.requests() == []


# --- a fallback --------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["a refused login", "a missing image"])
def test_the_fallback_is_pulled_from_after(
    freshet, engine, registry, other_registry, base_image, origin, prefix, trouble
):
    engine.put_image(base_image, other_registry, f"{prefix}/spare/tool:1")
    if trouble == "a refused login":
        engine.put_image(base_image, registry, f"{prefix}/main/tool:1")
    freshet.registry_add(other_registry, "spare", prefix=f"{prefix}/spare", default=False)
    password = "wrong-password" if trouble == "a refused login" else registry.password
    freshet.run(
        "registry", "add", "main", "--domain", origin.address, "--username", registry.username,
        "--prefix", f"{prefix}/main", "--fallback", "spare", "--password-stdin", stdin=password,
    )
    image = f"{origin.address}/{prefix}/main/tool:1"

    run = run_steps(
        freshet, use(image) + build(prefix, f"FROM {image}", disable_push="true")
    )

    assert run.result == "success", run
    for step in ("use", "build"):
        assert f"warning: cannot pull {image}: " in run[step].text
        assert f"; trying {other_registry.address}/{prefix}/spare/tool:1\n" in run[step].text
        assert "again" not in run[step].text  # what is refused is not asked for twice
    assert "wrong-password" not in run.stdout


# --- old formats -------------------------------------------------------------------------------


def test_an_image_in_the_format_of_before_2016_is_told(
    freshet, engine, registry, base_image, tmp_path, prefix
):
    old = OwnRegistry(
        tmp_path / "old", has_login=False, more="compatibility: {schema1: {enabled: true}}"
    ).start()
    old.take_image(registry, base_image, f"{prefix}/tool:1", "--format", "v2s2")

    def answer(method, path, headers):
        """Asks for manifests as clients of old did: the registry then converts them."""
        asked = {"Accept": "application/json"} if "/manifests/" in path else {}
        status, said, body = old.request(method, path, headers=asked)
        kept = ("Content-Type", "Docker-Content-Digest", "Docker-Distribution-Api-Version")
        return Answer(status, body, {name: said[name] for name in kept if said[name]})

    with serve(answer) as address:
        run = run_steps(freshet, use(f"{address}/{prefix}/tool:1"))

    old.stop()
    notice = f"warning: {address}/{prefix}/tool:1 has the manifest format schema 1, deprecated"
    assert run["use"].text.count(notice) == 1, run
    assert run.result == "success", run
