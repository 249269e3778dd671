"""`python -m tests.github_server --port 8080 --root FOLDER --seed seed.json`."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from tests.github_server.server import GitHub


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.github_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one (the default)")
    parser.add_argument("--root", type=Path, required=True, help="folder of the bare repositories")
    parser.add_argument("--seed", type=Path, help="JSON file, see README.md")
    options = parser.parse_args()
    seed = json.loads(options.seed.read_text(encoding="utf-8")) if options.seed else {}
    github = GitHub(options.root.resolve(), seed, options.port).start()
    print(github.url, flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    github.stop()


if __name__ == "__main__":
    main()
