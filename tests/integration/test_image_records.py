# SPDX-License-Identifier: Apache-2.0
"""What is kept of each image that was built, and 'freshet image list | show'."""

from support.pipelines import BUILD, DOCKERFILE


def test_the_record_of_an_image_tells_all_about_it(build, registry, prefix):
    run = build(tags="[one, two]")
    assert run.result == "success", run
    config_digest = registry.manifest(f"{prefix}/app", "one").body["config"]["digest"]

    record = build.freshet.json("image", "show", f"{registry.address}/{prefix}/app:two")

    digest = registry.manifest(f"{prefix}/app", "one").digest
    config = registry.config(f"{prefix}/app", "one")
    assert record["internal_image_id"] == config_digest.removeprefix("sha256:")
    assert record["image_name"] == "app"
    assert record["repo_digest"] == f"{registry.address}/{prefix}/app@{digest}"
    assert [tag["reference"] for tag in record["tags"]] == [
        f"{registry.address}/{prefix}/app:{tag}" for tag in ("one", "two")
    ]
    assert {tag["integration"] for tag in record["tags"]} == {"local"}
    assert record["git"] == {
        "repo_owner": None,
        "repo_name": "app",
        "branch": "main",
        "revision": run.repository.revision,
        "commit_author": "Ada Tester",
        "commit_message": "Change something",
    }
    assert record["dockerfile"] == DOCKERFILE
    assert record["build"] == run.build_id
    assert (record["pipeline"], record["step"]) == ("app", "build")
    assert (record["os"], record["architecture"]) == (config["os"], config["architecture"])
    assert record["size_bytes"] > 1_000_000
    assert record["build_duration_ms"] > 0
    assert record["push_duration_ms"] > 0
    with_content = [layer for layer in record["layers"] if layer["size_bytes"] > 0]
    assert [layer["instruction"].split()[0] for layer in with_content[-2:]] == ["COPY", "RUN"]
    # With containerd's image store an engine tells how much of its disk a layer takes.
    assert with_content[-1]["size_bytes"] == 3000 or with_content[-1]["size_bytes"] % 4096 == 0
    known = {layer["diff_id"] for layer in record["layers"]} - {None}
    assert known <= set(config["rootfs"]["diff_ids"])


def test_an_image_is_found_by_id_short_id_and_name(build, registry, prefix):
    run = build()
    assert run.result == "success", run
    (listed,) = build.freshet.json("image", "list")["images"]

    for word in (
        listed["id"], listed["internal_image_id"], listed["internal_image_id"][:12],
        f"{registry.address}/{prefix}/app:main",
    ):
        assert build.freshet.json("image", "show", word)["id"] == listed["id"], word
    missing = build.freshet.run("image", "show", "no-such-image", check=False)
    assert missing.returncode == 1
    assert "no image, or several, match 'no-such-image'" in missing.stderr


def test_the_list_of_images_shows_the_newest_first_for_people_and_programs(
    build, registry, prefix, files
):
    assert build.freshet.run("image", "list").stdout.startswith("No images yet")
    assert build().result == "success"
    assert build({**files, "a.txt": "new"}, disable_push="true").result == "success"

    newest, oldest = build.freshet.json("image", "list")["images"]
    lines = build.freshet.run("image", "list").stdout.splitlines()

    assert (newest["tags"], newest["repo_digest"]) == ([], None)
    assert [tag["tag"] for tag in oldest["tags"]] == ["main"]
    assert lines[0].split()[:2] == ["IMAGE", "ID"]
    assert lines[1].split()[:3] == [newest["internal_image_id"][:12], "app", "<none>"]
    assert lines[2].split()[:3] == [
        oldest["internal_image_id"][:12], "app", f"{registry.address}/{prefix}/app:main"
    ]
    assert build.freshet.json("image", "list", "--name", "nothing-like-it")["images"] == []
    assert len(build.freshet.json("image", "list", "--limit", "1")["images"]) == 1


def test_show_for_people_tells_how_to_pull_and_the_dockerfile(build, registry, prefix):
    run = build()
    shown = build.freshet.run("image", "show", f"{registry.address}/{prefix}/app:main").stdout

    assert f"  docker pull {registry.address}/{prefix}/app:main\n" in shown
    assert "  FROM ${BASE}\n" in shown
    assert run.repository.revision in shown


def test_the_same_image_is_one_record(build, files):
    repository = build.freshet.make_repository(BUILD, files)
    runs = [build.freshet.run_repository(repository, {"BASE": build.base}) for _ in range(2)]

    assert [run.result for run in runs] == ["success", "success"]
    (record,) = build.freshet.json("image", "list")["images"]
    assert record["dockerfile"] == DOCKERFILE
    assert build.freshet.query("SELECT count(*) FROM image_tags") == [(1,)]
