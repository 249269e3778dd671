"""Cuts the part of GitHub's OpenAPI description that the server answers, and makes it JSON Schema.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
    python -m tests.github_server.openapi.slice package/generated/api.github.com.json

The description is OpenAPI 3.0: `nullable: true` becomes a type list (or one more `anyOf` branch),
so that a plain JSON Schema validator reads it, and `oneOf` becomes `anyOf`: many of GitHub's
branches overlap (every basic error is also a rule violation), which `oneOf` would refuse. Prose and examples are dropped. What is left is
written to `github.json` beside this file: `operations`, `webhooks`, `schemas`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.github_server.routes import ROUTES, load

TARGET = Path(__file__).with_name("github.json")
REFERENCE = "#/components/"
PROSE = {"description", "example", "examples", "externalDocs", "title", "x-github", "deprecated"}
# Named by schema, not by instance: a property may be called "title" or "description".
MAPS_OF_SCHEMAS = {"properties", "patternProperties", "definitions"}
RENAMED = {"oneOf": "anyOf"}
WEBHOOKS = (
    "pull-request-opened",
    "pull-request-synchronize",
    "push",
    "merge-group-checks-requested",
    "workflow-dispatch",
    "workflow-run-completed",
    "issue-comment-created",
)


# What the description allows in its prose only.
IN_WORDS = {
    # "You can also pass an `array` of labels directly"
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": {
        "type": "array",
        "items": {"type": "string"},
    },
}


def json_schema(node: Any) -> Any:
    """The same schema without prose, and with null as a type."""
    if isinstance(node, list):
        return [json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": "#/schemas/" + node["$ref"].rsplit("/", 1)[1]}
    cut = {
        RENAMED.get(str(key), str(key)): (
            {name: json_schema(schema) for name, schema in value.items()}
            if key in MAPS_OF_SCHEMAS
            else json_schema(value)
        )
        for key, value in node.items()
        if key not in PROSE and key not in {"nullable", "default"}
    }
    return allow_null(cut) if node.get("nullable") else cut


def allow_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if "anyOf" not in schema and "allOf" not in schema:
        return schema
    typeless = {key: value for key, value in schema.items() if key != "type"}
    return {"anyOf": [typeless, {"type": "null"}]}


class Slice:
    """Collects operations and, behind them, every schema that they lean on."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.schemas: dict[str, Any] = {}

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            found: Any = self.description
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def keep(self, schema: Any) -> Any:
        self.follow(schema)
        return json_schema(schema)

    def follow(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self.follow(item)
        elif isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix(REFERENCE + "schemas/")
            if isinstance(node.get("$ref"), str) and name not in self.schemas:
                self.schemas[name] = {}
                target = self.resolve(node)
                self.follow(target)
                self.schemas[name] = json_schema(target)
            for key, value in node.items():
                if key not in PROSE:
                    self.follow(value)

    def operation(self, path: str, method: str) -> dict[str, Any]:
        shared = self.description["paths"][path].get("parameters", [])
        found = self.description["paths"][path][method]
        responses = {code: self.resolve(answer) for code, answer in found["responses"].items()}
        return {
            "parameters": [
                self.parameter(self.resolve(item))
                for item in [*shared, *found.get("parameters", [])]
            ],
            "body": self.body(found.get("requestBody")),
            "responses": {code: self.content(answer) for code, answer in responses.items()},
        }

    def parameter(self, found: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": found["name"],
            "in": found["in"],
            "required": found.get("required", False),
            "schema": self.keep(found["schema"]),
        }

    def body(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        if found is None:
            return None
        found = self.resolve(found)
        return {"required": found.get("required", False), "schema": self.content(found)}

    def content(self, found: dict[str, Any]) -> Any:
        """The schema of the JSON content; None where there is none."""
        media = found.get("content", {}).get("application/json")
        return self.keep(media["schema"]) if media and "schema" in media else None

    def webhook(self, name: str) -> Any:
        found = self.description["x-webhooks"][name]["post"]["requestBody"]
        return self.content(self.resolve(found))


def cut(description: dict[str, Any]) -> dict[str, Any]:
    load()
    part = Slice(description)
    operations: dict[str, Any] = {}
    for route in ROUTES:
        if route.documented:
            operation = part.operation(route.template, route.method.lower())
            name = f"{route.method} {route.template}"
            if name in IN_WORDS:
                operation["body"]["schema"]["anyOf"].append(IN_WORDS[name])
            operations[name] = operation
    webhooks = {name: part.webhook(name) for name in WEBHOOKS}
    return {
        "version": description["info"]["version"],
        "operations": operations,
        "webhooks": webhooks,
        "schemas": part.schemas,
    }


def main() -> None:
    description = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = json.dumps(cut(description), separators=(",", ":"), sort_keys=True)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
