"""ONNX Runtime in Triton's Python backend, as its docs have it: one run for the requests that the batcher gives together.

https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/python_backend/README.html
"""

import os
import sys

sys.path.insert(0, os.environ["SITE_PACKAGES"])  # the backend's interpreter looks at no PYTHONPATH

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = os.path.join(args["model_repository"], args["model_version"], "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options)

    def execute(self, requests):
        rows = [pb_utils.get_input_tensor_by_name(request, "x").as_numpy() for request in requests]
        (y,) = self.session.run(["y"], {"x": np.concatenate(rows)})
        ends = np.cumsum([len(part) for part in rows])[:-1]
        return [pb_utils.InferenceResponse([pb_utils.Tensor("y", part)]) for part in np.split(y, ends)]
