"""The model server over real sockets, asked by clients that others wrote."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.machine.ports import free_port
from tests.waiting import PATIENCE, wait_for

ROOT = Path(__file__).parents[3]


@dataclass
class Running:
    port: int
    process: subprocess.Popen[bytes]

    def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body or None, {"Content-Type": kind} if body else {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def raw(self, *parts: bytes, pause: float = 0.0) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as peer:
            for part in parts:
                peer.sendall(part)
                time.sleep(pause)
            peer.shutdown(socket.SHUT_WR)
            blocks = []
            while block := peer.recv(65536):
                blocks.append(block)
            return b"".join(blocks)


def start_server(folder: Path, **settings: str) -> Running:
    port = free_port()
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "MLOPS_CI_MODEL_FOLDER": str(folder),
        "MLOPS_CI_MODEL_NAME": "churn",
        "MLOPS_CI_MODEL_DIGEST": "sha256:" + "1" * 64,
        **settings,
    }
    process = subprocess.Popen([sys.executable, "-m", "mlops_ci.serve"], env=environ)
    wait_for(lambda: process.poll() is not None or _listens(port), "the server's start")
    assert process.poll() is None
    return Running(port, process)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model on named columns of four types."""
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    table = pd.DataFrame(
        {
            "age": [20.0, 30.0, 40.0, 50.0] * 5,
            "visits": [1, 2, 3, 4] * 5,
            "plan": ["free", "pro", "free", "pro"] * 5,
            "new": [True, False] * 10,
        }
    )
    label = [0, 1, 0, 1] * 5
    columns = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(table, label)
    path = tmp_path_factory.mktemp("flowers") / "model"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.sklearn
        from mlflow.models import infer_signature

        mlflow.sklearn.save_model(
            model, path, signature=infer_signature(table, label), input_example=table.head(2)
        )
    return path


@pytest.fixture(scope="module")
def server(flowers: Path) -> Iterator[Running]:
    running = start_server(flowers, MLOPS_CI_MAX_BODY="100000")
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE) == 0


ROW = {"age": 20.0, "visits": 1, "plan": "free", "new": True}


def predictions(server: Running, content: Any) -> Any:
    status, _, body = server.ask("POST", "/invocations", json.dumps(content).encode())
    assert status == 200, body
    return json.loads(body)["predictions"]


def test_the_same_rows_in_every_format(server: Running) -> None:
    names = list(ROW)
    table = [[20.0, 1, "free", True], [30.0, 2, "pro", False]]
    records = [dict(zip(names, row, strict=True)) for row in table]
    columns = {name: [row[n] for row in table] for n, name in enumerate(names)}
    shuffled = {"columns": names[::-1], "data": [row[::-1] for row in table]}
    for content in (
        {"dataframe_split": {"columns": names, "data": table}},
        {"dataframe_split": {"columns": names, "data": table, "index": [7, 8]}},
        {"dataframe_split": shuffled},
        {"dataframe_records": records},
        {"instances": records},
        {"inputs": columns},
        {"instances": table},
    ):
        assert predictions(server, content) == [0, 1], content
    text = b"age,visits,plan,new\n20.0,1,free,true\n30.0,2,pro,false\n"
    status, _, body = server.ask("POST", "/invocations", text, "text/csv; charset=utf-8")
    assert (status, json.loads(body)) == (200, {"predictions": [0, 1]})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "exactly one of"),
        ({"instances": [], "inputs": []}, "exactly one of"),
        ({"dataframe_records": [{**ROW, "age": "old"}]}, "age"),
        ({"dataframe_records": [{**ROW, "visits": 1.5}]}, "visits"),
        ({"dataframe_records": [{"age": 1.0}]}, "missing required field `visits`"),
        ({"dataframe_split": {"columns": ["age"], "data": [[1.0]]}}, "visits"),
        ({"dataframe_split": {"columns": list(ROW), "data": [[1.0, 2]]}}, "array` of length 4"),
        ({"inputs": {"age": [1.0, 2.0], "visits": [1], "plan": ["a"], "new": [True]}}, "length"),
        ({"dataframe_records": [{**ROW, "visits": 2**70}]}, "visits"),
        ({"dataframe_records": [ROW], "params": {"a": 1}}, "params"),
    ],
)
def test_what_does_not_fit_is_400(server: Running, content: Any, words: str) -> None:
    status, _, body = server.ask("POST", "/invocations", json.dumps(content).encode())
    said = json.loads(body)
    assert status == 400
    assert said["error_code"] == "BAD_REQUEST"
    assert words in said["message"]


