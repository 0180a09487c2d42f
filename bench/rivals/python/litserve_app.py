"""https://lightning.ai/docs/litserve/features/batching: arrays are stacked and parted by the server itself."""

import sys

import litserve
import numpy as np
from one_thread import session


class Perceptron(litserve.LitAPI):
    def setup(self, device):
        self.session = session(sys.argv[1])

    def decode_request(self, request):
        return np.array(request["inputs"][0]["data"], dtype=np.float32)

    def predict(self, x):
        return self.session.run(["y"], {"x": x})[0]

    def encode_response(self, y):
        return {"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, len(y)], "data": y.tolist()}]}


if __name__ == "__main__":
    _, model, port, path, max_batch = sys.argv
    api = Perceptron(max_batch_size=int(max_batch), api_path=path)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(port), generate_client_file=False, log_level="warning")
