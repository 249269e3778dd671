#!/usr/bin/env bash
# Writes requirements.lock: every package of every extra and of the dev group, for Python 3.11 to
# 3.13, with hashes and without any index address. `lock.sh --upgrade` takes the newest versions.
. "$(dirname "$0")/machine.sh"
cd "$ROOT"
uv=$ROOT/.venv/bin/uv
[ -x "$uv" ] || die "there is no .venv yet" "run: make install"
UV_CUSTOM_COMPILE_COMMAND=scripts/lock.sh "$uv" pip compile pyproject.toml --all-extras --group dev \
  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet \
  "$@" --output-file requirements.lock
say "requirements.lock holds $(grep -c == requirements.lock) packages"
