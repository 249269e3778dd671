from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.config import Model
from mlops_ci.errors import UsageError
from mlops_ci.records import Evaluation, read_record, write_record
from mlops_ci.steps.evaluate import read_metrics


def test_several_files_share_no_name(tmp_path: Path) -> None:
    for path, text in {
        "a/m.json": '{"auc": 0.1, "f1": "x", "ok": true}',
        "b/n.json": '{"auc": 0.2, "f1": 0.3}',
        "c/n.json": '{"auc": 0.4, "f1": NaN}',
    }.items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(text)
    found = read_metrics(tmp_path, Model(metrics=["a/m.json", "b/n.json", "c/n.json"]))
    assert found.values == {"auc": 0.1, "n.auc": 0.2, "n.f1": 0.3, "c/n.json.auc": 0.4}
    assert set(found.refused) == {"f1", "ok", "c/n.json.f1"}


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no m\.json"):
        read_metrics(tmp_path, Model(metrics="m.json"))
    assert read_metrics(tmp_path, Model()).values == {}


def test_nan_survives_the_record(tmp_path: Path) -> None:
    """JSON has no NaN: as a number it would come back as a broken record."""
    (tmp_path / "m.json").write_text('{"auc": NaN, "loss": 1e400, "f1": 0.5}')
    found = read_metrics(tmp_path, Model(metrics="m.json"))
    record = Evaluation(
        model="m", commit="c", evaluated="now", numbers=found.values, refused=found.refused
    )
    write_record(tmp_path / "evaluate.json", record)
    assert read_record(tmp_path / "evaluate.json", Evaluation) == record
    assert set(record.refused) == {"auc", "loss"}
