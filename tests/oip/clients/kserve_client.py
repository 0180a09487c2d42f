"""KServe's client as it comes from PyPI, against the server at argv[1] (with the headers of argv[2], as JSON)."""

import asyncio
import json
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

url, headers = sys.argv[1], json.loads(sys.argv[2])


def request(model, values, datatype, binary):
    given = InferInput("X", list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return InferRequest(
        model_name=model, infer_inputs=[given], request_id="7", request_outputs=[RequestedOutput("Y", {"binary_data": binary})]
    )


async def main():
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=30))
    assert await client.is_server_live(url, headers=headers) is True
    assert await client.is_server_ready(url, headers=headers) is True
    assert await client.is_model_ready(url, "simple", headers=headers) is True
    assert await client.is_model_ready(url, "none", headers=headers) is False

    cases = {
        "FP32": np.array([[0.1, -3.4e38, 1e-45]], dtype=np.float32),
        "FP64": np.array([[0.1, 2**53 + 1, 1 / 3]], dtype=np.float64),
        "FP16": np.array([[0.1, -65504, 6e-8]], dtype=np.float16),
        "INT64": np.array([[2**63 - 1, -(2**63), 2**53 + 1]], dtype=np.int64),
        "UINT64": np.array([[2**64 - 1, 0, 2**53 + 1]], dtype=np.uint64),
        "INT8": np.array([[-128, 127, 0]], dtype=np.int8),
        "BOOL": np.array([[True, False, True]]),
        "BYTES": np.array([["", "plain", "häß"]], dtype=object),
    }
    for datatype, values in cases.items():
        for binary in [True, False]:
            if datatype == "FP16" and not binary:
                continue  # the client refuses
            model = f"identity_{datatype.lower()}"
            answer = await client.infer(url, request(model, values, datatype, binary), model_name=model, headers=dict(headers))
            assert answer.id == "7" and answer.model_name == model
            got = answer.outputs[0].as_numpy()
            if datatype == "BYTES":
                got = np.array([[v.decode() if isinstance(v, bytes) else v for v in got.flatten()]], dtype=object)
            assert got.shape == values.shape and np.array_equal(got, values), (datatype, binary, got, values)

    try:
        wrong = request("none", cases["FP32"], "FP32", True)
        await client.infer(url, wrong, model_name="none", headers=dict(headers))
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 404 and "none" in str(error), error
    else:
        raise AssertionError("it was not refused")
    await client.close()


asyncio.run(main())
print("ok")
