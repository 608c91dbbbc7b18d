# SPDX-License-Identifier: Apache-2.0
"""Images that go from one registry to another: by push steps, and by 'freshet image copy',
'promote', 'tag' and 'untag'."""

import json
import time

import pytest

from support.commands import run as run_command
from support.registry import MANIFEST_TYPES
from support.servers import Answer, serve


def inspect(registry, repository, reference):
    return registry.skopeo_inspect(repository, reference)["Digest"]


def make_index(registry, repository, tag, entries):
    """Writes an index of the manifests there, one for each platform; returns its digest."""
    manifests = []
    for digest, architecture in entries:
        _, headers, body = registry.request(
            "GET", f"/v2/{repository}/manifests/{digest}",
            {"Accept": MANIFEST_TYPES},
        )
        manifests.append(
            {
                "mediaType": headers["Content-Type"], "digest": digest, "size": len(body),
                "platform": {"os": "linux", "architecture": architecture},
            }
        )
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
            "manifests": manifests,
        }
    )
    run_command(
        "curl", "--silent", "--fail", "--request", "PUT", "--data-binary", "@-",
        "--user", f"{registry.username}:{registry.password}",
        "--header", "Content-Type: application/vnd.docker.distribution.manifest.list.v2+json",
        f"http://{registry.address}/v2/{repository}/manifests/{tag}", stdin=body,
    )
    return registry.manifest(repository, tag).digest


# --- push steps -------------------------------------------------------------------------------


def test_a_candidate_is_copied_from_registry_to_registry_without_the_engine(
    both, engine, registry, other_registry, base_image, prefix
):
    candidate = engine.put_image(base_image, registry, f"{prefix}/py-app:1.2.3")
    digest = inspect(registry, f"{prefix}/py-app", "1.2.3")
    start = time.time()

    run = both.run_pipeline(
        f"""
        version: '1.0'
        steps:
          push: {{type: push, candidate: '{candidate}', registry: prod, tags: [a, b]}}
        """
    )

    assert run.result == "success", run
    repository = f"{prefix}/prod/{prefix}/py-app"
    assert {inspect(other_registry, repository, tag) for tag in ("a", "b")} == {digest}
    assert engine.image_events(start) == []
    assert engine.image(candidate) is None
    record = both.json("image", "show", f"{other_registry.address}/{repository}:a")
    assert record["repo_digest"] == f"{other_registry.address}/{repository}@{digest}"
    assert record["size_bytes"] > 0
    assert (record["os"], record["architecture"]) == ("linux", "amd64")


def test_an_index_is_copied_as_it_is(both, engine, registry, other_registry, base_image, prefix):
    engine.put_image(base_image, registry, f"{prefix}/multi:part")
    part = registry.manifest(f"{prefix}/multi", "part").digest
    index = make_index(registry, f"{prefix}/multi", "1", [(part, "amd64"), (part, "arm64")])

    run = both.run_pipeline(
        f"""
        version: '1.0'
        steps:
          push:
            type: push
            candidate: {registry.address}/{prefix}/multi:1
            registry: prod
            image_name: multi
        """
    )

    assert run.result == "success", run
    assert other_registry.manifest(f"{prefix}/prod/multi", "latest").digest == index
    assert run["push"].text.count("Copying ") == 1


def test_a_pushed_image_goes_on_by_copy(both, registry, other_registry, local_image, prefix):
    run = both.run_pipeline(
        f"""
        version: '1.0'
        steps:
          build:
            type: build
            image_name: app
            dockerfile: {{content: "FROM ${{{{BASE}}}}\\nLABEL salt={prefix}\\n"}}
          same: {{type: push, candidate: '${{{{build}}}}', registry: staging, tag: again}}
          other: {{type: push, candidate: '${{{{build}}}}', registry: prod, tag: released}}
        """,
        vars={"BASE": local_image},
    )

    assert run.result == "success", run
    digest = inspect(registry, f"{prefix}/app", "main")
    assert inspect(registry, f"{prefix}/app", "again") == digest
    assert inspect(other_registry, f"{prefix}/prod/app", "released") == digest
    assert "Copying " not in run["same"].text  # a tag is enough
    assert f"Copying {registry.address}/{prefix}/app@{digest}" in run["other"].text


def test_a_lost_source_registry_is_replaced_by_the_engine(
    freshet, engine, registry, disposable_registry, local_image, prefix
):
    freshet.registry_add(disposable_registry, name="staging")
    freshet.registry_add(registry, name="prod", prefix=prefix, default=False)
    candidate = f"{disposable_registry.address}/app:1"
    engine.docker("tag", local_image, candidate)
    disposable_registry.kill()

    run = freshet.run_pipeline(
        f"""
        version: '1.0'
        steps:
          push: {{type: push, candidate: '{candidate}', registry: prod, image_name: app}}
        """
    )

    assert run.result == "success", run
    assert f"using the engine's copy of {candidate}" in run["push"].text
    assert registry.tags(f"{prefix}/app") == ["latest"]


