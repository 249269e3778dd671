"""Under which login our comments stand."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_ci.errors import ServiceError
from mlops_ci.github.identity import WORKFLOW, Identity, author_of
from mlops_ci.github.patience import Trouble
from tests.unit.github.scripted import denied, scripted, unclear


def test_a_person_s_token_says_whose_it_is() -> None:
    client, script = scripted({"login": "dev"})
    identity = Identity(client)
    assert [identity.find(), identity.find()] == ["dev", "dev"]
    assert len(script.calls) == 1


@pytest.mark.parametrize("trouble", [denied(), Trouble("missing", "Not Found", 404)])
def test_a_token_that_may_not_ask_is_the_workflow_s(trouble: Trouble) -> None:
    client, _ = scripted(trouble)
    assert Identity(client).find() == WORKFLOW == "github-actions[bot]"


def test_an_app_is_known_by_its_check_without_asking() -> None:
    client, script = scripted()
    identity = Identity(client)
    identity.learn_from_check({"app": {"slug": "mlops-ci-bot"}})
    assert identity.find() == "mlops-ci-bot[bot]"
    assert script.calls == []


def test_an_app_without_checks_is_known_by_its_first_comment() -> None:
    client, _ = scripted(denied())
    identity = Identity(client)
    assert identity.find() == WORKFLOW
    identity.learn_from_comment({"user": {"login": "mlops-ci-bot[bot]"}})
    assert identity.find() == "mlops-ci-bot[bot]"


def test_github_s_silence_is_not_taken_for_an_identity() -> None:
    client, _ = scripted(*[unclear() for _ in range(9)])
    identity = Identity(client)
    with pytest.raises(ServiceError):
        identity.find()
    assert identity.login is None


@pytest.mark.parametrize("answer", [{}, {"login": None}, {"login": 5}, [], "text", {"login": ""}])
def test_an_answer_without_a_login_is_the_workflow_s(answer: Any) -> None:
    client, _ = scripted(answer)
    assert Identity(client).find() == WORKFLOW


@pytest.mark.parametrize(
    "check", [{}, {"app": None}, {"app": {}}, {"app": {"slug": ""}}, {"app": {"slug": 5}}]
)
def test_a_check_without_an_app_teaches_nothing(check: dict[str, Any]) -> None:
    identity = Identity(scripted()[0], "dev")
    identity.learn_from_check(check)
    assert identity.login == "dev"


@pytest.mark.parametrize("comment", [{}, {"user": None}, {"user": {}}, {"user": {"login": 5}}])
def test_a_comment_of_a_deleted_user_is_nobody_s(comment: dict[str, Any]) -> None:
    assert author_of(comment) is None
    identity = Identity(scripted()[0], "dev")
    identity.learn_from_comment(comment)
    assert identity.login == "dev"
