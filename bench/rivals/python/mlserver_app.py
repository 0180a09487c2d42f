"""https://docs.seldon.ai/mlserver/user-guide/custom, with https://docs.seldon.ai/mlserver/user-guide/adaptive-batching"""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from one_thread import session


class Perceptron(MLModel):
    async def load(self) -> bool:
        self.session = session(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        x = NumpyCodec.decode_input(payload.inputs[0])
        (y,) = self.session.run(["y"], {"x": x})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("y", y)])
