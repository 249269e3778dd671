"""The runner's files and its log: nothing that others wrote becomes a command or an output."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.github.runner import SUMMARY_BYTES, Runner

FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
HOSTILE = (
    "::set-output name=verdict::pass",
    "::error::no",
    "##[error]no",
    "::stop-commands::x",
    "::x::",
    "::endgroup::",
    "\r",
    "\n",
    "%0A",
    "\ud800",
    "text",
)
hostile = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8)).map("".join)


def made(folder: Path, **more: str) -> tuple[Runner, io.BytesIO]:
    paths = {name: folder / name for name in FILES}
    for path in paths.values():
        path.touch()
    log = io.BytesIO()
    return Runner({**{name: str(path) for name, path in paths.items()}, **more}, log), log


def outputs(text: str) -> list[tuple[str, str]]:
    """As the runner reads its file: name, delimiter, lines up to the delimiter."""
    found, lines = [], text.split("\n")
    while lines and lines[0]:
        name, _, delimiter = lines.pop(0).partition("<<")
        end = lines.index(delimiter)
        found.append((name, "\n".join(lines[:end])))
        lines = lines[end + 1 :]
    return found


def commands(log: bytes) -> list[str]:
    """As the runner reads the log: every line that begins with a command while none are stopped."""
    found: list[str] = []
    word = None
    for line in re.split(r"\r\n|\r|\n", log.decode("utf-8", "replace")):
        command = re.match(r"\s*::([\w-]+|[0-9a-f]{32})(?: [^:]*)?::(.*)", line)
        if word is not None:
            word = None if line.strip() == f"::{word}::" else word
            continue
        if command is None:
            continue
        if command[1] == "stop-commands":
            word = command[2]
        else:
            found.append(command[1])
    assert word is None
    return found


def test_a_value_is_read_as_it_was_written(tmp_path: Path) -> None:
    runner, _ = made(tmp_path)
    values = [("verdict", "pass"), ("path", ""), ("lines", "a\nverdict=fail\nb<<EOF\nEOF")]
    for name, value in values:
        runner.output(name, value)
    assert outputs((tmp_path / "GITHUB_OUTPUT").read_text()) == values


@given(st.lists(hostile, max_size=4))
def test_no_value_adds_an_output(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("runner")
    runner, _ = made(folder)
    for value in values:
        runner.output("verdict", value)
    text = (folder / "GITHUB_OUTPUT").read_bytes().decode()
    assert [name for name, _ in outputs(text)] == ["verdict"] * len(values)


def test_no_two_delimiters_are_alike(tmp_path: Path) -> None:
    runner, _ = made(tmp_path)
    for _ in range(20):
        runner.state("closed", "true")
    lines = (tmp_path / "GITHUB_STATE").read_text().splitlines()
    assert len({line for line in lines if line.startswith("closed<<")}) == 20


def test_files_that_the_runner_did_not_name_are_not_written() -> None:
    runner = Runner({}, io.BytesIO())
    runner.output("verdict", "pass")
    runner.state("closed", "true")
    assert runner.summary("text") is False


@given(st.lists(hostile, max_size=5))
def test_nothing_that_is_echoed_is_a_command(blocks: list[str]) -> None:
    runner, log = Runner({}, io.BytesIO()), io.BytesIO()
    runner.out = log
    with runner.group("training"), runner.stopped() as echo:
        for block in blocks:
            echo(block.encode("utf-8", "replace"))
            runner.say(block)
    runner.annotate("error", "after")
    assert commands(log.getvalue()) == ["group", "endgroup", "error"]


@given(hostile, hostile, hostile)
def test_no_text_in_a_command_ends_it(message: str, title: str, file: str) -> None:
    log = io.BytesIO()
    runner = Runner({}, log)
    runner.annotate("warning", message, title=title, file=file, line=3)
    with runner.group(message):
        pass
    assert commands(log.getvalue()) == ["warning", "group", "endgroup"]
    assert log.getvalue().count(b"\n") == 3


def test_an_annotation_is_escaped_as_the_runner_unescapes_it() -> None:
    log = io.BytesIO()
    Runner({}, log).annotate("error", "50%\na:b,c", title="x: y, z", file="a,b.yaml", line=7)
    assert log.getvalue() == (b"::error title=x%3A y%2C z,file=a%2Cb.yaml,line=7::50%25%0Aa:b,c\n")


def test_a_secret_is_masked_line_by_line() -> None:
    log = io.BytesIO()
    Runner({}, log).mask("one\n\n  \ntwo%")
    assert log.getvalue() == b"::add-mask::one\n::add-mask::two%25\n"


def test_a_command_begins_on_a_line_of_its_own() -> None:
    log = io.BytesIO()
    runner = Runner({}, log)
    with runner.stopped() as echo:
        echo(b"no newline at the end")
    assert re.search(rb"end\n::[0-9a-f]{32}::\n$", log.getvalue())


def test_a_summary_grows_and_ends_in_a_newline(tmp_path: Path) -> None:
    runner, _ = made(tmp_path)
    assert runner.summary("# one")
    runner.summary("two\n\n\n")
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == "# one\ntwo\n"


def test_a_summary_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    log = io.BytesIO()
    runner = Runner({"GITHUB_STEP_SUMMARY": str(tmp_path / "gone" / "summary")}, log)
    assert runner.summary("# one") is False
    assert b"::warning::the job's summary cannot be written" in log.getvalue()


@settings(max_examples=20)
@given(st.integers(0, 40), st.text(min_size=1, max_size=20))
def test_a_summary_over_a_mebibyte_is_cut_between_rows(
    tmp_path_factory: pytest.TempPathFactory, before: int, cell: str
) -> None:
    folder = tmp_path_factory.mktemp("runner")
    (folder / "GITHUB_STEP_SUMMARY").write_bytes(b"x" * (SUMMARY_BYTES - 40 + before - 1) + b"\n")
    kept = (folder / "GITHUB_STEP_SUMMARY").read_bytes()
    runner, _ = made(folder)
    row = "| " + re.sub(r"\s", "", cell).replace("\ud800", "?") + " |\n"
    runner.summary(row * 30)
    written = (folder / "GITHUB_STEP_SUMMARY").read_bytes()
    assert len(written) <= SUMMARY_BYTES
    added = written.removeprefix(kept).decode()
    assert added == row.encode("utf-8", "replace").decode() * added.count("\n")


def test_the_run_s_page_names_the_attempt() -> None:
    environ = {
        "GITHUB_SERVER_URL": "https://github.example.org/",
        "GITHUB_REPOSITORY": "acme/churn",
        "GITHUB_RUN_ID": "12",
    }
    page = "https://github.example.org/acme/churn/actions/runs/12"
    assert Runner(environ, io.BytesIO()).run_url == page
    again = {**environ, "GITHUB_RUN_ATTEMPT": "3"}
    assert Runner(again, io.BytesIO()).run_url == f"{page}/attempts/3"
    job = Runner(again, io.BytesIO()).job("0a")
    assert (job.run, job.attempt, job.leg, job.url) == (12, 3, "0a", f"{page}/attempts/3")


@pytest.mark.parametrize("broken", ["", "x", "²", "-1", "1.5"])
def test_a_run_without_a_number_is_run_0(broken: str) -> None:
    runner = Runner({"GITHUB_RUN_ID": broken, "GITHUB_RUN_ATTEMPT": broken}, io.BytesIO())
    assert (runner.job("0a").run, runner.job("0a").attempt, runner.run_url) == (0, 1, None)
