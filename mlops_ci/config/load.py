"""Find and read the configuration; every error names file, line and key."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from mlops_ci.config.contract import Column, Contract, Rows
from mlops_ci.config.document import Document, format_path, read_yaml
from mlops_ci.config.model import (
    Alerts,
    Columns,
    Config,
    Deploy,
    Function,
    Limits,
    Model,
    Store,
)
from mlops_ci.config.robustness import Missing, Noise, Prior, Robustness, Scale, Swap
from mlops_ci.config.setting import Setting
from mlops_ci.errors import DOCS, ConfigError

FILE = "mlops-ci.yaml"
SAMPLE = """models:
  churn:
    train: python train.py
    predictions: out/predictions.parquet
    gates:
      roc_auc: {max-drop: 0.01}"""


def find_config(folder: Path) -> Path | None:
    """`mlops-ci.yaml`, else a `pyproject.toml` with `[tool.mlops-ci]`, else `dvc.yaml`."""
    if (folder / FILE).is_file():
        return folder / FILE
    pyproject = folder / "pyproject.toml"
    if pyproject.is_file() and "[tool.mlops-ci" in pyproject.read_text("utf-8", "replace"):
        return pyproject
    dvc = folder / "dvc.yaml"
    return dvc if dvc.is_file() else None


def load_config(folder: Path) -> Config:
    """Raises ConfigError when there is none, or it is broken."""
    path = find_config(folder)
    if path is None:
        raise ConfigError(
            f"there is no {FILE} here, and no dvc.yaml either",
            where=str(folder),
            fix=f"run `mlops-ci init`, or paste this into {FILE}:\n{SAMPLE}",
            link=f"{DOCS}/config.md",
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path.name} cannot be read: {error}", where=str(path), fix="save it as UTF-8 text"
        ) from error
    return parse_config(text, path.name)


def parse_config(text: str, name: str = FILE) -> Config:
    """Text of any of the three files → Config. `name` decides the syntax."""
    if name == "dvc.yaml":
        from mlops_ci.config.dvc import config_from_dvc

        return config_from_dvc(read_yaml(text, name))
    document = _read_toml(text, name) if name.endswith(".toml") else read_yaml(text, name)
    if not isinstance(document.data, dict):
        raise ConfigError(f"{name} is empty", where=name, fix=f"paste this:\n{SAMPLE}")
    try:
        config = msgspec.convert(document.data, Config, strict=True)
    except msgspec.ValidationError as error:
        raise explain(error, document) from None
    from mlops_ci.config.check import check_config

    check_config(config, document)
    return config


def _read_toml(text: str, name: str) -> Document:
    try:
        data: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not valid TOML: {error}", where=name) from error
    table = data.get("tool", {}).get("mlops-ci") if name == "pyproject.toml" else data
    return Document(table, {}, name)


def explain(error: msgspec.ValidationError, document: Document) -> ConfigError:
    """msgspec's message, with line, key and the nearest known name."""
    message, _, at = str(error).partition(" - at `")
    path = _locate(document.data, _parse_path(at.rstrip("`")))
    unknown = re.match(r"Object contains unknown field `(.+)`", message)
    link = f"{DOCS}/config.md"
    if not unknown:
        value = _get(document.data, path)
        message = _KINDS.sub(lambda found: _in_words(found[1]), message)
        what = f"{format_path(path) or 'the file'}: {message[0].lower()}{message[1:]}"
        fix = _choices(path, value) or _written(path, value, error)
        return ConfigError(what, where=document.where(path), fix=fix, link=link)
    key = unknown.group(1)
    where = document.where((*path, key))
    return ConfigError(f"unknown key {key!r}", where=where, fix=_meant(key, path), link=link)


def _meant(key: str, path: tuple[str | int, ...]) -> str:
    """A key misspelt, else one that stands in the wrong table, else the nearest one."""
    here = _table_of(path)
    near = difflib.get_close_matches(key, keys_of(here), n=1, cutoff=0.5)
    misspelt = bool(difflib.get_close_matches(key, near, cutoff=0.8))
    if here is not Model and key in keys_of(Model) and not misspelt:
        return f"{key!r} is a key of a model: put it below its name under `models:`"
    if here is Model and key in keys_of(Config) and not misspelt:
        return f"{key!r} is a key of the whole file: put it beside `models:`"
    return f"perhaps you meant {near[0]!r}" if near else "remove it"


TABLES: dict[str | int, type[Setting]] = {
    "columns": Columns,
    "deploy": Deploy,
    "store": Store,
    "alerts": Alerts,
}


ROBUSTNESS: dict[str, type[Setting]] = {
    "noise": Noise,
    "missing": Missing,
    "scale": Scale,
    "swap": Swap,
    "prior": Prior,
}


