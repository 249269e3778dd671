"""A project's own templates: they replace blocks, do no harm, and never hide the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlops_ci.errors import UsageError
from mlops_ci.report import render_html, render_markdown, render_summary
from mlops_ci.report.templating import COMMENT, LONGEST, PAGE, read_templates
from tests.unit.report.states import STATES

EXTENDS = '{% extends "mlops-ci/comment.md.j2" %}\n'


def rendered(template: str, state: str = "worse", **other: int) -> str:
    return render_markdown(replace(STATES[state](), templates={COMMENT: template}), **other)


@pytest.mark.parametrize(
    "block",
    ["heading", "models", "sections", "lead", "failure", "yardstick", "shipped", "gates", "notes",
     "metrics", "slices", "changes", "plots", "facts", "lineage", "footer"],
)  # fmt: skip
def test_every_block_can_be_replaced(block: str) -> None:
    ours = render_markdown(STATES["worse"]())
    theirs = rendered(f"{EXTENDS}{{% block {block} %}}\nOUR {block}\n{{% endblock %}}")
    assert f"OUR {block}" in theirs
    assert ours != theirs
    assert "was not used" not in theirs


def test_a_block_can_add_to_ours() -> None:
    added = rendered(
        EXTENDS + "{% block lead %}{{ super() }}\nAsk #ml-review about {{ section.title | md }}.\n"
        "{% endblock %}"
    )
    assert "**Must not be merged**" in added
    assert "Ask #ml-review about `churn` is worse" in added


def test_the_page_too() -> None:
    report = STATES["worse"]()
    template = '{% extends "mlops-ci/page.html.j2" %}{% block heading %}<h1>{{ headline | html }}</h1><p>{{ "<b>" }}</p>{% endblock %}'
    page = render_html(replace(report, templates={PAGE: template}))
    assert "<p>&lt;b&gt;</p>" in page
    assert "Gates, worst first" in page


@pytest.mark.parametrize(
    "template",
    [
        "{% extends 'mlops-ci/comment.md.j2' %}{% block lead %}{{ nothing.here }}{% endblock %}",
        "{% if %}",
        "{% include '/etc/passwd' %}",
        "{% include '../page.py' %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ sections[0].title.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ sections.append(1) }}",
        "{% for n in range(10 ** 9) %}x{% endfor %}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_template_that_does_not_work_hides_nothing(template: str) -> None:
    content = rendered(template)
    assert "> **Note:** the project's template for `comment.md.j2` was not used: " in content
    ours = render_markdown(STATES["worse"]())
    kept = [line for line in content.splitlines() if "was not used" not in line]
    assert [line for line in kept if line] == [line for line in ours.splitlines() if line]


def test_a_template_that_is_too_long_gives_way_to_ours() -> None:
    content = rendered(EXTENDS + "{% block lead %}{{ 'x' * 70000 }}{% endblock %}")
    assert content == render_markdown(STATES["worse"]())


def test_the_summary_is_made_by_it_too() -> None:
    report = replace(
        STATES["worse"](),
        templates={COMMENT: EXTENDS + "{% block heading %}\n### ours\n{% endblock %}"},
    )
    assert render_summary(report).startswith("### ours")


def test_names_stay_names_in_a_template_of_somebody_else() -> None:
    from tests.unit.report.test_hostile import everywhere, read

    template = EXTENDS + "{% block heading %}\n### {{ headline }}\n{% endblock %}"
    for name in ("<img src=x>", "![](https://evil.example/p.png)", "@acme/everyone"):
        content = render_markdown(replace(everywhere(name), templates={COMMENT: template}))
        assert read(content).addresses == set()


def test_what_a_folder_holds(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of the templates"):
        read_templates(tmp_path)
    (tmp_path / COMMENT).write_text(EXTENDS)
    (tmp_path / "other.txt").write_text("x")
    assert read_templates(tmp_path) == {COMMENT: EXTENDS}
    (tmp_path / PAGE).write_text("x" * (LONGEST + 1))
    with pytest.raises(UsageError, match="longer than"):
        read_templates(tmp_path)


def test_the_example_of_the_docs_works() -> None:
    page = (Path(__file__).parents[3] / "docs" / "report.md").read_text("utf-8")
    example = page.partition("```jinja\n")[2].partition("```")[0]
    content = rendered(example)
    assert "Questions about the churn models: the team's channel.\n\n`mlops-ci reproduce" in content
    for block in ("heading", "lineage", "facts"):
        assert f"`{block}`" in page
