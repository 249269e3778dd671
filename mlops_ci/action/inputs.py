"""INPUT_* → values by the one table of options; the same kinds and the same errors as flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_ci.errors import UsageError
from mlops_ci.options import Option, options_of

ROOT = "run"  # the root action takes the options of `mlops-ci run`


def inputs_of(step: str) -> tuple[Option, ...]:
    """What an action takes; the root action's step is empty."""
    return tuple(option for option in options_of(step or ROOT) if option.only != "cli")


def read_inputs(step: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """By parameter name. What is not given is None, or () where several may be. An input goes
    before its MLOPS_CI_* variable. Raises UsageError for a value of the wrong kind."""
    return {option.parameter: _value(option, environ) for option in inputs_of(step)}


def readable_inputs(step: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """The same without the wrong ones: enough to say on GitHub what is wrong."""
    found: dict[str, Any] = {}
    for option in inputs_of(step):
        try:
            found[option.parameter] = _value(option, environ)
        except UsageError:
            found[option.parameter] = None
    return found


def _value(option: Option, environ: Mapping[str, str]) -> Any:
    text = environ.get(option.input_variable, "").strip()
    text = text or environ.get(option.variable, "").strip()
    if option.multiple:
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    return _convert(option, text) if text else None


def _convert(option: Option, text: str) -> Any:
    if option.kind == "path":
        return Path(text)
    if option.kind == "choice" and text not in option.choices:
        raise _wrong(option, text, f"one of: {', '.join(option.choices)}")
    if option.kind in {"number", "integer"}:
        return _number(option, text)
    return text


def _number(option: Option, text: str) -> float:
    try:
        value = int(text) if option.kind == "integer" else float(text)
    except ValueError:
        raise _wrong(option, text, f"an {option.kind}") from None
    if wanted := option.misses(value):
        raise _wrong(option, text, wanted)
    return value


def _wrong(option: Option, text: str, wanted: str) -> UsageError:
    return UsageError(
        f"the input {option.name}: {text!r} is not {wanted.replace('an number', 'a number')}",
        where=f"with: {option.name}",
        fix=option.help,
    )
