#!/usr/bin/env bash
# Makes .venv with the locked packages and this checkout, editable. Prints the path of its python.
# What a developer has added to .venv by hand stays.
. "$(dirname "$0")/machine.sh"
cd "$ROOT"
python=$ROOT/.venv/bin/python

fits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
  local name
  for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if fits "$name"; then command -v "$name" && return; fi
  done
  return 1
}

make_venv() {
  local found
  found=$(find_python) || {
    apt_install "Python 3.11 to 3.13 with venv" python3 python3-venv
    found=$(find_python) || die "no Python 3.11 to 3.13 here" "install one and name it: PYTHON=python3.12 make install"
  }
  say "making .venv with $("$found" --version)"
  "$found" -m venv .venv
}

wanted() { { cat requirements.lock pyproject.toml; "$python" -V; pwd; } | sha256sum | cut -d' ' -f1; }

install_packages() {
  local pin started=$SECONDS
  pin=$(grep -oE '^uv==[0-9.]+' requirements.lock)
  say "installing the $(grep -c == requirements.lock) locked packages"
  [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" = "${pin#uv==}" ] ||
    "$python" -m pip install -q --disable-pip-version-check "$pin" >&2
  # Warmed by `make install`, so that `mlops-ci --help` is as fast the first time as it is later.
  VIRTUAL_ENV=$ROOT/.venv .venv/bin/uv pip install -q --compile-bytecode --require-hashes -r requirements.lock >&2
  VIRTUAL_ENV=$ROOT/.venv .venv/bin/uv pip install -q --no-deps --editable . >&2
  say "done in $((SECONDS - started)) s"
}

one_at_a_time "venv_$(pwd | sha256sum | cut -c1-12)"
if ! { [ -x "$python" ] && fits "$python"; }; then make_venv; fi
if [ "$(cat .venv/locked 2>/dev/null)" != "$(wanted)" ]; then
  install_packages || die "the locked packages could not be installed" \
    "check that pip can reach a package index: $python -m pip download -d /tmp six"
  wanted >.venv/locked
fi
echo "$python"
