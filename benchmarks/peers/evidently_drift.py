"""`evidently_drift.py FILE.npy`: [2, columns, rows], base and head. Prints the seconds of the
report of the preset for drift, the bytes that the process grew by, and each column's distance.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

warnings.simplefilter("ignore")


def peak() -> float:
    return float(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


base, head = np.load(sys.argv[1])
names = [f"x{n}" for n in range(len(base))]
definition = DataDefinition(numerical_columns=names)
tables = [
    Dataset.from_pandas(
        pd.DataFrame(dict(zip(names, side, strict=True))), data_definition=definition
    )
    for side in (head, base)
]
Path("/proc/self/clear_refs").write_text("5")
before, start = peak(), time.perf_counter()
found = Report([DataDriftPreset(columns=names)]).run(*tables).dict()
seconds = time.perf_counter() - start
values = [
    float(one["value"]) for one in found["metrics"] if one["metric_name"].startswith("ValueDrift")
]
print(json.dumps({"seconds": seconds, "memory": peak() - before, "distances": values}))
