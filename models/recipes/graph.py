"""A few lines over onnx.helper, so that a graph can be written like the arithmetic that it is."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}


class Graph:
    def __init__(self, name: str):
        self.name = name
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.known: dict[tuple, str] = {}
        self.count = 0

    def input(self, name: str, dtype: str, shape: list) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TYPES[dtype], shape))
        return name

    def output(self, name: str, dtype: str, shape: list) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, TYPES[dtype], shape))

    def weight(self, name: str, value) -> str:
        array = np.ascontiguousarray(np.asarray(value, dtype=np.float32))
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def const(self, value, dtype=np.int64) -> str:
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.known:
            self.known[key] = f"const_{len(self.known)}"
            self.initializers.append(numpy_helper.from_array(array, self.known[key]))
        return self.known[key]

    def op(self, kind: str, *inputs: str, out: str | None = None, **attributes) -> str:
        """One node with one output, whose name is returned."""
        return self.ops(kind, *inputs, outs=[out], **attributes)[0]

    def ops(self, kind: str, *inputs: str, outs: list, **attributes) -> list[str]:
        self.count += 1
        names = [name or f"{kind.lower()}_{self.count}_{i}" for i, name in enumerate(outs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{self.count}", **attributes))
        return names

    def bytes(self) -> bytes:
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initializers)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="oriel"
        )
        checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
