"""Results of TensorFlow Model Analysis, as JSON.

Two forms: `json.dump(result.slicing_metrics)`, alone or under that name, and `MessageToDict` of
each `MetricsForSlice`, in a list or one a line.
https://www.tensorflow.org/tfx/model_analysis/get_started
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_ci.data.foreign.declaration import Foreign, Named

KEYS, SLICE = "metricKeysAndValues", "sliceKey"
MESSAGES = r"metric_?[kK]eys_?[aA]nd_?[vV]alues"
SLICING = "slicing_metrics"
COUNTS = ("example_count", "weighted_example_count")


def recognise_slices(document: Any) -> str | None:
    document = _slicing(document)
    if not isinstance(document, list) or not document:
        return None
    whole = all(
        isinstance(entry, list)
        and len(entry) == 2
        and isinstance(entry[0], list)
        and isinstance(entry[1], Mapping)
        and all(isinstance(inner, Mapping) for inner in entry[1].values())
        for entry in document
    )
    return "pairs of a slice and its metrics" if whole else None


def _slicing(document: Any) -> Any:
    return document.get(SLICING, document) if isinstance(document, Mapping) else document


def slices(document: Any) -> Iterator[Named]:
    """`auc` on all rows, `site=north.auc` on a slice; output and class stand between."""
    for key, outputs in _slicing(document):
        part = ",".join(f"{column}={value}" for column, value in key)
        for output, classes in outputs.items():
            for name, metrics in classes.items():
                for metric, value in metrics.items():
                    if metric not in COUNTS:
                        yield ".".join(filter(None, (part, output, name, metric))), _value(value)


def recognise_messages(document: Any) -> str | None:
    entries = document if isinstance(document, list) else [document]
    whole = entries and all(
        isinstance(entry, Mapping) and isinstance(_field(entry, KEYS), list) for entry in entries
    )
    return f"`{SLICE}` and `{KEYS}`" if whole else None


def messages(document: Any) -> Iterator[Named]:
    for entry in document if isinstance(document, list) else [document]:
        keys = _field(_field(entry, SLICE) or {}, "singleSliceKeys") or []
        part = ",".join(f"{key.get('column')}={_slice_value(key)}" for key in keys)
        for pair in _field(entry, KEYS):
            key = pair.get("key", {})
            if key.get("name") not in COUNTS:
                yield ".".join(filter(None, (part, *_path(key)))), _value(pair.get("value", {}))


def _path(key: Mapping[str, Any]) -> tuple[str, ...]:
    sub = _field(key, "subKey") or {}
    chosen = ",".join(f"{name}:{value}" for name, value in sub.items())
    model, output = _field(key, "modelName") or "", _field(key, "outputName") or ""
    name = str(key.get("name", ""))
    return model, output, chosen, f"{name}_diff" if _field(key, "isDiff") else name


def _field(message: Mapping[str, Any], name: str) -> Any:
    """Protocol buffers print `sliceKey`, or `slice_key` where the caller asked for it."""
    plain = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return message.get(name, message.get(plain))


def _slice_value(key: Mapping[str, Any]) -> str:
    packed = _field(key, "bytesValue")
    if packed is None:
        return str(next((value for name, value in key.items() if name != "column"), ""))
    import base64
    import binascii

    try:
        return base64.b64decode(packed, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return str(packed)


def _value(value: Any) -> Any:
    """The number; a value of another kind (a matrix, an array) as it is, to be refused."""
    if not isinstance(value, Mapping):
        return value
    bounded = _field(value, "boundedValue")
    inner = (
        _field(bounded, "value") if isinstance(bounded, Mapping) else _field(value, "doubleValue")
    )
    if isinstance(inner, Mapping):
        inner = inner.get("value")
    if inner in ("NaN", "Infinity", "-Infinity"):
        return float(inner)
    return dict(value) if inner is None else inner


TFMA_SLICES = Foreign(
    "result of TensorFlow Model Analysis", "document", recognise_slices,
    rf'\A\s*\[\s*\[|"{SLICING}"', numbers=slices,
)  # fmt: skip
TFMA_MESSAGES = Foreign(
    "result of TensorFlow Model Analysis", "document", recognise_messages, MESSAGES,
    numbers=messages,
)  # fmt: skip
