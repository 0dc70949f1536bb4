"""The list of components: valid, and nothing is missing from it."""

import importlib.util
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def sbom() -> Any:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "config/setup/sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sbom"] = module
    spec.loader.exec_module(module)
    return module


@cache
def made() -> Any:
    return sbom().components()


@cache
def listed() -> dict[str, str]:
    return {canonicalize_name(item["name"]): item["version"] for item in made()["components"]}


def test_every_pinned_requirement_is_in_the_list_with_its_version() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pin) == 2 for pin in pinned)
    assert {canonicalize_name(name): version for name, version in pinned}.items() <= listed().items()


def test_every_vendored_folder_is_in_the_list() -> None:
    table = (ROOT / "config/static/vendor/README.md").read_text(encoding="utf-8")
    folders = {path.name for path in (ROOT / "config/static/vendor").iterdir() if path.is_dir()}
    assert folders <= set(re.findall(r"^\| *([\w-]+) *\|", table, re.MULTILINE))
    for name, version in sbom().vendored(table):
        assert listed()[canonicalize_name(name)] == version


def test_the_list_is_valid_and_the_same_each_time(tmp_path: Path) -> None:
    path = tmp_path / "sbom.json"
    subprocess.run([sys.executable, str(ROOT / "config/setup/sbom.py"), str(path)], check=True)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == made()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert str(ROOT) not in text
