# SPDX-License-Identifier: Apache-2.0
"""That scripts/layers and scripts/lint find what they are there to find, and that nothing of it is there."""

import textwrap

import pytest

from support.commands import run
from support.paths import SCRIPTS


@pytest.fixture
def problems(tmp_path):
    """Checks one file at src/freshet/<name> that includes the headers; returns what was wrong."""

    def check(name, *headers):
        path = tmp_path / "src/freshet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"#include {header}\n" for header in headers))
        found = run(SCRIPTS / "layers", tmp_path / "src", check=False).stdout.splitlines()
        path.unlink()
        return [line.removeprefix(f"{path}:") for line in found]

    return check


@pytest.mark.parametrize(
    "name, header",
    [
        ("net/http.cpp", '"freshet/base/error.hpp"'),
        ("oci/distribution/client.cpp", '"freshet/net/http.hpp"'),
        ("oci/distribution/client.cpp", '"freshet/oci/digest.hpp"'),
        ("store/sqlite/builds.cpp", '"freshet/oci/digest.hpp"'),
        ("store/sqlite/builds.cpp", "<soci/soci.h>"),
        ("pipeline/plan/plan.cpp", '"freshet/pipeline/yaml/step.hpp"'),
        ("pipeline/run/run.cpp", '"freshet/engine/docker/client.hpp"'),
        ("cache/choice_test.cpp", '"freshet/store/testing/memory_store.hpp"'),
        ("store/testing/memory_store.cpp", '"freshet/base/testing/fake_clock.hpp"'),
    ],
)
def test_an_include_that_goes_down_the_layers_is_fine(problems, name, header):
    assert problems(name, header) == []


@pytest.mark.parametrize(
    "name, header, problem",
    [
        (
            "base/error.cpp",
            '"freshet/net/http.hpp"',
            "1: 'base' may not include 'net' (allowed: itself)",
        ),
        (
            "oci/digest.cpp",
            '"freshet/net/http.hpp"',
            "1: 'oci' may not include 'net' (allowed: base/**)",
        ),
        (
            "model/image.hpp",
            '"freshet/oci/copy/copy.hpp"',
            "1: 'model' may not include 'oci/copy' (allowed: base/** oci)",
        ),
        (
            "pipeline/yaml/step.cpp",
            '"freshet/engine/engine.hpp"',
            "1: 'pipeline/yaml' may not include 'engine'"
            " (allowed: base/** oci model/** pipeline/expressions/**)",
        ),
        (
            "net/http.cpp",
            '"freshet/base/testing/fake_clock.hpp"',
            "1: 'freshet/base/testing/fake_clock.hpp' is a fake; only tests may include it",
        ),
        ("model/image.cpp", "<soci/soci.h>", "1: <soci/soci.h> stops at store/**"),
        (
            "engine/docker/client.cpp",
            "<grpcpp/grpcpp.h>",
            "1: <grpcpp/grpcpp.h> stops at engine/buildkit/**",
        ),
        ("surprise/a.cpp", "<vector>", "1: folder 'surprise' has no row in layers.txt"),
    ],
)
def test_an_include_against_the_layers_is_named(problems, name, header, problem):
    assert problems(name, header) == [problem]


@pytest.fixture
def lint(tmp_path):
    """Checks one C++ file of these lines; returns the numbers of those with such a problem."""

    def check(body):
        path = tmp_path / "sample.cpp"
        path.write_text("// SPDX-License-Identifier: Apache-2.0\n" + textwrap.dedent(body).lstrip())
        found = run(SCRIPTS / "lint", path, check=False).stdout.splitlines()
        return [int(line.split(":")[1]) - 1 for line in found if "co_await" in line]

    return check


def test_a_brace_inside_a_co_await_operand_is_found(lint):
    assert lint(
        """
        auto a = co_await get({1, 2});
        auto b = co_await get(Request{1});
        co_await run([value] { return value; });
        co_return co_await get(
            1, Request{2});
        """
    ) == [1, 2, 3, 5]


def test_a_brace_beside_a_co_await_operand_is_fine(lint):
    assert lint(
        """
        if (auto got = co_await get(1)) {
        }
        auto a = co_await get(1) + Size{2};
        for (auto x : co_await get("{")) {
        }
        use(co_await get(1, '{', 1'000), Request{1});
        // co_await {
        auto b = co_await is_ready() ? Size{1} : Size{2};
        """
    ) == []


@pytest.mark.parametrize(
    "line",
    ["if (co_await get(1)) {", "if (a && !co_await get(1)) {", "while (co_await get(1)) {"],
)
def test_a_co_await_inside_a_condition_is_found(lint, line):
    assert lint(f"a();\n{line}\n}}\n") == [2]


@pytest.mark.parametrize("check", ["layers", "lint"])
def test_the_sources_of_freshet_pass(check):
    found = run(SCRIPTS / check, check=False)

    assert (found.returncode, found.stdout) == (0, "")
