"""Rows that cannot be judged: an error or "not assessed", and never a pass."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mlops_ci.cli.program import run_program
from tests.integration.compare.conftest import write_csv, write_lines

Capture = pytest.CaptureFixture[str]
Columns = Mapping[str, Sequence[Any]]
N = 400
LABEL = [n % 2 for n in range(N)]
SCORE = [0.2 + 0.4 * (n % 2) + 0.3 * (n * 37 % 100) / 100 for n in range(N)]
GOOD: dict[str, list[Any]] = {"id": list(range(N)), "label": LABEL, "score": SCORE}
VALUES: dict[str, list[Any]] = {
    "id": list(range(N)),
    "label": [n + 0.5 for n in range(N)],
    "prediction": SCORE,
}


def compare(
    capsys: Capture, base: Columns, head: Columns, *gates: str
) -> tuple[int, dict[str, Any], str]:
    """Exit code, the record (empty for an error), what was said about an error."""
    write_csv(Path("base.csv"), base)
    write_csv(Path("head.csv"), head)
    options = [word for gate in gates for word in ("--max-drop", gate)]
    code = run_program(["compare", "base.csv", "head.csv", *options, "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


def gate_of(found: dict[str, Any], metric: str) -> dict[str, Any]:
    return next(gate for gate in found["gates"] if gate["metric"] == metric)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "metric",
    ["roc_auc", "recall", "mcc", "balanced_accuracy", "accuracy", "log_loss", "brier", "ece"],
)
@pytest.mark.parametrize("score", [SCORE, [0.7] * N])
def test_one_class_only(capsys: Capture, metric: str, score: list[float]) -> None:
    head = GOOD | {"label": [1] * N, "score": score}
    code, found, _ = compare(capsys, GOOD | {"label": [1] * N}, head, f"{metric}=0.5")
    assert (code, found["blocks"]) == (1, True)
    assert gate_of(found, metric)["verdict"] == "inconclusive"
    shown = next(one for one in found["metrics"] if one["metric"] == metric)
    assert shown["note"] == "only one class occurs among the labels"
    assert shown["low"] is None


@pytest.mark.usefixtures("here")
def test_one_group_says_nothing_about_groups(capsys: Capture) -> None:
    head = GOOD | {"score": [1 - score for score in SCORE], "group": ["a"] * N}
    gates = [f"{metric}=1" for metric in ("roc_auc", "accuracy", "log_loss", "ece")]
    code, found, said = compare(capsys, GOOD | {"group": ["a"] * N}, head, *gates)
    assert (code, found.get("verdict")) == (1, "inconclusive"), said
    assert {gate["verdict"] for gate in found["gates"]} == {"inconclusive"}


@pytest.mark.usefixtures("here")
def test_a_constant_score_ranks_nothing(capsys: Capture) -> None:
    code, found, _ = compare(capsys, GOOD, GOOD | {"score": [0.3] * N}, "roc_auc=0.01")
    assert (code, found["verdict"]) == (1, "fail")
    base = GOOD | {"score": [0.3] * N}
    for value in (0.3, 0.31):
        head = GOOD | {"score": [value] * N}
        code, found, _ = compare(capsys, base, head, "roc_auc=0.5", "average_precision=0.5")
        assert (code, found["verdict"], found["blocks"]) == (1, "inconclusive", True)
        notes = {one["metric"]: one["note"] for one in found["metrics"]}
        assert notes["roc_auc"] == "all scores are equal: they rank nothing"
    _, found, _ = compare(capsys, GOOD, GOOD | {"score": [0.3] * N}, "roc_auc=0.9")
    assert gate_of(found, "roc_auc")["verdict"] == "pass"
    shown = next(one for one in found["metrics"] if one["metric"] == "roc_auc")
    assert (shown["head"], shown["head_low"], shown["note"]) == (
        0.5,
        None,
        "all scores of head are equal",
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("metric", ["log_loss", "brier", "ece"])
def test_scores_outside_0_to_1_are_no_probabilities(capsys: Capture, metric: str) -> None:
    head = GOOD | {"score": [3 * score - 1 for score in SCORE]}
    code, found, _ = compare(capsys, GOOD, head, f"{metric}=100")
    assert (code, found["blocks"]) == (1, True)
    assert gate_of(found, metric)["verdict"] == "inconclusive"
    shown = next(one for one in found["metrics"] if one["metric"] == metric)
    assert "scores lie outside 0…1" in shown["note"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", ""])
def test_a_label_that_is_no_number(capsys: Capture, value: str) -> None:
    for columns in (GOOD, VALUES):
        label = [value if n == 5 else one for n, one in enumerate(columns["label"])]
        code, found, said = compare(capsys, columns, dict(columns) | {"label": label}, "accuracy=1")
        assert (code, found) == (3, {})
        assert "'label' is missing or not finite in 1 of 400 rows" in said
        assert "row 6" in said


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"score": ["high", *SCORE[1:]]}, 3, "text such as 'high'"),
        ({"score": [str(one).replace(".", ",") for one in SCORE]}, 3, "a decimal comma"),
        ({"label": ["n/a", *[n + 0.5 for n in range(1, N)]], "score": SCORE}, 2, "such as 'n/a'"),
        ({"id": [n // 2 for n in range(N)]}, 3, "200 keys occur more than once: '0', '1', '2'"),
        ({"id": ["", *range(1, N)]}, 3, "1 rows have no 'id'"),
        ({"label": [1 - LABEL[0], *LABEL[1:]]}, 3, "another label in head than in base: '0'"),
    ],
)
def test_cells_that_cannot_be_meant(
    capsys: Capture, change: dict[str, Any], code: int, words: str
) -> None:
    ended, found, said = compare(capsys, GOOD, GOOD | change, "roc_auc=0.5")
    assert (ended, found) == (code, {})
    assert words in said


@pytest.mark.usefixtures("here")
def test_keys_that_do_not_match_decide_nothing(capsys: Capture) -> None:
    head = GOOD | {"id": [n + 1000 for n in range(N)]}
    code, found, said = compare(capsys, GOOD, head, "roc_auc=0.9")
    assert (code, found) == (3, {})
    assert "no id of base is in head" in said
    assert "base.csv, id: 0, 1, 2, …; head.csv, id: 1000, 1001, 1002, …" in said
    head = GOOD | {"id": [n + 100 for n in range(N)]}
    _, found, _ = compare(capsys, GOOD, head, "roc_auc=0.9")
    assert (found["verdict"], found["rows"]["paired"]) == ("inconclusive", 0)
    head = {name: values[:-1] for name, values in GOOD.items()}
    _, found, _ = compare(capsys, GOOD, head, "roc_auc=0.9")
    assert found["verdict"] == "inconclusive"


@pytest.mark.usefixtures("here")
def test_keys_that_are_written_differently_are_mended_by_what_is_said(capsys: Capture) -> None:
    head = GOOD | {"id": [f"{n:04d} " for n in range(N)]}
    code, found, said = compare(capsys, GOOD, head, "roc_auc=0.9")
    assert (code, found) == (3, {})
    assert "the ids are written differently" in said
    assert "0 in base is '0000 ' in head (spaces around it, leading zeros)" in said
    assert "head['id'] = head['id'].astype(str).str.strip()" in said


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("digits", [19, 25])
def test_long_numbers_are_keys_digit_by_digit(capsys: Capture, digits: int) -> None:
    """As floats hundreds of them were one."""
    long = {"id": [10 ** (digits - 1) + n for n in range(N)]}
    code, found, said = compare(capsys, GOOD | long, GOOD | long, "roc_auc=0.01")
    assert (code, found["rows"]["paired"]) == (0, N), said


@pytest.mark.parametrize(
    ("column", "sql", "words"),
    [
        ("label", "CASE WHEN id = 5 THEN '' ELSE 'c' || label END", "'label' is missing"),
        ("id", "CASE WHEN id = 5 THEN '' ELSE 'r' || id END", "1 rows have no 'id'"),
        ("id", "CASE WHEN id = 5 THEN 'nan'::DOUBLE ELSE id END", "1 rows have no 'id'"),
        ("group", "CASE WHEN id = 5 THEN '' ELSE 'g' END", "'group' is missing"),
        ("group", "CASE WHEN id = 5 THEN 'nan'::DOUBLE ELSE 1 END", "'group' is missing"),
        ("score", "[score]", "'score' holds text such as '[0"),
        ("score", "NULL::VARCHAR", "'score' is missing or not finite in 400 of 400 rows"),
        ("label", "[label]", "'label' holds neither classes nor numbers"),
        ("id", "[id]", "'id' cannot identify a row"),
    ],
)
def test_cells_of_columns_that_are_typed(
    here: Path, capsys: Capture, column: str, sql: str, words: str
) -> None:
    """An empty text is a missing one, as in CSV; a list of numbers is none."""
    write_csv(here / "base.csv", GOOD | {"group": ["a", "b"] * (N // 2)})
    query = f'SELECT * REPLACE ({sql} AS "{column}") FROM "base.csv"'
    duckdb.sql(f"COPY ({query}) TO '{here}/x.parquet'")
    options = ["--positive", "c1"] if "'c'" in sql else []
    assert run_program(["compare", "x.parquet", "x.parquet", *options]) == 3
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_cells_of_several_kinds_in_json(capsys: Capture) -> None:
    write_lines(Path("base.jsonl"), GOOD)
    write_lines(Path("head.jsonl"), GOOD | {"id": [n if n % 2 else str(n) for n in range(N)]})
    arguments = ["compare", "base.jsonl", "head.jsonl", "--max-drop", "roc_auc=0.5"]
    assert run_program([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["paired"] == N
    write_lines(Path("head.jsonl"), GOOD | {"label": [n if n % 2 else "no" for n in range(N)]})
    assert run_program(arguments) == 3
    assert "'label' holds values of several kinds, such as \"no\" and 1" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("value", [1e155, 1e200, 1.7e308, -1.7e308])
def test_errors_that_no_float_holds_are_not_assessed(capsys: Capture, value: float) -> None:
    head = VALUES | {"prediction": [value, *SCORE[1:]]}
    for base, other in ((VALUES, head), (head, VALUES), (head, head)):
        code, found, said = compare(capsys, base, other, "mse=1", "rmse=1", "mae=1", "r2=1")
        assert code in {0, 1}, said
        assert {gate_of(found, name)["verdict"] for name in ("mse", "rmse")} <= {
            "inconclusive",
            "fail",
        }
        assert found["verdict"] != "pass"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("value", [1e200, 0.5])
def test_predictions_that_are_no_classes(capsys: Capture, value: float) -> None:
    head = GOOD | {"prediction": [value, *LABEL[1:]]}
    code, found, said = compare(capsys, GOOD, head, "accuracy=0.5")
    assert (code, found) == (2, {})
    assert f"'prediction' holds numbers such as {value:g}, not classes" in said


@pytest.mark.usefixtures("here")
def test_numbers_beyond_all_integers_are_keys(capsys: Capture) -> None:
    large = GOOD | {"id": [1e200, *range(1, N)]}
    code, found, said = compare(capsys, large, large, "roc_auc=0.01")
    assert (code, found.get("verdict")) == (0, "pass"), said


@pytest.mark.usefixtures("here")
def test_truth_values_and_0_and_1_are_the_same_classes(capsys: Capture) -> None:
    head = GOOD | {"label": [one == 1 for one in LABEL]}
    for base, other in ((GOOD, head), (head, GOOD)):
        code, found, said = compare(capsys, base, other, "roc_auc=0.1")
        assert (code, found["verdict"], found["rows"]["paired"]) == (0, "pass", N), said
        assert any("of head are base's" in note for note in found["notes"])
    wrong = head | {"label": [one == 0 for one in LABEL]}
    code, found, said = compare(capsys, GOOD, wrong, "roc_auc=0.01")
    assert (code, found) == (3, {})
    assert "400 rows have another label" in said
    assert "where an id is no more than a row's place" in said


@pytest.mark.usefixtures("here")
def test_what_is_wrong_with_a_line_is_said(capsys: Capture) -> None:
    write_csv(Path("base.csv"), GOOD)
    rows = Path("base.csv").read_text().splitlines()
    ends = {"line 8 has 4 cells, and there are 3 columns": [*rows[:7], rows[7] + ",1", *rows[8:]]}
    ends["'score' holds text such as 'oops'"] = [*rows[:7], "6,0,oops", *rows[8:]]
    for words, lines in ends.items():
        Path("head.csv").write_text("\n".join(lines) + "\n")
        assert run_program(["compare", "base.csv", "head.csv"]) == 3
        said = capsys.readouterr().err
        assert words in said
    assert "where: head.csv, row 7" in said
    Path("head.csv").write_bytes(
        b"\n".join([b"# made today", *(f"{row}\r".encode() for row in rows)])
    )
    assert run_program(["compare", "base.csv", "head.csv"]) == 3
    assert "lines end in different ways" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_labels_with_a_decimal_comma_are_no_classes(capsys: Capture) -> None:
    head = VALUES | {"label": [f"{n},5" for n in range(N)]}
    code, found, said = compare(capsys, VALUES, head, "rmse=1")
    assert (code, found) == (2, {})
    assert "and 'label' text such as '0,5'" in said
    assert "a decimal comma?" in said


@pytest.mark.usefixtures("here")
def test_ten_thousand_classes(capsys: Capture) -> None:
    def columns(classes: int, wrong: int) -> Columns:
        names = [f"c{n}" for n in range(classes)]
        said = [f"c{(n + 1) % classes if n < wrong else n}" for n in range(classes)]
        return {"id": list(range(classes)), "label": names, "prediction": said}

    code, found, _ = compare(
        capsys, columns(10_000, 900), columns(10_000, 100), "accuracy=0.01", "f1=0.01"
    )
    assert gate_of(found, "accuracy")["verdict"] == "pass"
    assert gate_of(found, "f1")["verdict"] == "inconclusive"
    assert (code, found["blocks"]) == (1, True)
    code, found, said = compare(capsys, columns(10_001, 9), columns(10_001, 9), "accuracy=0.01")
    assert (code, found) == (3, {})
    assert "more than 10,000 classes" in said


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_parquet_file(here: Path, capsys: Capture, share: float) -> None:
    write_csv(here / "base.csv", GOOD)
    duckdb.sql(f"COPY (FROM '{here}/base.csv') TO '{here}/base.parquet'")
    content = (here / "base.parquet").read_bytes()
    (here / "head.parquet").write_bytes(content[: int(share * len(content))])
    assert run_program(["compare", "base.parquet", "head.parquet", "--max-drop", "roc_auc=1"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "cannot be read" in said.err or "is empty" in said.err


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("x.csv", b""),
        ("x.parquet", b"PAR1"),
        ("x.jsonl", b'{"label": 1, "score": 0.5}\n'),
        ("x.json", b'{"auc": 1,\n'),
        ("x.yaml", b"auc: 1\n"),
        ("x.json", b'{"metrics": [{"metric_name": "Accuracy()", "value": 1},\n'),
    ],
)
def test_forty_gigabytes_of_nothing(here: Path, name: str, start: bytes) -> None:
    """A sparse file, in a process that may use 700 MB."""
    with (here / name).open("wb") as file:
        file.write(start)
        file.truncate(40 << 30)
    done = limited(here, 700, "read_side", name)
    assert done.returncode == 3, done.stderr
    assert f"ComparisonError {name}" in done.stdout


def test_ten_million_rows_in_little_more_memory_than_their_columns(here: Path) -> None:
    """Both files' keys, labels, scores and classes alone are 640 MB as 64-bit numbers; a process
    that reads and pairs them makes do with 720 MB, Python and its libraries included."""
    for name, seed in (("base.parquet", 1), ("head.parquet", 2)):
        duckdb.sql(
            f"COPY (SELECT i AS id, i % 2 AS label, (hash(i + {seed}) % 1000) / 1000.0 AS score "
            f"FROM range(10_000_000) rows(i)) TO '{here}/{name}' (FORMAT parquet)"
        )
    done = limited(here, 690, "read_sides", "base.parquet", "head.parquet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["10000000", "10000000"]


PROGRAM = """
import resource, sys
size = int(sys.argv[1]) << 20
resource.setrlimit(resource.RLIMIT_DATA, (size, size))
from pathlib import Path
from mlops_ci.data import ColumnsRequest, pair, read_side, read_sides
from mlops_ci.errors import MlopsCiError
paths = [Path(name) for name in sys.argv[3:]]
try:
    if sys.argv[2] == "read_side":
        read_side(paths[0], ColumnsRequest())
    else:
        sides = read_sides(paths, ColumnsRequest())
        counts = pair(*(side.predictions for side in sides)).counts
        print(counts.head, counts.paired)
except MlopsCiError as error:
    print(type(error).__name__, error.what)
    sys.exit(error.exit_code)
"""


def limited(
    folder: Path, megabytes: int, what: str, *names: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(megabytes), what, *names],
        cwd=folder, capture_output=True, check=False, text=True, timeout=300,
    )  # fmt: skip
