"""The packages in lock files of Cargo, Go and npm."""

import json

import pytest

from weft.attachments import Part, read_locked
from weft.errors import UsageError

CARGO = """
version = 4
[[package]]
name = "my-filter"
version = "0.1.0"
dependencies = ["log"]
[[package]]
name = "log"
version = "0.4.29"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "5e50"
[[package]]
name = "sdk"
version = "1.0.0"
source = "git+https://git.example.com/sdk#abc"
"""
GO = """
module example.com/my-filter

go 1.24.0 // a comment
toolchain go1.25.1
require github.com/one/module v1.2.3
require (
\tgithub.com/two/module v0.0.0-20240102030405-abcdef // indirect
\texample.com/three v2.0.0+incompatible
)
replace github.com/one/module => ../module
exclude example.com/three v1.0.0
exclude (
\texample.com/four v1.0.0
)
retract v0.0.1
"""
NPM = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "my-filter", "version": "1.0.0"},
        "node_modules/long": {"version": "5.3.2"},
        "node_modules/@team/sdk": {"version": "1.0.0"},
        "node_modules/a/node_modules/long": {"version": "4.0.0"},
        "node_modules/linked": {"link": True, "resolved": "linked"},
        "node_modules/alias": {"name": "real", "version": "2.0.0"},
    },
}


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        pytest.param(
            "Cargo.lock",
            CARGO,
            [Part("cargo", "log", "0.4.29", "5e50"), Part("cargo", "sdk", "1.0.0")],
            id="cargo",
        ),
        pytest.param("Cargo.lock", "", [], id="cargo, empty"),
        pytest.param(
            "go.mod",
            GO,
            [
                Part("golang", "example.com/three", "v2.0.0+incompatible"),
                Part("golang", "github.com/one/module", "v1.2.3"),
                Part("golang", "github.com/two/module", "v0.0.0-20240102030405-abcdef"),
            ],
            id="go",
        ),
        pytest.param(
            "package-lock.json",
            json.dumps(NPM),
            [
                Part("npm", "@team/sdk", "1.0.0"),
                Part("npm", "long", "4.0.0"),
                Part("npm", "long", "5.3.2"),
                Part("npm", "real", "2.0.0"),
            ],
            id="npm",
        ),
        pytest.param("package-lock.json", "{}", [], id="npm, empty"),
    ],
)
def test_pinned_packages_are_found_and_the_project_is_not_one(
    name: str, text: str, parts: list[Part]
) -> None:
    assert list(read_locked(name, text)) == parts


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("Cargo.lock", "[[package", id="no TOML"),
        pytest.param("Cargo.lock", '[[package]]\nsource = "x"', id="no name"),
        pytest.param("Cargo.lock", "package = 3", id="another shape"),
        pytest.param("package-lock.json", "{", id="no JSON"),
        pytest.param("package-lock.json", "[]", id="no object"),
        pytest.param("package-lock.json", '{"packages": {"node_modules/a": {}}}', id="no version"),
        pytest.param("package-lock.json", "[" * 100_000, id="too deep"),
    ],
)
def test_what_is_no_lock_file_is_named(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} cannot be read: "):
        read_locked(name, text)


@pytest.mark.parametrize(
    ("part", "purl"),
    [
        (Part("cargo", "log", "0.4.29"), "pkg:cargo/log@0.4.29"),
        (Part("npm", "@team/sdk", "1.0.0"), "pkg:npm/%40team/sdk@1.0.0"),
        (Part("golang", "github.com/one/module", "v1.2.3"), "pkg:golang/github.com/one/module@v1.2.3"),
    ],
)
def test_a_part_has_a_package_url(part: Part, purl: str) -> None:
    assert part.purl == purl
