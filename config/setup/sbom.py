"""The list of components as CycloneDX JSON: what requirements.txt pins, and what is vendored from npm.

``python config/setup/sbom.py [FILE]`` writes it to FILE, or to standard output. The list is checked against the schema of
CycloneDX before it is written, and the same sources make the same list.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parent.parent.parent
VERSION = SchemaVersion.V1_6
# A row of the table of vendored packages: folder, package, version.
_VENDORED = re.compile(r"^\| *[\w-]+ *\| *`([^`|]{1,100})` *\| *([\w.-]{1,40}) *\|", re.MULTILINE)


def vendored(text: str) -> list[tuple[str, str]]:
    """Name and version of each package of npm in the table ``text``."""
    return _VENDORED.findall(text)


def components() -> dict[str, Any]:
    """The list, checked.

    Raises:
        ValueError: it is not what CycloneDX describes.
        subprocess.CalledProcessError: requirements.txt cannot be read.
    """
    command = [
        sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--of", "JSON", "--short-PURLs",
        "--pyproject", str(ROOT / "pyproject.toml"),
        "--sv", VERSION.to_version(), str(ROOT / "requirements.txt"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=True, text=True)  # our own words  # noqa: S603  # nosec B603
    found: dict[str, Any] = json.loads(done.stdout)
    for name, version in vendored((ROOT / "config/static/vendor/README.md").read_text(encoding="utf-8")):
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        found["components"].append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    text = json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True)
    if wrong := JsonStrictValidator(VERSION).validate_str(text):
        raise ValueError(f"the list of components is no CycloneDX {VERSION.to_version()}: {wrong}")
    return found


if __name__ == "__main__":
    written = json.dumps(components(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(written, encoding="utf-8")
    else:
        sys.stdout.write(written)