def test_unchanged_layers_are_neither_read_nor_sent_again(build, registry, prefix):
    def commits():
        return [
            path for _, path in registry.requests("PUT", f"/v2/{prefix}/app/blobs/uploads/")
        ]

    first = build(tag="one", no_cf_cache="true")
    assert first.result == "success", first
    layers = registry.manifest(f"{prefix}/app", "one").layers
    before = commits()
    assert len(before) >= 2

    second = build(tag="one", no_cf_cache="true")  # of another commit, which its labels say

    assert second.result == "success", second
    assert registry.manifest(f"{prefix}/app", "one").layers == layers
    assert len(commits()) == len(before) + 1  # the configuration
    assert f"Blobs: 1 sent, {len(layers)} there already; " in second["build"].text


# --- image copy -------------------------------------------------------------------------------


def test_copy_by_references(both, built, registry, other_registry, prefix):
    source = f"{registry.address}/{prefix}/app:v1"
    target = f"{other_registry.address}/{prefix}/copied/app"

    first = both.json("image", "copy", source, target)
    second = both.json("image", "copy", source, target)

    digest = inspect(registry, f"{prefix}/app", "v1")
    assert inspect(other_registry, f"{prefix}/copied/app", "v1") == digest
    assert first["digest"] == digest
    assert first["source"] == f"{registry.address}/{prefix}/app@{digest}"
    assert first["references"] == [f"{target}:v1"]
    assert first["blobs"]["copied"] > 0 and first["bytes_sent"] > 1_000_000
    assert (second["blobs"]["copied"], second["bytes_sent"]) == (0, 0)
    record = both.json("image", "show", built["id"])
    assert f"{target}:v1" in [tag["reference"] for tag in record["tags"]]


def test_copy_by_the_names_of_registries(both, built, registry, other_registry, prefix):
    shown = both.run("image", "copy", "--from", "staging", "--to", "prod", "app:v1", "app:v2")

    digest = inspect(registry, f"{prefix}/app", "v1")
    assert inspect(other_registry, f"{prefix}/prod/app", "v2") == digest
    lines = shown.stdout.splitlines()
    assert lines[0] == f"Image      {other_registry.address}/{prefix}/prod/app:v2"
    assert lines[1] == f"From       {registry.address}/{prefix}/app@{digest}"
    assert lines[2] == f"Digest     {digest}"


