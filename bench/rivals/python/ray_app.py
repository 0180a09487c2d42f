"""https://docs.ray.io/en/latest/serve/advanced-guides/dyn-req-batch.html"""

import os
import signal
import sys

import numpy as np
import ray
from one_thread import session
from ray import serve
from starlette.requests import Request

_, model, port, max_batch = sys.argv


@serve.deployment(max_ongoing_requests=2 * int(max_batch))
class Perceptron:
    def __init__(self, path):
        self.session = session(path)

    @serve.batch(max_batch_size=int(max_batch), batch_wait_timeout_s=0)
    async def predict(self, rows):
        return list(self.session.run(["y"], {"x": np.stack(rows)})[0])

    async def __call__(self, request: Request):
        asked = await request.json()
        y = await self.predict(np.array(asked["inputs"][0]["data"], dtype=np.float32))
        return {"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, len(y)], "data": y.tolist()}]}


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False, _temp_dir=os.getcwd())
    serve.start(http_options={"host": "127.0.0.1", "port": int(port)})
    serve.run(Perceptron.bind(model))
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    serve.shutdown()
    ray.shutdown()
