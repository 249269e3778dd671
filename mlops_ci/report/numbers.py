"""Numbers as a reader needs them: the digits that their interval supports, a real minus sign."""

from __future__ import annotations

import math
from decimal import Decimal

MINUS = "−"
NBSP = "\u00a0"
ABSENT = "–"
PLAIN = 3  # decimals where nothing says how sure a number is
MOST = 6  # more decimals than that are written as a power of ten
HUGE = 1e15
# An interval narrower than this share of its value is as wide as floats round.
ROUNDING = 1e-10


def decimals_of(uncertainty: float | None) -> int:
    """Decimals that show one or two digits of an uncertainty, as the Particle Data Group rounds:
    two when its leading digits lie below 355, else one.
    """
    if uncertainty is None or not math.isfinite(uncertainty) or uncertainty <= 0:
        return PLAIN
    exponent = math.floor(math.log10(uncertainty))
    leading = uncertainty / 10.0**exponent
    return max(0, -exponent + (1 if leading < 3.55 else 0))


def has_width(low: float | None, high: float | None, value: float | None) -> bool:
    """Whether an interval says how many digits of `value` count."""
    if low is None or high is None:
        return False
    return high - low > ROUNDING * abs(value or 0.0)


def decimals_without_interval(*values: float | None) -> int:
    """Two digits of the smallest number that is not 0, at least `PLAIN` where they are below 10;
    zeros at every number's end are left out.
    """
    finite = [value for value in values if value and math.isfinite(value)]
    if not finite:
        return PLAIN
    sizes = [abs(value) for value in finite]
    least = PLAIN if max(sizes) < 10 else 1 if max(sizes) < 1000 else 0
    decimals = max(least, min(1 - math.floor(math.log10(min(sizes))), 12))
    while decimals > least and all(f"{value:.{decimals}f}".endswith("0") for value in finite):
        decimals -= 1
    return decimals


def show(value: float | None, decimals: int = PLAIN, *, signed: bool = False) -> str:
    """`0.912`, `+0.015`, `−0.064`, `12,408.5`; `–` for what is not there or not a number."""
    if value is None or not math.isfinite(value):
        return ABSENT
    text = _digits(abs(value), decimals)
    zero = not any(digit in "123456789" for digit in text.split("e")[0])
    sign = "" if zero else MINUS if value < 0 else "+" if signed else ""
    return sign + text


def _digits(size: float, decimals: int) -> str:
    if decimals > MOST and 0 < size < 1e-3:
        figures = max(0, decimals + math.floor(math.log10(size)))
        mantissa, exponent = f"{size:.{figures}e}".split("e")
        return f"{mantissa}e{MINUS}{abs(int(exponent))}"
    if size >= HUGE:
        return f"{size:.3e}".replace("+", "")
    return f"{size:,.{decimals}f}"


def show_exact(value: float, least: int = 0, *, signed: bool = False) -> str:
    """A limit as its author wrote it: no digit less, and at least `least` decimals."""
    if not math.isfinite(value):
        return ABSENT
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    written = -exponent if isinstance(exponent, int) else 0
    return show(value, max(least, min(written, 15)), signed=signed)


def decimals_apart(one: float | None, other: float | None, decimals: int, more: int = 3) -> int:
    """As many decimals as tell two different numbers apart, at most `more` on top."""
    if one is None or other is None or one == other:
        return decimals
    for extra in range(more + 1):
        if show(one, decimals + extra) != show(other, decimals + extra):
            return decimals + extra
    return decimals + more


def show_change(
    difference: float | None, low: float | None, high: float | None, decimals: int
) -> tuple[str, str]:
    """The change, and how far it may be off: `± 0.006`, or `(−0.090 … −0.043)` where the interval
    is not symmetric enough for a ±.
    """
    estimate = show(difference, decimals, signed=True)
    if difference is None or low is None or high is None:
        return estimate, ""
    if low == high:  # counted, not estimated
        return estimate, ""
    half = (high - low) / 2
    unit = 10.0**-decimals
    lopsided = max(abs(difference - half - low), abs(difference + half - high))
    if lopsided < unit / 2:
        return estimate, f"±{NBSP}{show(half, decimals)}"
    ends = (show(end, decimals, signed=True) for end in (low, high))
    return estimate, f"({f'{NBSP}…{NBSP}'.join(ends)})"


def count(number: int) -> str:
    return f"{number:,}"


def round_rows(rows: int) -> int:
    """Two digits, rounded up: a number of rows to collect, not a measurement."""
    if rows < 100:
        return rows
    unit: int = 10 ** (len(str(rows)) - 2)
    return -(-rows // unit) * unit


def show_seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f}{NBSP}s"
    if seconds < 60:
        return f"{seconds:.0f}{NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min{NBSP}{rest}{NBSP}s"
    return f"{minutes // 60}{NBSP}h{NBSP}{minutes % 60}{NBSP}min"


def show_money(amount: float, currency: str) -> str:
    """`0.11 USD`; what is less than a hundredth is not nothing."""
    small = 0 < amount < 0.01
    return f"< 0.01{NBSP}{currency}" if small else f"{amount:,.2f}{NBSP}{currency}"


def show_bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g}{NBSP}{unit}"
        size /= 1000
    return f"{size:.3g}{NBSP}GB"


def show_percent(level: float) -> str:
    return f"{100 * level:g}{NBSP}%"