def test_copy_takes_one_platform_or_all(
    both, engine, registry, other_registry, base_image, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/multi:part")
    part = registry.manifest(f"{prefix}/multi", "part").digest
    index = make_index(registry, f"{prefix}/multi", "1", [(part, "amd64"), (part, "arm64")])
    source = f"{registry.address}/{prefix}/multi:1"
    target = f"{other_registry.address}/{prefix}/multi"

    one = both.json("image", "copy", source, f"{target}:one", "--platform", "linux/arm64")
    whole = both.json("image", "copy", source, f"{target}:all", "--all-platforms")
    missing = both.run(
        "image", "copy", source, f"{target}:x", "--platform", "linux/s390x", check=False
    )

    assert one["digest"] == other_registry.manifest(f"{prefix}/multi", "one").digest == part
    assert whole["digest"] == other_registry.manifest(f"{prefix}/multi", "all").digest == index
    assert missing.returncode == 1
    assert "linux/s390x" in missing.stderr
    assert other_registry.tags(f"{prefix}/multi") == ["all", "one"]


def test_copy_of_a_list_tells_each_and_goes_on_after_a_failure(
    both, engine, registry, other_registry, base_image, prefix, tmp_path
):
    for number in range(6):
        engine.put_image(base_image, registry, f"{prefix}/many-{number}:1")
    lines = [f"many-{number}:1 many-{number}:{number}" for number in range(6)]
    lines.insert(2, "no-such:1 no-such:1  # was never there")
    listed = tmp_path / "images.txt"
    listed.write_text("# all of them\n" + "\n".join(lines) + "\n")

    done = both.run(
        "image", "copy", "--from", "staging", "--to", "prod", "--from-file", listed, check=False
    )

    assert done.returncode == 1
    digest = registry.manifest(f"{prefix}/many-0", "1").digest
    wanted = [
        f"{registry.address}/{prefix}/many-{n}@{digest} to "
        f"{other_registry.address}/{prefix}/prod/many-{n}:{n}"
        for n in range(6)
    ]
    assert sorted(done.stdout.splitlines()) == wanted
    assert f"\n  at {listed}:4:1\n" in done.stderr
    assert "has no '" in done.stderr and "/no-such:1'" in done.stderr
    assert done.stderr.endswith("Copied 6 of 7 images\n")
    assert other_registry.manifest(f"{prefix}/prod/many-5", "5").digest == digest


def test_copy_of_a_list_from_standard_input_as_json(
    both, engine, registry, other_registry, base_image, prefix
):
    engine.put_image(base_image, registry, f"{prefix}/one:1")

    done = both.run(
        "image", "copy", "--from", "staging", "--to", "prod", "--from-file", "-", "--json",
        stdin="one:1 one\none:1 one:2\n",
    )

    references = [json.loads(line)["references"] for line in done.stdout.splitlines()]
    target = f"{other_registry.address}/{prefix}/prod/one"
    assert sorted(references) == [[f"{target}:1"], [f"{target}:2"]]


def test_a_list_with_a_wrong_line_copies_nothing(both, other_registry, prefix, tmp_path):
    listed = tmp_path / "images.txt"
    listed.write_text("one:1 one:1\nonly-one\n")

    done = both.run("image", "copy", "--to", "prod", "--from-file", listed, check=False)
    neither = both.run("image", "copy", "one:1", check=False)

    assert done.returncode == neither.returncode == 2
    assert done.stderr == (
        "error: 'only-one' is not a copy\n"
        f"  at {listed}:2:1\n"
        "hint: write the image and where it goes: SRC DST\n"
    )
    assert "error: give either SRC and DST, or --from-file LIST\n" in neither.stderr


def test_the_rest_that_a_registry_demands_is_told(freshet, registry, base_image, prefix):
    asked = []

    def answer(method, path, headers):
        asked.append(path)
        if "/manifests/" in path and sum("/manifests/" in one for one in asked) == 1:
            return Answer(429, "", {"Retry-After": "2"})
        return Answer(200, "{}") if path == "/v2/" else Answer(404)

    freshet.registry_add(registry)
    with serve(answer) as busy:
        done = freshet.run("image", "copy", f"{busy}/team/app:1", f"{busy}/x:1", check=False)
        refused = len(asked)
        done_with_it = freshet.run(
            "image", "copy", f"{busy}/team/app:1", f"{busy}/x:1", check=False
        )

    assert f" before '{busy}' is asked again\n" in done.stderr and "waiting 2" in done.stderr
    assert f"{busy} has no '{busy}/team/app:1'" in done.stderr
    assert refused > 2 and "waiting" not in done_with_it.stderr


def test_copy_says_what_it_leaves_behind(both, built, registry, other_registry, prefix):
    digest = inspect(registry, f"{prefix}/app", "v1")
    fallback = digest.replace(":", "-")
    make_index(registry, f"{prefix}/app", fallback, [(digest, "amd64")])  # anything refers to it
    source = f"{registry.address}/{prefix}/app:v1"

    done = both.run("image", "copy", source, f"{other_registry.address}/{prefix}/noted:1")

    assert (
        f"note: 1 referrer of {registry.address}/{prefix}/app@{digest} (signatures, attestations "
        "or the like) not copied: --referrers takes them along\n"
    ) in done.stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["S/no-such:1", "T/x:1"], "S has no 'S/no-such:1'"),
        (["--from", "nope", "app:1", "T/x:1"], "'nope'"),
        (["--from", "prod", "S/app:1", "T/x:1"], "'S/app:1' is not at 'T', the domain of registry"),
        (["S/app:1", "T/x@sha256:" + "0" * 64], "the target of a copy cannot be a digest"),
        (["Not a reference", "T/x:1"], "Not a reference"),
    ],
)
def test_what_cannot_be_copied_is_told(both, registry, other_registry, arguments, words):
    def real(text):
        return text.replace("S", registry.address).replace("T", other_registry.address)

    done = both.run("image", "copy", *map(real, arguments), check=False)

    assert done.returncode in (1, 2), done
    assert real(words) in done.stderr


# --- promote, tag, untag ----------------------------------------------------------------------


def test_promote_keeps_the_digest_and_adds_the_tags(both, built, registry, other_registry, prefix):
    moved = both.json(
        "image", "promote", built["internal_image_id"][:12], "--registry", "prod",
        "--tag", "v1", "--tag", "latest",
    )

    repository = f"{prefix}/prod/app"
    digest = inspect(registry, f"{prefix}/app", "v1")
    assert {inspect(other_registry, repository, tag) for tag in ("v1", "latest")} == {digest}
    assert moved["references"] == [
        f"{other_registry.address}/{repository}:{tag}" for tag in ("v1", "latest")
    ]
    record = both.json("image", "show", f"{other_registry.address}/{repository}:latest")
    assert record["id"] == built["id"]
    assert record["repo_digest"] == f"{registry.address}/{prefix}/app@{digest}"  # of its own push
    integrations = [tag["integration"] for tag in record["tags"]]
    assert sorted(integrations) == ["prod", "prod", "staging"]


