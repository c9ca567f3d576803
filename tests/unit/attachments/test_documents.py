"""SBOM and provenance: what they say, and that they say it in the same bytes every time."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from weft.attachments import Origin, Part, Revision, provenance, sbom

ORIGIN = Origin(
    name="add-header",
    module_sha256="a" * 64,
    image="hub.example.com/team/add-header:v1",
    image_sha256="b" * 64,
    language="rust",
    weft="0.1.0",
    description="Adds a header",
    license="Apache-2.0",
    options={"opt": 3},
    tools=(Part("generic", "cargo", "1.90.0"),),
    parts=(Part("cargo", "log", "0.4.1", "c" * 64), Part("npm", "@team/sdk", "1.2.3")),
    revision=Revision("d" * 40, 1_700_000_000, "https://git.example.com/f.git", changed=True),
    seconds=1_700_000_000,
)


def bill(origin: Origin = ORIGIN) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sbom(origin))
    return document


def statement(origin: Origin = ORIGIN) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(provenance(origin))
    return document


def test_the_bill_is_about_the_module() -> None:
    document = bill()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"] == {
        "bom-ref": "module",
        "description": "Adds a header",
        "hashes": [{"alg": "SHA-256", "content": "a" * 64}],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "name": "add-header",
        "type": "application",
        "version": f"sha256:{'b' * 64}",
    }
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_the_bill_lists_packages_and_tools() -> None:
    document = bill()
    assert {part["purl"] for part in document["components"]} == {
        "pkg:cargo/log@0.4.1",
        "pkg:npm/%40team/sdk@1.2.3",
    }
    tools = document["metadata"]["tools"]["components"]
    assert {(tool["name"], tool["version"]) for tool in tools} == {("weft", "0.1.0"), ("cargo", "1.90.0")}
    (module,) = (entry for entry in document["dependencies"] if entry["ref"] == "module")
    assert len(module["dependsOn"]) == 2


@pytest.mark.parametrize("license_", ["Apache-2.0", "MIT OR Apache-2.0", "our own words", ""])
def test_any_words_for_a_licence_do(license_: str) -> None:
    found = bill(replace(ORIGIN, license=license_))["metadata"]["component"].get("licenses", [])
    assert bool(found) == bool(license_)
    assert not license_ or license_ in json.dumps(found)


def test_the_statement_is_in_totos_with_slsas_predicate() -> None:
    document = statement()
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    assert document["subject"] == [
        {"name": "hub.example.com/team/add-header:v1", "digest": {"sha256": "b" * 64}},
        {"name": "module", "digest": {"sha256": "a" * 64}},
    ]


def test_the_statement_says_from_what_and_with_what() -> None:
    predicate = statement()["predicate"]
    definition = predicate["buildDefinition"]
    assert definition["externalParameters"] == {
        "name": "add-header",
        "language": "rust",
        "options": {"opt": 3},
    }
    assert definition["resolvedDependencies"] == [
        {
            "name": "source",
            "uri": "git+https://git.example.com/f.git",
            "digest": {"gitCommit": "d" * 40},
            "annotations": {"changed": True},
        },
        {"uri": "pkg:cargo/log@0.4.1", "digest": {"sha256": "c" * 64}},
        {"uri": "pkg:npm/%40team/sdk@1.2.3"},
    ]
    assert predicate["runDetails"]["builder"]["version"] == {"weft": "0.1.0", "cargo": "1.90.0"}


def test_without_git_there_is_no_source() -> None:
    origin = replace(ORIGIN, revision=None, parts=(), seconds=0)
    assert statement(origin)["predicate"]["buildDefinition"]["resolvedDependencies"] == []
    assert bill(origin)["metadata"]["timestamp"] == "1970-01-01T00:00:00+00:00"


def test_every_process_writes_the_same_bytes() -> None:
    code = (
        "from tests.unit.attachments.test_documents import ORIGIN; from weft.attachments import *;"
        "import hashlib;"
        "print(hashlib.sha256(sbom(ORIGIN) + provenance(ORIGIN)).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