def _table_of(path: tuple[str | int, ...]) -> type[Setting]:
    if not path:
        return Config
    if len(path) > 2 and path[2] == "gates":
        return Limits
    if len(path) > 2 and path[2] == "functions":
        return Function
    if len(path) > 2 and path[2] == "contract":
        inside = [part for part in path[3:] if isinstance(part, str)]
        tables: dict[str, type[Setting]] = {"columns": Column, "rows": Rows}
        return tables.get(inside[0], Contract) if inside else Contract
    if len(path) > 2 and path[2] == "robustness":
        inside = [part for part in path[3:] if isinstance(part, str)]
        return ROBUSTNESS.get(inside[0], Robustness) if inside else Robustness
    return TABLES.get(path[-1], Model)


def keys_of(table: type[Setting]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(table)]


def _choices(path: tuple[str | int, ...], value: Any) -> str:
    """The values that a key takes, or `value` as it should stand there; nothing where a key takes
    more than a few words."""
    keys = [part for part in path if isinstance(part, str)]
    if not keys:
        return ""
    for field in msgspec.structs.fields(_table_of(tuple(keys[:-1]))):
        words = _words_of(field.type) if field.encode_name == keys[-1] else ()
        if words:
            return f"choose one of: {', '.join(words)}"
        if (
            field.encode_name == keys[-1]
            and isinstance(value, str)
            and get_origin(field.type) is list
        ):
            return f"write a list:\n    {keys[-1]}: [{value}]"
    return ""


def _in_words(kinds: str) -> str:
    """msgspec's `str | null` → text. That a key may be left out is not what is asked."""
    names = [kind for kind in kinds.split(" | ") if kind != "null"] or ["null"]
    return " or ".join(_WORDS.get(name, name) for name in names)


def _written(path: tuple[str | int, ...], value: Any, error: msgspec.ValidationError) -> str:
    """How a table of keys, or any value, is written where something else stands."""
    key = path[-1] if path and isinstance(path[-1], str) else ""
    shown = f"{value:g}" if isinstance(value, (int, float)) else ""
    if key and path[2:3] == ("gates",) and "Expected `object" in str(error):
        return f"say what it may not do:\n    {key}: {{max-drop: {shown or '0.01'}}}"
    if key in EXAMPLES and "Expected `object" in str(error):
        name, usual = EXAMPLES[key]
        return f"say what is meant:\n    {key}: {{{name}: {shown or usual}}}"
    if "date" in str(error):
        return f"write year, month and day:\n    {key}: 2027-01-31"
    if key and "Expected `object`" in str(error):
        return f"write its keys below it, two spaces further in:\n    {key}:\n      KEY: VALUE"
    if key and value is None:
        return f"write its value on the same line, or remove the line:\n    {key}: VALUE"
    return ""


def _words_of(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    return tuple(word for part in get_args(kind) for word in _words_of(part))


# Of tables that are easily taken for one number: which of their keys that would be.
EXAMPLES = {
    "rows": ("min", "1000"),
    "noise": ("sd", "0.1"),
    "missing": ("share", "0.1"),
    "scale": ("column: COLUMN, factor", "1000"),
    "swap": ("column: COLUMN, share", "0.5"),
    "prior": ("positive", "0.5"),
}
ANY_KEY = "[...]"
_KINDS = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")
_WORDS = {
    "object": "keys with values",
    "array": "a list",
    "null": "nothing",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


def _parse_path(text: str) -> tuple[str | int, ...]:
    """msgspec's `$.models[...].gates[0]`; `[...]` stands for some key of a mapping."""
    parts = re.findall(r"\[\.\.\.\]|\[\d+\]|\.[^.\[]+", text)
    return tuple(
        part if part == ANY_KEY else int(part[1:-1]) if part[0] == "[" else part[1:]
        for part in parts
    )


def _locate(data: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Put the real key for every `[...]`: the first one that fails when it stands alone."""
    for depth, part in enumerate(path):
        if part != ANY_KEY:
            continue
        here = path[:depth]
        for key, value in _get(data, here).items():
            alone = _with(data, here, {key: value})
            if _fails(alone):
                return _locate(alone, (*here, key, *path[depth + 1 :]))
    return path


def _get(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        data = data[part]
    return data


def _with(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    copy = list(data) if isinstance(data, list) else dict(data)
    copy[path[0]] = _with(data[path[0]], path[1:], value)  # type: ignore[index]
    return copy


def _fails(data: Any) -> bool:
    try:
        msgspec.convert(data, Config, strict=True)
    except msgspec.ValidationError:
        return True
    return False
