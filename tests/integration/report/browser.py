"""Pages in Chromium, with scripts of npm packages in them; what the script says comes back."""

from __future__ import annotations

import html
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.machine.fixtures import Node

CACHE = Path.home() / ".cache" / "mlops-ci" / "npm"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--virtual-time-budget=20000",
    "--dump-dom",
)
ANSWER = re.compile(r'<pre id="answer">(.*?)</pre>', re.DOTALL)


def install(node: Node, package: str, script: str) -> str:
    """The text of a script out of a package of npm, `name@version`."""
    folder = CACHE / package.replace("/", "+")
    file = folder / "node_modules" / package.rpartition("@")[0] / script
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        install = ("install", "--silent", "--no-save", "--ignore-scripts", "--prefix")
        subprocess.run([node.node, node.npm, *install, folder, package], check=True, timeout=300)
    return file.read_text("utf-8")


def ask(chromium: Path, page: str, library: str, question: str) -> Any:
    """What `question`, the body of an async function, returns in the page."""
    code = (
        f"<script>{library.replace('</script', '<' + chr(92) + '/script')}</script>"
        "<script>(async () => { let told; try { told = await (async () => {"
        f"{question}"
        "})(); } catch (error) { told = {error: String(error && error.stack || error)}; }"
        "const answer = document.createElement('pre'); answer.id = 'answer';"
        "answer.textContent = JSON.stringify(told); document.body.append(answer); })()</script>"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(page.replace("</body>", f"{code}</body>"), "utf-8")
        done = subprocess.run(
            [chromium, *FLAGS, f"--user-data-dir={folder}/profile", file.as_uri()],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
    found = ANSWER.search(done.stdout)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(html.unescape(found[1]))
    assert not (isinstance(told, dict) and "error" in told), told["error"]
    return told
