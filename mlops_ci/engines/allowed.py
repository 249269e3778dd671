"""The environment of the user's commands: what is named here, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mlops_ci.errors import DOCS, ConfigError

TABLE = """
process   PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TEMP TERM COLUMNS CI
          XDG_CACHE_HOME LD_LIBRARY_PATH PYTHONHASHSEED PYTHONUTF8 PYTHONWARNINGS
network   HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy
          SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO PIP_CERT
packages  UV_CACHE_DIR UV_OFFLINE UV_INDEX_URL UV_DEFAULT_INDEX UV_INDEX UV_FIND_LINKS
          PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_DEFAULT_TIMEOUT UV_PYTHON_DOWNLOADS
libraries HF_HOME TORCH_HOME NLTK_DATA SCIKIT_LEARN_DATA DVC_SITE_CACHE_DIR
          MLFLOW_TRACKING_URI MLFLOW_EXPERIMENT_NAME JAVA_HOME SPARK_HOME
"""
ALLOWED = frozenset(name for name in TABLE.split() if not name.islower() or name.endswith("_proxy"))
ALLOWED_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_")
PROXIES = re.compile(r"(https?|all|no)_proxy", re.IGNORECASE)
USERINFO = re.compile(r"://[^/@\s]+@")
# Not even `secrets:` hands these down: the configuration is the pull request's own.
NEVER = re.compile(
    r"INPUT_.*|ACTIONS_.*|RUNNER_.*|GITHUB_.*|GH_TOKEN|GH_ENTERPRISE_TOKEN"
    r"|MLOPS_CI_TOKEN|MLOPS_CI_REGISTRY_.*|MLOPS_CI_SSH_.*|MLOPS_CI_\w+_URL"
    r"|MLOPS_CI_WEBHOOK_SECRET|DOCKER_HOST|SSH_AUTH_SOCK|GIT_.*"
)


def allowed_environment(environ: Mapping[str, str], secrets: Iterable[str] = ()) -> dict[str, str]:
    """Raises ConfigError when `secrets` asks for one of our own keys.

    An address with a password in it is dropped, unless `secrets` names it or it is a proxy's.
    """
    named = set(secrets)
    for name in sorted(named):
        if NEVER.fullmatch(name):
            raise ConfigError(
                f"`secrets: [{name}]`: this key is never handed to a command of yours",
                where="mlops-ci.yaml, secrets",
                fix=f"give the command a key of its own, under another name than {name}",
                link=f"{DOCS}/security.md",
            )
    return {
        name: value
        for name, value in environ.items()
        if name in named or (_is_allowed(name) and not _has_password(name, value))
    }


def _is_allowed(name: str) -> bool:
    return name in ALLOWED or name.startswith(ALLOWED_PREFIXES)


def _has_password(name: str, value: str) -> bool:
    return not PROXIES.fullmatch(name) and USERINFO.search(value) is not None