def test_promote_takes_references_and_another_name(both, built, registry, other_registry, prefix):
    source = f"{registry.address}/{prefix}/app:v1"

    both.run("image", "promote", source, "--registry", "prod", "--tag", "x", "--name", "released")

    assert other_registry.tags(f"{prefix}/prod/released") == ["x"]


def test_promote_of_an_image_that_was_never_pushed_takes_it_from_the_engine(
    both, local_image, other_registry, prefix
):
    run = both.run_pipeline(
        f"""
        version: '1.0'
        steps:
          build:
            type: build
            image_name: unpushed
            disable_push: true
            dockerfile: {{content: "FROM ${{{{BASE}}}}\\nLABEL salt={prefix}\\n"}}
        """,
        vars={"BASE": local_image},
    )
    assert run.result == "success", run
    (record,) = both.json("image", "list")["images"]

    both.run("image", "promote", record["id"], "--registry", "prod", "--tag", "v1")

    assert other_registry.tags(f"{prefix}/prod/unpushed") == ["v1"]
    config = other_registry.manifest(f"{prefix}/prod/unpushed", "v1").body["config"]["digest"]
    assert config == "sha256:" + record["internal_image_id"]


def test_tag_adds_a_tag_where_the_image_is(both, built, registry, prefix):
    both.run("image", "tag", built["id"], "stable")

    digest = inspect(registry, f"{prefix}/app", "v1")
    assert inspect(registry, f"{prefix}/app", "stable") == digest
    record = both.json("image", "show", built["id"])
    assert f"{registry.address}/{prefix}/app:stable" in [tag["reference"] for tag in record["tags"]]
    done = both.run("image", "tag", built["id"], "not a tag", check=False)
    assert done.returncode == 2
    assert "error: 'not a tag' is not a tag" in done.stderr


def test_tag_in_another_registry_brings_the_image_there(both, built, other_registry, prefix):
    both.run("image", "tag", built["id"], "stable", "--registry", "prod")

    assert other_registry.tags(f"{prefix}/prod/app") == ["stable"]


def test_untag_says_when_a_registry_can_only_delete_whole_images(both, built, registry, prefix):
    both.run("image", "tag", built["id"], "stable")

    done = both.run("image", "untag", built["id"], "stable", check=False)

    assert done.returncode == 2
    assert "can only delete whole images, not a single tag" in done.stderr
    assert registry.tags(f"{prefix}/app") == ["stable", "v1"]
    tags = both.json("image", "show", built["id"])["tags"]
    assert len(tags) == 2  # the record still says what is there


def test_untag_removes_no_tag_that_has_moved_on(
    both, built, engine, registry, base_image, prefix
):
    both.run("image", "tag", built["id"], "stable")
    engine.put_image(base_image, registry, f"{prefix}/app:stable")

    done = both.run("image", "untag", built["id"], "stable", check=False)

    place = f"{registry.address}/{prefix}/app"
    assert done.returncode == 1, done
    assert f"{place}:stable is another image than 'app' now" in done.stderr
    assert f"hint: to remove the tag all the same: freshet image untag {place}:stable stable" in (
        done.stderr
    )
    assert registry.tags(f"{prefix}/app") == ["stable", "v1"]


def test_untag_goes_where_the_record_knows_the_tag(both, built, registry, other_registry, prefix):
    both.run("image", "promote", built["id"], "--registry", "prod", "--tag", "released")
    both.run("image", "tag", built["id"], "twice")
    both.run("image", "tag", built["id"], "twice", "--registry", "prod")

    done = both.run("image", "untag", built["id"], "released", check=False)
    unclear = both.run("image", "untag", built["id"], "twice", check=False)

    assert f"{other_registry.address}/{prefix}/prod/app:released" in done.stderr
    assert unclear.returncode == 2
    assert "has the tag 'twice' in several places: " in unclear.stderr
    assert f"{registry.address}/{prefix}/app:twice" in unclear.stderr
    assert f"{other_registry.address}/{prefix}/prod/app:twice" in unclear.stderr


def test_untag_removes_the_tag_from_a_registry_that_can(both):
    """The registry of the other tests cannot do it: this one says yes to everything."""
    asked = []

    def answer(method, path, headers):
        asked.append((method, path))
        return Answer(202 if method == "DELETE" else 200, "{}")

    with serve(answer) as address:
        both.run(
            "registry", "add", "willing", "--domain", address, "--username", "ada",
            "--password-stdin", stdin="pass-word",
        )
        done = both.run("image", "untag", f"{address}/team/app:old", "old")

    assert ("DELETE", "/v2/team/app/manifests/old") in asked
    assert done.stdout == f"Removed {address}/team/app:old\n"
