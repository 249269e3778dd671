"""Which route answers what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlops_ci.serve import VERSION
from mlops_ci.serve.flavors import Model
from mlops_ci.serve.inference import Question, answer_inference, arrays_of, parse_inference
from mlops_ci.serve.invocations import parse_invocation
from mlops_ci.serve.message import Refusal, Request, Response, answer_json
from mlops_ci.serve.metrics import CONTENT_TYPE, Metrics
from mlops_ci.serve.rows import Rows
from mlops_ci.serve.settings import Settings
from mlops_ci.serve.worker import Job, Worker

Reply = Callable[[Response], None]
INVOCATIONS, INFER = "/invocations", "infer"
PLAIN = "text/plain; charset=utf-8"


class Service:
    """One model behind every protocol. `draining`: still answering, no longer ready."""

    def __init__(self, settings: Settings, model: Model, worker: Worker) -> None:
        self.settings = settings
        self.model = model
        self.worker = worker
        self.metrics = Metrics()
        self.draining = False

    def answer(self, request: Request, reply: Reply) -> str:
        """Call `reply` once, now or when the model has answered; returns the route's name."""
        route, handler = self._find(request)
        try:
            (handler or _missing(f"there is nothing at {request.path}"))(request, reply)
        except Refusal as refusal:
            reply(_refuse(route, refusal))
        return route

    def _find(self, request: Request) -> tuple[str, Callable[[Request, Reply], None] | None]:
        path = request.path.rstrip("/") or "/"
        if path == INVOCATIONS:
            return path, _only("POST", self._invocations)
        known = {
            "/ping": self._health,
            "/health": self._health,
            "/version": self._version,
            "/metrics": self._metrics,
            "/v2": self._server,
            "/v2/health/live": self._live,
            "/v2/health/ready": self._ready,
        }
        if path in known:
            return path, _only("GET", known[path])
        return self._find_model(path)

    def _find_model(self, path: str) -> tuple[str, Callable[[Request, Reply], None] | None]:
        """/v2/models/M[/versions/V][/ready|/infer]"""
        parts = path.split("/")[1:]
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            return "other", None
        name, rest = parts[2], parts[3:]
        if name != self.settings.name:
            return "other", _missing(
                f"there is no model {name!r}; this one is {self.settings.name!r}"
            )
        if rest[:1] == ["versions"] and len(rest) > 1:
            if rest[1] not in self._versions:
                return "other", _missing(f"there is no version {rest[1]!r} of {name!r}")
            rest = rest[2:]
        if not rest:
            return "/v2/models", _only("GET", self._metadata)
        if rest == ["ready"]:
            return "/v2/models/ready", _only("GET", self._ready)
        if rest == [INFER]:
            return "/v2/models/infer", _only("POST", self._infer)
        return "other", None

    @property
    def _versions(self) -> tuple[str, ...]:
        """Its name is `1`, its identity the digest it was evaluated with."""
        return ("1", self.settings.digest) if self.settings.digest else ("1",)

    def _health(self, _: Request, reply: Reply) -> None:
        reply(Response(503 if self.draining else 200, b"\n", PLAIN))

    def _version(self, _: Request, reply: Reply) -> None:
        reply(Response(200, self.model.version.encode(), PLAIN))

    def _metrics(self, _: Request, reply: Reply) -> None:
        text = self.metrics.text(self.settings.name, self.settings.digest, self.worker.waiting)
        reply(Response(200, text.encode(), CONTENT_TYPE))

    def _server(self, _: Request, reply: Reply) -> None:
        extensions = ["binary_tensor_data"]
        reply(answer_json({"name": "mlops-ci", "version": VERSION, "extensions": extensions}))

    def _live(self, _: Request, reply: Reply) -> None:
        reply(answer_json({"live": True}))

    def _ready(self, _: Request, reply: Reply) -> None:
        reply(answer_json({"ready": not self.draining}, 503 if self.draining else 200))

    def _metadata(self, _: Request, reply: Reply) -> None:
        outputs = self.model.outputs.metadata(self.model.default)
        reply(
            answer_json(
                {
                    "name": self.settings.name,
                    "versions": list(self._versions),
                    "platform": f"mlflow_{self.model.flavor}",
                    "inputs": self.model.inputs.metadata("input"),
                    "outputs": outputs,
                    "parameters": {"digest": self.settings.digest},
                }
            )
        )

    def _invocations(self, request: Request, reply: Reply) -> None:
        rows, params = parse_invocation(request, self.model.inputs)

        def deliver(result: Any) -> None:
            if isinstance(result, Exception):
                reply(_refuse(INVOCATIONS, _failure(result)))
            else:
                reply(answer_json({"predictions": _plain(result)}, rows=len(rows)))

        self._submit(rows, (self.model.default, params), deliver)

    def _infer(self, request: Request, reply: Reply) -> None:
        question = parse_inference(request, self.model.inputs)
        default = self.model.default
        declared = [t.name for t in self.model.outputs.tensors if t.name]
        wanted = [default if name in declared else name for name in question.outputs] or [default]
        collector = _Collector(self, question, wanted, reply)
        collector.ask_next(question.rows)

    def _submit(
        self, rows: Rows, what: tuple[str, dict[str, Any]], deliver: Callable[[Any], None]
    ) -> None:
        method, params = what
        self.worker.submit(Job(rows, method, params, deliver))

    @property
    def identity(self) -> dict[str, str]:
        return {"model_name": self.settings.name, "model_version": "1"}


