# The image that every action runs in: docker build --target slim, docker build --target full.
#   slim  compare, report, check and the bot: no mlflow, dvc or scikit-learn
#   full  train, build, push, deploy
# Each code change rewrites the last layer only; both stages share all layers of slim's packages.

FROM python:3.11-slim-bookworm AS system
# mlops-ci-post: the runner gives a post-entrypoint the same arguments and no others.
# git: the store is a ref, base is a worktree. Its owner is not root there, and HOME is the runner's
# own folder, so only the system's configuration can call the workspace safe.
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ca-certificates git >/dev/null && \
    git config --system safe.directory '*' && \
    python -m venv --without-pip /opt/mlops-ci && \
    printf '%s\n' '#!/opt/mlops-ci/bin/python -Iu' 'import runpy, sys' 'sys.argv.insert(1, "post")' \
      'runpy.run_module("mlops_ci.action", run_name="__main__", alter_sys=True)' > /usr/local/bin/mlops-ci-post && \
    chmod +x /usr/local/bin/mlops-ci-post
# Our own use of these libraries reports to nobody.
ENV PATH=/opt/mlops-ci/bin:$PATH PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=true MLFLOW_DISABLE_TELEMETRY=true DVC_NO_ANALYTICS=true

# uv at the locked version, in a stage that no published layer contains. A secret `index` holds the
# package-index settings of the machine that builds, where it has any.
FROM python:3.11-slim-bookworm AS uv
COPY requirements.lock /locked/requirements.lock
RUN --mount=type=secret,id=index --mount=type=cache,target=/var/cache/pip \
    set -a; PIP_CACHE_DIR=/var/cache/pip; if [ -f /run/secrets/index ]; then . /run/secrets/index; fi; \
    python -m venv /uv && /uv/bin/pip install -q --disable-pip-version-check "$(grep -oE '^uv==[0-9.]+' /locked/requirements.lock)" && \
    printf '%s\n' '#!/bin/sh' 'set -ae' 'UV_CACHE_DIR=/var/cache/uv UV_LINK_MODE=copy' \
      'if [ -f /run/secrets/index ]; then . /run/secrets/index; fi' \
      'exec /uv/bin/uv "$@"' > /uv/bin/with-index && chmod +x /uv/bin/with-index

FROM uv AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY mlops_ci mlops_ci
COPY workflows-templates workflows-templates
RUN --mount=type=secret,id=index --mount=type=cache,target=/var/cache/uv \
    /uv/bin/with-index build -q --wheel --out-dir /wheel .

# Versions come from the lock, which is given as constraints: its hashes are verified.
FROM system AS slim-packages
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=secret,id=index \
    --mount=type=cache,target=/var/cache/uv \
    --mount=type=bind,source=pyproject.toml,target=/locked/pyproject.toml \
    --mount=type=bind,source=requirements.lock,target=/locked/requirements.lock \
    /uv/bin/with-index pip install -q --python /opt/mlops-ci/bin/python --compile-bytecode \
      --constraint /locked/requirements.lock -r /locked/pyproject.toml --extra plots --extra github && \
    MPLCONFIGDIR=/opt/mlops-ci/matplotlib /opt/mlops-ci/bin/python -c 'import matplotlib.font_manager'
# matplotlib's list of fonts, which every job would make anew.
ENV MPLCONFIGDIR=/opt/mlops-ci/matplotlib

# git-lfs: models and data in Git; ssh: a Docker host given as ssh://; libgomp1: LightGBM and XGBoost.
FROM slim-packages AS full-packages
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends git-lfs openssh-client libgomp1 >/dev/null && \
    git lfs install --system --skip-repo
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=secret,id=index \
    --mount=type=cache,target=/var/cache/uv \
    --mount=type=bind,source=pyproject.toml,target=/locked/pyproject.toml \
    --mount=type=bind,source=requirements.lock,target=/locked/requirements.lock \
    /uv/bin/with-index pip install -q --python /opt/mlops-ci/bin/python --compile-bytecode \
      --constraint /locked/requirements.lock -r /locked/pyproject.toml --extra all

# -I: the workspace is the user's. Neither a module lying there nor PYTHONPATH may become our code.
FROM slim-packages AS slim
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    /uv/bin/uv pip install -q --offline --python /opt/mlops-ci/bin/python --compile-bytecode --no-deps --no-cache /wheel/*.whl
ENTRYPOINT ["/opt/mlops-ci/bin/python", "-Iu", "-m", "mlops_ci.action"]

FROM full-packages AS full
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    /uv/bin/uv pip install -q --offline --python /opt/mlops-ci/bin/python --compile-bytecode --no-deps --no-cache /wheel/*.whl
ENTRYPOINT ["/opt/mlops-ci/bin/python", "-Iu", "-m", "mlops_ci.action"]
