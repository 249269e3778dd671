"""Click options out of the one table of options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mlops_ci.options import Option, options_of

F = TypeVar("F", bound=Callable[..., Any])

TYPES: dict[str, Any] = {
    "text": str,
    "path": click.Path(path_type=Path),
    "number": float,
    "integer": int,
}


def declared(step: str) -> Callable[[F], F]:
    """All options of a command, passed as keyword arguments by their `parameter` names."""

    def decorate(function: F) -> F:
        for option in reversed(options_of(step)):
            if option.only != "action":
                function = _click_option(option)(function)
        return function

    return decorate


def _click_option(option: Option) -> Callable[[F], F]:
    if option.kind == "flag":
        return click.option(
            f"--{option.name}",
            option.parameter,
            is_flag=True,
            help=option.help,
            envvar=option.variable,
        )
    kind = click.Choice(option.choices) if option.kind == "choice" else TYPES[option.kind]
    return click.option(
        f"--{option.name}",
        option.parameter,
        type=kind,
        callback=_within(option) if option.kind in {"number", "integer"} else None,
        metavar=None if option.kind == "choice" else option.metavar,
        multiple=option.multiple,
        help=option.help,
        envvar=option.variable,
    )


def _within(option: Option) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def check(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if value is not None and (wanted := option.misses(value)):
            raise click.BadParameter(f"{value:g} is not {wanted}.", ctx, param)
        return value

    return check
