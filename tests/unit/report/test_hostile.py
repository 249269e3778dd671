"""Names and logs that others chose stay names and logs, wherever they are shown."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.report import (
    Failure,
    Links,
    Plot,
    Report,
    Section,
    render_html,
    render_markdown,
    render_terminal,
    report_of,
    section_of,
)
from tests.unit.report.states import LINKS, compared, drop, metric, named, one, training, worse

HOSTILE = (
    "a|b",
    "line\nbreak\r\n\n# heading",
    "@acme/everyone",
    "#1 and acme/repo#2",
    "<img src=x onerror=alert(1)>",
    "![](https://evil.example/pixel.png)",
    "[click](https://evil.example)",
    "<!-- mlops-ci:comment -->",
    "-->",
    "`tick` and ``two``",
    "`",
    "*bold* _soft_ ~~gone~~",
    "</details></summary><script>alert(1)</script>",
    "https://evil.example www.evil.example me@evil.example",
    "$x$ $$y$$",
    "\x1b[31mred\x1b[0m\x07",
    "\u202egnp.exe",
    "&lt;b&gt; &amp;",
    "{{ 7 * 7 }} {% raw %}",
    "😀" * 40,
    "x" * 5000,
    "\\|",
    " ",
)
TAGS = {
    "h3", "p", "code", "strong", "b", "table", "thead", "tbody", "tr", "th", "td", "details",
    "summary", "ul", "li", "a", "pre", "blockquote",
}  # fmt: skip


class Reader(HTMLParser):
    """What the browser gets: tags, addresses, and the text outside of code."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str | None] = set()
        self.text = ""
        self.comments = 0
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {value for name, value in attrs if name in ("href", "src")}
        self._quiet += tag in ("code", "pre")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("code", "pre")

    def handle_data(self, data: str) -> None:
        self.text += "" if self._quiet else data

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - the parser's signature
        self.comments += 1


def read(markdown: str) -> Reader:
    reader = Reader()
    reader.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))
    return reader


def everywhere(name: str) -> Report:
    """The name as model, metric, slice, parameter, note, log, error, file, change."""
    found = [
        metric("roc_auc", 0.9, 0.8, 0.01, slice=name, n=50),
        metric(name, 0.5, 0.4, 0.01, note=name),
    ]
    comparison = compared(
        found, (drop("roc_auc", 0.01, name),), model=name, changes=(name,), notes=(name,)
    )
    trained = [training(parameters={name: name}), training(parameters={name: f"{name}!"})]
    section = section_of(comparison, training=trained[0], base_training=trained[1])
    failure = Failure("train", name, where=name, fix=f"{name}\n{name}", tail=name)
    return report_of(
        [section, Section(f"{name}2", "failed", failure=failure), named(worse(), "other"),
         Section(name, "untouched")],
        base_name=name,
    )  # fmt: skip


def harmless(report: Report) -> None:
    content = render_markdown(report)
    reader = read(content)
    assert reader.tags <= TAGS
    assert reader.addresses == set()
    assert reader.comments == 0
    assert not re.search(r"(?:^|\W)@\w", reader.text)
    assert not re.search(r"#\d", reader.text)
    for table in re.findall(r"(?:^\|.*\n)+", content, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown(name: str) -> None:
    harmless(everywhere(name))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_title_of_a_picture(name: str) -> None:
    """A project names its own plots."""
    at = "https://github.com/acme/churn/blob/mlops-ci-plots/a.png"
    plot = Plot("own-1", name, b"", b"", light_url=at, dark_url=at)
    section = replace(worse(), plots=(plot,))
    reader = read(render_markdown(one(section)))
    assert reader.tags <= TAGS | {"picture", "source", "img"}
    assert {found for found in reader.addresses if found} == {at, LINKS.report, LINKS.run}
    assert reader.comments == 0
    assert not re.search(r"(?:^|\W)@\w", reader.text)
    assert "heading" not in reader.text
    page = Reader()
    page.feed(re.sub(r"<(style|script)>.*?</\1>", "", render_html(one(section)), flags=re.DOTALL))
    assert "script" not in page.tags
    assert all(str(found).startswith(("data:", "https://example")) for found in page.addresses)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab1 |`@#<>![]()*_~-+.:/\\&\n$\"'=wht.ps"), max_size=30))
def test_markdown_of_any_name(name: str) -> None:
    harmless(everywhere(name))


@pytest.mark.parametrize("name", HOSTILE)
def test_page(name: str) -> None:
    reader = Reader()
    page = re.sub(r"<(style|script)>.*?</\1>", "", render_html(everywhere(name)), flags=re.DOTALL)
    reader.feed(page)
    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert {address for address in reader.addresses if not str(address).startswith("#")} == set()


@pytest.mark.parametrize("name", HOSTILE)
def test_terminal_gets_no_control_characters(name: str) -> None:
    content = render_terminal(everywhere(name), 100)
    assert all(c.isprintable() or c == "\n" for c in content)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x"])
def test_page_links_only_to_pages(address: str) -> None:
    report = report_of([worse()], Links(run=address))
    assert address not in render_html(report)


def test_a_link_cannot_leave_its_brackets() -> None:
    address = "https://example.org/a>) <img src=x> [b](c"
    reader = read(render_markdown(report_of([worse()], Links(run=address))))
    assert "img" not in reader.tags
    assert len(reader.addresses) == 1


def test_a_log_cannot_leave_its_fence() -> None:
    failure = Failure("train", "it failed", tail="```\n</code></pre>\n# free\n````\n@acme")
    reader = read(render_markdown(one(replace(Section("m", "failed"), failure=failure))))
    assert reader.tags <= TAGS
    assert "free" not in reader.text
    assert "acme" not in reader.text