def test_broken_requests_are_answered_and_the_server_lives(server: Running) -> None:
    nested = b"[" * 50_000 + b"]" * 40_000
    for body in (b"{", b"\xff\xfe", b"null", b"[]", b'{"inputs": NaN}', nested):
        assert server.ask("POST", "/invocations", body)[0] == 400, body[:10]
    assert server.ask("POST", "/invocations", b"x", "application/xml")[0] == 415
    assert server.ask("POST", "/invocations", b"x" * 100_001)[0] == 413
    chunked = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 413 " in server.raw(chunked, b"20000\r\n" + b"x" * 0x20000)
    assert b" 400 " in server.raw(b"NONSENSE\r\n\r\n")
    assert b" 431 " in server.raw(b"GET /ping HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n")
    smuggled = b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x"
    assert b" 400 " in server.raw(smuggled)
    assert server.ask("GET", "/ping")[0] == 200


def test_methods_paths_and_pipelines(server: Running) -> None:
    status, headers, _ = server.ask("GET", "/invocations")
    assert (status, headers["Allow"]) == (405, "POST")
    assert server.ask("GET", "/nothing")[0] == 404
    status, headers, body = server.ask("HEAD", "/ping")
    assert (status, body) == (200, b"")
    ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    assert (
        server.raw(ping * 40 + ping.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).count(
            b"HTTP/1.1 200"
        )
        == 41
    )
    body = json.dumps({"dataframe_records": [ROW]}).encode()
    post = (
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    )
    mixed = server.raw(post + body + ping + post + body, pause=0.5)
    assert mixed.count(b"predictions") == 2
    assert mixed.index(b"predictions") < mixed.index(b"text/plain") < mixed.rindex(b"predictions")


def infer(server: Running, content: Any, path: str = "/v2/models/churn/infer") -> Any:
    status, _, body = server.ask("POST", path, json.dumps(content).encode())
    return status, json.loads(body)


def v2_inputs(**changes: Any) -> list[dict[str, Any]]:
    tensors = {
        "age": {"shape": [2], "datatype": "FP64", "data": [20.0, 30.0]},
        "visits": {"shape": [2, 1], "datatype": "INT64", "data": [[1], [2]]},
        "plan": {"shape": [2], "datatype": "BYTES", "data": ["free", "pro"]},
        "new": {"shape": [2], "datatype": "BOOL", "data": [True, False]},
    }
    return [{"name": name, **tensor, **changes.get(name, {})} for name, tensor in tensors.items()]


def test_open_inference(server: Running) -> None:
    assert json.loads(server.ask("GET", "/v2")[2])["extensions"] == ["binary_tensor_data"]
    assert server.ask("GET", "/v2/health/live")[0] == 200
    assert server.ask("GET", "/v2/models/churn/versions/1/ready")[0] == 200
    described = json.loads(server.ask("GET", "/v2/models/churn")[2])
    assert {t["name"]: t["datatype"] for t in described["inputs"]} == {
        "age": "FP64",
        "visits": "INT64",
        "plan": "BYTES",
        "new": "BOOL",
    }
    assert described["parameters"]["digest"] == "sha256:" + "1" * 64
    content = {
        "id": "42",
        "inputs": v2_inputs(),
        "outputs": [{"name": "predict"}, {"name": "predict_proba"}],
    }
    status, said = infer(server, content)
    assert (status, said["id"], said["model_name"]) == (200, "42", "churn")
    label, probability = said["outputs"]
    assert (label["data"], label["shape"], label["datatype"]) == ([0, 1], [2], "INT64")
    assert (probability["shape"], probability["datatype"]) == ([2, 2], "FP64")
    status, same = infer(server, {"inputs": v2_inputs()}, "/v2/models/churn/versions/1/infer")
    assert same["outputs"][0]["data"] == [0, 1]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"inputs": []}, 400),
        ({}, 400),
        ({"inputs": v2_inputs()[:2]}, 400),
        ({"inputs": v2_inputs(age={"shape": [3]})}, 400),
        ({"inputs": v2_inputs(age={"datatype": "FP99"})}, 400),
        ({"inputs": v2_inputs(age={"data": ["a", "b"]})}, 400),
        ({"inputs": v2_inputs(visits={"datatype": "FP64"})}, 400),
        ({"inputs": v2_inputs(age={"shape": [-2]})}, 400),
        ({"inputs": v2_inputs(age={"parameters": {"binary_data_size": 99}})}, 400),
        ({"inputs": v2_inputs(), "outputs": [{"name": "nothing"}]}, 400),
    ],
)
def test_open_inference_says_what_does_not_fit(server: Running, content: Any, status: int) -> None:
    found, said = infer(server, content)
    assert found == status
    assert isinstance(said["error"], str)
    assert list(said) == ["error"]


