from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.engines.allowed import allowed_environment
from mlops_ci.errors import ConfigError

NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_-", min_size=1, max_size=12)


@given(st.dictionaries(NAMES.map(lambda name: f"INPUT_{name}"), st.text(max_size=5)))
def test_no_input_gets_through(environ: dict[str, str]) -> None:
    assert allowed_environment(environ) == {}


@pytest.mark.parametrize(
    "name",
    ["GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "INPUT_TOKEN", "DOCKER_HOST", "GIT_CONFIG_COUNT", "GH_TOKEN",
     "MLOPS_CI_REGISTRY_PASSWORD", "MLOPS_CI_SSH_KEY", "MLOPS_CI_SLACK_URL", "MLOPS_CI_WEBHOOK_SECRET"],
)  # fmt: skip
def test_our_keys_are_not_handed_down_even_when_asked_for(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        allowed_environment({name: "x"}, [name])


def test_a_secret_goes_to_who_names_it() -> None:
    environ = {"API_KEY": "x", "OTHER_KEY": "y", "PATH": "/bin", "LC_ALL": "C"}
    assert allowed_environment(environ, ["API_KEY", "NOT_SET"]) == {
        "API_KEY": "x", "PATH": "/bin", "LC_ALL": "C",
    }  # fmt: skip


def test_an_address_with_a_password_is_a_secret_but_a_proxy_is_needed() -> None:
    environ = {
        "PIP_INDEX_URL": "https://me:pw@host/simple",
        "UV_INDEX_URL": "https://host/simple",
        "https_proxy": "http://me:pw@proxy:3128",
    }
    assert set(allowed_environment(environ)) == {"UV_INDEX_URL", "https_proxy"}
    assert set(allowed_environment(environ, ["PIP_INDEX_URL"])) == set(environ)
