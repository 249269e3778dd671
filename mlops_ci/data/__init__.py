"""Files → columns, pairs, digests."""

from mlops_ci.data.digest import digest_file, digest_folder
from mlops_ci.data.numbers import Numbers, read_numbers
from mlops_ci.data.pairing import Pairing, pair, single_rows
from mlops_ci.data.predictions import Predictions, read_predictions
from mlops_ci.data.request import ColumnsRequest, request_from_config
from mlops_ci.data.side import SideFile, read_side
from mlops_ci.data.slim import read_slim, write_slim
from mlops_ci.data.table import is_table

__all__ = [
    "ColumnsRequest",
    "Numbers",
    "Pairing",
    "Predictions",
    "SideFile",
    "digest_file",
    "digest_folder",
    "is_table",
    "pair",
    "read_numbers",
    "read_predictions",
    "read_side",
    "read_slim",
    "request_from_config",
    "single_rows",
    "write_slim",
]