def test_unknown_models_and_versions(server: Running) -> None:
    assert server.ask("GET", "/v2/models/other")[0] == 404
    assert server.ask("GET", "/v2/models/churn/versions/9")[0] == 404
    assert server.ask("POST", "/v2/models/other/infer", b"{}")[0] == 404


def test_metrics_count_what_happened(server: Running) -> None:
    server.ask("POST", "/invocations", json.dumps({"dataframe_records": [ROW] * 5}).encode())
    server.ask("POST", "/invocations", b"{")
    text = server.ask("GET", "/metrics")[2].decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["mlops_ci_rows_total"]) >= 5
    assert float(values['mlops_ci_errors_total{route="/invocations"}']) >= 1
    assert (
        values['mlops_ci_request_seconds_bucket{route="/invocations",le="+Inf"}']
        == (values['mlops_ci_request_seconds_count{route="/invocations"}'])
    )
    assert 'mlops_ci_model_info{model="churn",digest="sha256:111' in text
    assert float(values["mlops_ci_in_flight"]) == 1


def test_mlflow_s_own_client(server: Running) -> None:
    import pandas as pd
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    client = ScoringServerClient("127.0.0.1", server.port)  # type: ignore[no-untyped-call]
    client.wait_server_ready(timeout=300)  # type: ignore[no-untyped-call]
    table = pd.DataFrame([ROW, {"age": 30.0, "visits": 2, "plan": "pro", "new": False}])
    answer = client.invoke(table)
    assert answer.get_predictions()[0].tolist() == [0, 1]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_triton_s_own_client(server: Running, binary_in: bool, binary_out: bool) -> None:
    import numpy as np
    import tritonclient.http as triton

    columns = {
        "age": ("FP64", np.array([20.0, 30.0])),
        "visits": ("INT64", np.array([1, 2])),
        "plan": ("BYTES", np.array(["free", "pro"], dtype=object)),
        "new": ("BOOL", np.array([True, False])),
    }
    inputs = []
    for name, (datatype, values) in columns.items():
        tensor = triton.InferInput(name, values.shape, datatype)
        inputs.append(tensor.set_data_from_numpy(values, binary_data=binary_in))
    names = ("predict", "predict_proba")
    outputs = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in names]
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("churn", "1")
    assert len(client.get_model_metadata("churn")["inputs"]) == 4
    answer = client.infer("churn", inputs, outputs=outputs, request_id="7")
    assert answer.get_response()["id"] == "7"
    assert answer.as_numpy("predict").tolist() == [0, 1]
    assert answer.as_numpy("predict_proba").shape == (2, 2)
    with pytest.raises(Exception, match="columns are missing"):
        client.infer("churn", inputs[:2])
    client.close()


def test_what_is_in_flight_is_finished(flowers: Path) -> None:
    running = start_server(flowers, MLOPS_CI_LINGER="4")
    body = json.dumps({"dataframe_records": [ROW] * 200}).encode()
    failures: list[str] = []
    count = [0]

    def work() -> None:
        """Until the server says `Connection: close`: after that, a client looks elsewhere."""
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
        while True:
            try:
                connection.request(
                    "POST", "/invocations", body, {"Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
                return
            count[0] += 1
            if answer.getheader("Connection") == "close":
                return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for(lambda: count[0] > 8, "the first answers")
    running.process.send_signal(signal.SIGTERM)
    wait_for(lambda: running.ask("GET", "/v2/health/ready")[0] == 503, "the end of being ready")
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    assert running.process.wait(PATIENCE) == 0


def test_too_many_waiting_are_told_so(trained: Callable[[int], Path]) -> None:
    running = start_server(trained(1), MLOPS_CI_MAX_WAITING="1", MLOPS_CI_BATCH_ROWS="1")
    body = json.dumps({"inputs": [[0.0, 1.0, 2.0]] * 3000}).encode()
    statuses: list[int] = []

    def work() -> None:
        statuses.extend(running.ask("POST", "/invocations", body)[0] for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running.process.terminate()
    running.process.wait(PATIENCE)
    assert set(statuses) <= {200, 503}
    assert 200 in statuses


def test_a_slow_sender_does_not_hold_a_connection(trained: Callable[[int], Path]) -> None:
    running = start_server(trained(1), MLOPS_CI_PATIENCE="0.5")
    with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) as peer:
        peer.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        answer = peer.recv(4096)
    assert b" 408 " in answer
    running.process.terminate()
    running.process.wait(PATIENCE)


def test_a_model_that_fails_on_its_example_never_listens(
    trained: Callable[[int], Path], tmp_path: Path
) -> None:
    import shutil

    broken = shutil.copytree(trained(1), tmp_path / "model")
    (broken / "serving_input_example.json").write_text('{"inputs": [["text"]]}')
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MLOPS_CI_MODEL_FOLDER": str(broken),
        "PORT": "0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci.serve"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
