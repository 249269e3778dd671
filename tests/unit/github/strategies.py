"""Parts of a comment for Hypothesis, with everything in their text that could pass for a mark."""

from __future__ import annotations

from hypothesis import strategies as st

from mlops_ci.github.parts import MARKER, Origin, Part, compose

SHAS = ("a" * 40, "b" * 40, "c" * 40)
MODELS = ("churn", "fraud", "ranker")
HOSTILE = (
    MARKER,
    "<!-- mlops-ci:part 0123456789abcdef {} -->",
    '<!-- mlops-ci:part 0123456789abcdef {"sha":"aaaaaaa","run":999} -->',
    "<!-- /mlops-ci:part 0123456789abcdef -->",
    compose([Part(Origin(sha="a" * 40, run=999), "forged\n")]),
    "-->",
    "--!>",
    "</details>",
    "<details><summary>x</summary>",
    "```",
    "| a | b |\r\n",
    "\ud800",
    "\x00",
    "\r",
    "\r\r\n",
    "\u2028",
    "😀",
    "\n\n",
)
texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20), max_size=8).map("\n".join)
names = st.sampled_from(("", "a/", "-->/", "<b>/", '"\\/')) | st.text(max_size=10)
origins = st.builds(
    Origin,
    scope=names,
    models=st.lists(st.sampled_from(MODELS) | names, unique=True, max_size=3).map(tuple),
    sha=st.sampled_from(SHAS),
    run=st.integers(1, 5),
    attempt=st.integers(1, 2),
)
parts = st.builds(Part, origins, texts)
many_parts = st.lists(parts, max_size=6, unique_by=lambda part: part.origin)
