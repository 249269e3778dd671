"""What DVC's plots definitions mean, and that nothing else can be meant by them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config.dvc_plots import Line, PlotDefinition, is_inside, plots_of

# The forms of https://dvc.org/doc/user-guide/project-structure/dvcyaml-files#plots
FORMS: list[tuple[Any, tuple[Line, ...]]] = [
    ({"loss.csv": {"x": "epoch", "y": "loss"}}, (Line("loss.csv", "loss", "epoch"),)),
    ("loss.csv", (Line("loss.csv"),)),
    ({"loss.csv": None}, (Line("loss.csv"),)),
    (
        {"loss.csv": {"x": "epoch", "y": ["a", "b"]}},
        (Line("loss.csv", "a", "epoch"), Line("loss.csv", "b", "epoch")),
    ),
    (
        {"ROC": {"x": "fpr", "y": {"train.json": "tpr", "test.json": ["tpr"]}}},
        (Line("train.json", "tpr", "fpr"), Line("test.json", "tpr", "fpr")),
    ),
    (
        {"C": {"x": {"labels.csv": "actual"}, "y": {"answers.csv": "predicted"}}},
        (Line("answers.csv", "predicted", "actual", "labels.csv"),),
    ),
    (
        {"C": {"x": {"a.csv": "x1", "b.csv": "x2"}, "y": {"a.csv": "y", "b.csv": "y"}}},
        (Line("a.csv", "y", "x1"), Line("b.csv", "y", "x2")),
    ),
]


@pytest.mark.parametrize(("entry", "lines"), FORMS)
@pytest.mark.parametrize("listed", [True, False])
def test_every_form(entry: Any, lines: tuple[Line, ...], *, listed: bool) -> None:
    plots = [entry] if listed or isinstance(entry, str) else entry
    (found,), pictures = plots_of({"plots": plots})
    assert (found.lines, pictures) == (lines, [])


def test_names_and_template() -> None:
    settings = {"x": "a", "y": "b", "title": "T", "x_label": "A", "y_label": "B"}
    (found,), _ = plots_of({"plots": [{"m.csv": {**settings, "template": "scatter"}}]})
    lines = (Line("m.csv", "b", "a"),)
    assert found == PlotDefinition("T", lines, "scatter", "A", "B")


def test_a_stage_s_plots_count_where_the_stage_does() -> None:
    stages = {
        "train": {"plots": [{"loss.csv": {"x": "e", "cache": False}}, "out/seen.png"]},
        "other": {"plots": ["other.csv"]},
    }
    found, pictures = plots_of({"stages": stages}, ["train"])
    assert [plot.title for plot in found] == ["loss.csv"]
    assert pictures == ["out/seen.png"]
    assert len(plots_of({"stages": stages}, [])[0]) == 2


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../up.csv", "a/../../up.csv", "~/x.csv", "${data}.csv", "model.pkl"]
)
def test_files_elsewhere_and_other_files_are_no_plots(path: str) -> None:
    assert plots_of({"plots": [{path: {"y": "b"}}]}) == ([], [])
    assert plots_of({"plots": [{"P": {"x": "a", "y": {path: "b"}}}]}) == ([], [])


def test_a_folder_is_as_many_plots_as_it_has_files() -> None:
    """As DVCLive writes them."""
    files = {"live/plots": ["live/plots/acc.tsv", "live/plots/seen.png", "live/plots/notes.txt"]}
    data = {"plots": [{"live/plots": {"x": "step"}}, "loss.csv"]}
    found, pictures = plots_of(data, None, lambda name: files.get(name, []))
    assert [(plot.title, plot.lines) for plot in found] == [
        ("live/plots/acc.tsv", (Line("live/plots/acc.tsv", None, "step"),)),
        ("loss.csv", (Line("loss.csv"),)),
    ]
    assert pictures == ["live/plots/seen.png"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("a.csv"),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text() | st.sampled_from(["plots", "stages", "x", "y", "a.csv"]), inner
        )
    ),
    max_leaves=20,
)


@given(anything)
def test_any_document_is_read(data: Any) -> None:
    found, pictures = plots_of({"plots": data, "stages": {"train": {"plots": data}}})
    assert all(is_inside(line.file) for plot in found for line in plot.lines)
    assert all(is_inside(path) for path in pictures)
    plots_of(data)
