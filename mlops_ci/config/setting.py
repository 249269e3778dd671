"""What every table of the configuration file is."""

from __future__ import annotations

from msgspec import Struct


class Setting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One table of the configuration file."""
