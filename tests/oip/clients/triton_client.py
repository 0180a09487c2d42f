"""tritonclient as it comes from PyPI, against the server at argv[1] (with the headers of argv[2], as JSON)."""

import asyncio
import json
import sys

import numpy as np
import tritonclient.http as http
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

url, headers, may_load = sys.argv[1], json.loads(sys.argv[2]), "load" in sys.argv[3:]
address = url.removeprefix("http://")
# Every call gets headers of its own, because the client writes into them.
client = http.InferenceServerClient(address, concurrency=8)

assert client.is_server_live(headers) and client.is_server_ready(headers)
assert client.is_model_ready("simple", headers=dict(headers))
assert client.is_model_ready("simple", "1", headers=dict(headers))
assert not client.is_model_ready("simple", "9", headers=dict(headers))
assert not client.is_model_ready("none", headers=dict(headers))
assert "binary_tensor_data" in client.get_server_metadata(headers)["extensions"]
assert client.get_model_metadata("simple", headers=dict(headers))["inputs"][0]["shape"] == [-1, 16]
assert client.get_model_config("simple", "1", headers=dict(headers))["input"][0]["data_type"] == "TYPE_INT32"
index = client.get_model_repository_index(headers)
assert {"name": "simple", "version": "2", "state": "READY"}.items() <= next(m for m in index if m["name"] == "simple" and m["version"] == "2").items()


def tensor(name, values, binary=True):
    given = http.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def same(got, want):
    assert got.dtype.kind == want.dtype.kind or want.dtype == object, (got.dtype, want.dtype)
    assert got.shape == want.shape and np.array_equal(got, want), (got, want)


# Every datatype, as JSON and in binary, and packed.
limits = {name: np.iinfo(name) for name in ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]}
cases = {name: np.array([[i.min, i.max, 0], [1, 42, i.max - 1]], dtype=name) for name, i in limits.items()}
cases["bool"] = np.array([[True, False, True], [False, False, True]])
cases["fp16"] = np.array([[0.1, -65504, 6e-8], [1, 2, 1 / 3]], dtype=np.float16)
cases["fp32"] = np.array([[0.1, -3.4e38, 1e-45], [1, 16777217, 1 / 3]], dtype=np.float32)
cases["fp64"] = np.array([[0.1, -1.7e308, 5e-324], [1, 2**53 + 1, 1 / 3]], dtype=np.float64)
for name, values in cases.items():
    for binary in [True, False]:
        if name == "fp16" and not binary:
            continue  # the client refuses
        for packing in [None, "gzip", "deflate"]:
            result = client.infer(
                f"identity_{name}",
                [tensor("X", values, binary)],
                outputs=[http.InferRequestedOutput("Y", binary_data=binary)],
                request_id="7",
                headers=dict(headers),
                request_compression_algorithm=packing,
                response_compression_algorithm=packing,
            )
            same(result.as_numpy("Y"), values)
            assert result.get_response()["id"] == "7"

texts = np.array([["", "plain".encode()], ["häß".encode(), "\U0001f98a".encode()]], dtype=object)
texts[0][0] = b""
for binary in [True, False]:
    result = client.infer("identity_bytes", [tensor("X", texts, binary)], headers=dict(headers))
    assert result.as_numpy("Y").tolist() == texts.tolist(), result.as_numpy("Y")

# What JSON has no number for.
unusual = np.array([[np.nan, np.inf, -np.inf]], dtype=np.float32)
for binary in [True, False]:
    answer = client.infer(
        "identity_fp32",
        [tensor("X", unusual, binary)],
        outputs=[http.InferRequestedOutput("Y", binary_data=binary)],
        headers=dict(headers),
    )
    assert np.array_equal(answer.as_numpy("Y"), unusual, equal_nan=True), answer.as_numpy("Y")

# Two inputs and two outputs; what is not asked does not come.
ones = np.ones((1, 16), dtype=np.int32)
inputs = [tensor("INPUT0", ones), tensor("INPUT1", ones)]
result = client.infer("simple", inputs, model_version="1", headers=dict(headers), timeout=10_000_000, priority=1)
assert result.as_numpy("OUTPUT0").tolist() == [[2] * 16] and result.as_numpy("OUTPUT1").tolist() == [[0] * 16]
assert result.get_response()["model_version"] == "1"
result = client.infer("simple", inputs, headers=dict(headers), outputs=[http.InferRequestedOutput("OUTPUT1")])
assert result.as_numpy("OUTPUT0") is None and result.as_numpy("OUTPUT1").tolist() == [[2] * 16]

# Classes.
scores = np.array([[0.25, 0.5, 0.125]], dtype=np.float32)
result = client.infer(
    "identity_fp32", [tensor("X", scores)], outputs=[http.InferRequestedOutput("Y", class_count=2)], headers=dict(headers)
)
assert result.as_numpy("Y").tolist() == [[b"0.500000:1", b"0.250000:0"]], result.as_numpy("Y")

# Many at once, each with its own answer.
pending = []
for n in range(40):
    values = np.full((1 + n % 3, 2), n, dtype=np.int64)
    pending.append((values, client.async_infer("identity_int64", [tensor("X", values)], headers=dict(headers))))
for values, answer in pending:
    same(answer.get_result().as_numpy("Y"), values)


def refused(status, call):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == str(status), error
        assert error.message(), error
    else:
        raise AssertionError("it was not refused")


refused(404, lambda: client.infer("none", inputs, headers=dict(headers)))
refused(404, lambda: client.infer("simple", inputs, model_version="9", headers=dict(headers)))
refused(404, lambda: client.get_model_metadata("none", headers=dict(headers)))
refused(400, lambda: client.infer("simple", inputs[:1], headers=dict(headers)))
refused(400, lambda: client.infer("simple", [tensor("INPUT0", ones[:, :8]), inputs[1]], headers=dict(headers)))
refused(400, lambda: client.infer("simple", [tensor("INPUT0", ones.astype(np.float32)), inputs[1]], headers=dict(headers)))
refused(400, lambda: client.infer("simple", inputs, headers=dict(headers), outputs=[http.InferRequestedOutput("OUTPUT9")]))
refused(400, lambda: client.infer("simple", inputs, headers=dict(headers), sequence_id=5, sequence_start=True))
refused(400, lambda: client.infer("identity_bytes", [tensor("X", np.array([[b"\xff"]], dtype=object))], headers=dict(headers)))

statistics = client.get_inference_statistics("simple", "1", headers=dict(headers))["model_stats"][0]
assert statistics["inference_stats"]["success"]["count"] >= 1, statistics

if may_load:
    client.unload_model("sqrt", headers=dict(headers))
    assert not client.is_model_ready("sqrt", headers=dict(headers))
    client.load_model("sqrt", headers=dict(headers))
    assert client.is_model_ready("sqrt", headers=dict(headers))
    refused(404, lambda: client.load_model("none", headers=dict(headers)))


async def asynchronously():
    async with aio.InferenceServerClient(address) as other:
        given = aio.InferInput("X", [1, 2], "FP32")
        given.set_data_from_numpy(np.array([[1, 2]], dtype=np.float32))
        answer = await other.infer("identity_fp32", [given], headers=dict(headers))
        assert answer.as_numpy("Y").tolist() == [[1, 2]]


asyncio.run(asynchronously())
client.close()
print("ok")
