"""Files → columns, pairs, digests.

What a name needs is imported when it is asked for: who only wants a digest does not wait for numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.lazy import names_of

if TYPE_CHECKING:
    from mlops_ci.data.digest import digest_file, digest_folder
    from mlops_ci.data.kind import is_table
    from mlops_ci.data.numbers import Numbers, read_numbers
    from mlops_ci.data.pairing import Pairing, pair, single_rows
    from mlops_ci.data.predictions import Predictions, read_predictions
    from mlops_ci.data.request import ColumnsRequest, request_from_config
    from mlops_ci.data.side import SideFile, read_side, read_sides
    from mlops_ci.data.slim import read_slim, write_slim
    from mlops_ci.data.streaming import Streamed, stream_pair

__all__ = [
    "ColumnsRequest",
    "Numbers",
    "Pairing",
    "Predictions",
    "SideFile",
    "Streamed",
    "digest_file",
    "digest_folder",
    "is_table",
    "pair",
    "read_numbers",
    "read_predictions",
    "read_side",
    "read_sides",
    "read_slim",
    "request_from_config",
    "single_rows",
    "stream_pair",
    "write_slim",
]
PLACES = {
    "digest": ("digest_file", "digest_folder"),
    "numbers": ("Numbers", "read_numbers"),
    "kind": ("is_table",),
    "pairing": ("Pairing", "pair", "single_rows"),
    "predictions": ("Predictions", "read_predictions"),
    "request": ("ColumnsRequest", "request_from_config"),
    "side": ("SideFile", "read_side", "read_sides"),
    "slim": ("read_slim", "write_slim"),
    "streaming": ("Streamed", "stream_pair"),
}
__getattr__ = names_of(__name__, PLACES)
