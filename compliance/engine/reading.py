"""The files of law on disk: parsed once, kept as plain data beside a fingerprint, models merged into what follows them."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.engine.canonical import digest
from compliance.engine.errors import LawError
from compliance.engine.strict import Node, plain, read_yaml

MODEL_PREFIX = "_"
CASES = "cases"
RELEASED = "released.yaml"


@dataclass(frozen=True)
class LawFiles:
    """All files below ``root`` as plain data, by their name below it."""

    root: Path
    contents: Mapping[str, Any]
    # Of everything that decides an answer; two libraries of one digest answer alike.
    digest: str

    def node(self, name: str) -> Node:
        """The file ``name``."""
        return Node(self.contents[name], file=name, key="")

    def below(self, *parts: str) -> Iterator[str]:
        """The names of the files directly in the folder that ``parts`` name."""
        folder = "/".join(parts)
        return (name for name in self.contents if name.rpartition("/")[0] == folder)

    def rules(self) -> Iterator[str]:
        """The names of the files that hold a rule: AREA/INSTRUMENT/RULE.yaml."""
        return (
            name
            for name in self.contents
            if name.count("/") == 2 and not name.rpartition("/")[2].startswith(MODEL_PREFIX)
        )


def read_files(root: Path, *, cache: Path | None = None) -> LawFiles:
    """Every YAML file below ``root`` but the worked cases.

    ``cache``: a file that keeps what was parsed. It is used only if it was made from the very same bytes, and a cache that
    cannot be read or written is no error: the files always win.

    Raises:
        LawError: a file that cannot be read or is not YAML.
    """
    texts = {str(path.relative_to(root)): path for path in _paths(root)}
    raw = {name: _bytes(path, name) for name, path in texts.items()}
    mark = _fingerprint(raw)
    held = _cached(cache, mark, root)
    if held is None:
        held = law_files(
            {name: plain(read_yaml(_text(data, name), file=name)) for name, data in raw.items()}, root=root
        )
        _keep(cache, mark, held)
    return held


def law_files(contents: Mapping[str, Any], *, root: Path) -> LawFiles:
    """Files that were parsed before, such as those of an earlier release that was kept."""
    deciding = {name: value for name, value in contents.items() if name != RELEASED}
    return LawFiles(root, contents, digest(deciding))


def _paths(root: Path) -> list[Path]:
    """Every YAML file but the cases; folders that are links are followed, so that a house may put its own beside ours."""
    found = [
        Path(folder) / name
        for folder, _, names in os.walk(root, followlinks=True)
        if Path(folder).name != CASES
        for name in names
        if name.endswith(".yaml")
    ]
    return sorted(found)


def _bytes(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LawError(name, "?", f"expected a readable file ({error.strerror})") from error


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LawError(name, "?", f"expected UTF-8 ({error})") from error


def _fingerprint(raw: Mapping[str, bytes]) -> str:
    mark = hashlib.sha256()
    for name, data in raw.items():
        mark.update(f"{name}\0{len(data)}\0".encode())
        mark.update(data)
    return mark.hexdigest()


def _cached(cache: Path | None, mark: str, root: Path) -> LawFiles | None:
    if cache is None:
        return None
    try:
        kept = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or set(kept) != _CACHE_KEYS or kept["fingerprint"] != mark:
        return None
    return LawFiles(root, kept["files"], kept["digest"])


_CACHE_KEYS = {"fingerprint", "digest", "files"}


def _keep(cache: Path | None, mark: str, files: LawFiles) -> None:
    if cache is None:
        return
    beside = cache.with_suffix(f".{os.getpid()}")
    kept = {"fingerprint": mark, "digest": files.digest, "files": files.contents}
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        beside.replace(cache)  # readers see the old file or the new one, never half of it
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def with_model(node: Node, files: LawFiles) -> Node:
    """The rule with what it takes over from its model (``model: _nis2.yaml`` in the same folder).

    The rule's own keys win. Each version takes over from the model's ``version``; of its stages ``change_stages`` changes some,
    ``drop_stages`` leaves some out and ``add_stages`` adds some, where it does not list ``stages`` of its own.

    Raises:
        LawError: no such model, or a stage that the model does not have.
    """
    if not isinstance(node.value, dict) or "model" not in node.value:
        return node
    name = f"{node.file.rpartition('/')[0]}/{node.at('model').text()}"
    if name not in files.contents:
        raise node.fail(f"{name}: expected a file beside this one", "model")
    model = files.node(name)
    model.mapping(required={"version"}, optional=set(model.value))
    shared = {key: value for key, value in model.value.items() if key != "version"}
    own = {key: value for key, value in node.value.items() if key != "model"}
    versions = [_merged(item, model.at("version")) for item in node.at("versions").items(least=1)]
    return Node({**shared, **own, "versions": versions}, file=node.file, key="")


_CHANGES = ("change_stages", "drop_stages", "add_stages")


def _merged(version: Node, model: Node) -> dict[str, Any]:
    if not isinstance(version.value, dict):
        raise version.fail("expected a mapping")
    own = {key: value for key, value in version.value.items() if key not in _CHANGES}
    merged = {**model.value, **own}
    if "stages" in own:
        return merged
    stages = {stage.at("key").text(): dict(stage.value) for stage in model.at("stages").items(least=1)}
    for key, change in version.at("change_stages").entries() if version.has("change_stages") else ():
        if key not in stages:
            raise change.fail(f"{key}: expected one of {', '.join(stages)}")
        stages[key].update(change.value)
    for item in version.at("drop_stages").items() if version.has("drop_stages") else ():
        stages.pop(item.one_of(stages))
    added = [item.value for item in version.at("add_stages").items()] if version.has("add_stages") else []
    return {**merged, "stages": [*stages.values(), *added]}
