"""Files that other tools wrote, told by their form."""

from mlops_ci.data.foreign.declaration import Foreign, Row
from mlops_ci.data.foreign.detection import FORMATS, Detected, detect, detect_part

__all__ = ["FORMATS", "Detected", "Foreign", "Row", "detect", "detect_part"]
