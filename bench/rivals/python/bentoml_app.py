"""https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html"""

import os

import bentoml
import numpy as np
from one_thread import session


@bentoml.service(workers=1)
class Perceptron:
    def __init__(self):
        self.session = session(os.environ["MODEL"])

    @bentoml.api(batchable=True, max_batch_size=int(os.environ["MAX_BATCH"]))
    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.session.run(["y"], {"x": x.astype(np.float32)})[0]