class _Collector:
    """Asks for the outputs of one V2 request one after the other."""

    def __init__(
        self, service: Service, question: Question, wanted: list[str], reply: Reply
    ) -> None:
        self.service = service
        self.question = question
        self.wanted = wanted
        self.reply = reply
        self.answers: list[tuple[str, Any]] = []

    def ask_next(self, rows: Rows) -> None:
        method = self.wanted[len(self.answers)]
        self.service.worker.submit(Job(rows, method, {}, self._deliver))

    def _deliver(self, result: Any) -> None:
        if isinstance(result, Exception):
            self.reply(_refuse(INFER, _failure(result)))
            return
        self.answers.append((self.wanted[len(self.answers)], result))
        if len(self.answers) < len(self.wanted):
            try:
                self.ask_next(self.question.rows)
            except Refusal as refusal:
                self.reply(_refuse(INFER, refusal))
            return
        arrays = [pair for name, result in self.answers for pair in arrays_of(name, result)]
        self.reply(answer_inference(self.service.identity, self.question, arrays))


def _only(
    method: str, handler: Callable[[Request, Reply], None]
) -> Callable[[Request, Reply], None]:
    allowed = ("GET", "HEAD") if method == "GET" else (method,)

    def check(request: Request, reply: Reply) -> None:
        if request.method not in allowed:
            allow = ", ".join(allowed)
            raise Refusal(405, f"{request.path} takes {allow}", (("Allow", allow),))
        handler(request, reply)

    return check


def _missing(message: str) -> Callable[[Request, Reply], None]:
    def refuse(_: Request, __: Reply) -> None:
        raise Refusal(404, message)

    return refuse


def _refuse(route: str, refusal: Refusal) -> Response:
    """MLflow's clients read `message`, those of Open Inference `error`."""
    content: dict[str, Any] = {"error": refusal.message}
    if route == INVOCATIONS:
        code = "BAD_REQUEST" if refusal.status < 500 else "INTERNAL_ERROR"
        content = {"error_code": code, "message": refusal.message}
    response = answer_json(content, refusal.status)
    return Response(response.status, response.body, headers=refusal.headers)


def _failure(error: Exception) -> Refusal:
    """The model raised. Its message is about the rows that were sent, so the sender may see it."""
    status = 400 if isinstance(error, ValueError | TypeError | KeyError) else 500
    return Refusal(status, f"the model could not predict: {type(error).__name__}: {error}")


def _plain(result: Any) -> Any:
    if hasattr(result, "to_dict") and hasattr(result, "columns"):
        return result.to_dict(orient="records")
    return result.tolist() if hasattr(result, "tolist") else result
