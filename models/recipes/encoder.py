"""A small text classifier: two layers of attention in both directions, then mean and maximum over the tokens.

The same arithmetic twice, as in decoder.py: in JAX to train it, and as an ONNX graph.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from decoder import EPSILON, norm, rotation
from graph import TYPES, Graph


@dataclass(frozen=True)
class Shape:
    vocabulary: int
    labels: int
    width: int = 64
    layers: int = 2
    heads: int = 4
    hidden: int = 128
    positions: int = 256

    @property
    def head(self) -> int:
        return self.width // self.heads


def create(shape: Shape, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    w = shape.width
    normal = lambda rows, columns, scale: jnp.asarray(rng.normal(0, scale, (rows, columns)).astype(np.float32))
    layer = lambda: {
        "norm1": jnp.ones(w),
        "qkv": normal(w, 3 * w, w**-0.5),
        "out": normal(w, w, 0.5 * w**-0.5),
        "norm2": jnp.ones(w),
        "up": normal(w, shape.hidden, w**-0.5),
        "down": normal(shape.hidden, w, 0.5 * shape.hidden**-0.5),
    }
    return {
        "embed": normal(shape.vocabulary, w, 0.1),
        "layers": [layer() for _ in range(shape.layers)],
        "norm": jnp.ones(w),
        "classify": normal(2 * w, shape.labels, w**-0.5),
        "bias": jnp.zeros(shape.labels),
    }


def forward(shape: Shape, params: dict, ids, mask, dropout: float = 0.0, key=None):
    """Token ids and mask [batch, seq] to logits [batch, labels]."""
    batch, seq = ids.shape
    frequency, turn = rotation(shape.head)
    angle = jnp.arange(seq)[:, None] * frequency[None, :]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    keys = jax.random.split(key, 2 * shape.layers + 2) if key is not None else None

    def drop(x, index: int):
        if keys is None:
            return x
        return x * jax.random.bernoulli(keys[index], 1 - dropout, x.shape) / (1 - dropout)

    bias = jnp.where(mask[:, None, None, :] > 0, 0.0, -1e9)
    x = drop(params["embed"][ids], -1)
    for i, p in enumerate(params["layers"]):
        heads = (norm(x, p["norm1"]) @ p["qkv"]).reshape(batch, seq, 3 * shape.heads, shape.head).transpose(0, 2, 1, 3)
        turned = heads[:, : 2 * shape.heads]
        turned = turned * cos + (turned @ turn) * sin
        q, k, v = turned[:, : shape.heads], turned[:, shape.heads :], heads[:, 2 * shape.heads :]
        scores = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) * shape.head**-0.5 + bias, axis=-1)
        mixed = (scores @ v).transpose(0, 2, 1, 3).reshape(batch, seq, shape.width)
        x = x + drop(mixed @ p["out"], 2 * i)
        x = x + drop(jax.nn.relu(norm(x, p["norm2"]) @ p["up"]) @ p["down"], 2 * i + 1)
    x = norm(x, params["norm"])
    weight = mask[:, :, None].astype(jnp.float32)
    mean = (x * weight).sum(1) / weight.sum(1)
    highest = (x + (weight - 1) * 1e9).max(1)
    return drop(jnp.concatenate([mean, highest], -1), -2) @ params["classify"] + params["bias"]


def to_onnx(shape: Shape, params: dict) -> bytes:
    g = Graph("classifier")
    ids = g.input("input_ids", "int64", ["batch", "seq"])
    mask = g.input("attention_mask", "int64", ["batch", "seq"])
    g.output("logits", "float32", ["batch", shape.labels])
    f32 = lambda value: g.const(value, np.float32)

    weight = g.op("Cast", mask, to=TYPES["float32"])
    missing = g.op("Mul", g.op("Sub", weight, f32(1.0)), f32(1e9))  # 0 for a token, -1e9 for padding
    bias = g.op("Unsqueeze", missing, g.const([1, 2]))
    frequency, turn = rotation(shape.head)
    seq = g.op("Gather", g.op("Shape", ids), g.const(1))
    at = g.op("Cast", g.op("Range", g.const(0), seq, g.const(1)), to=TYPES["float32"])
    angle = g.op("Mul", g.op("Unsqueeze", at, g.const([1])), f32(frequency))
    cos, sin, turn = g.op("Cos", angle), g.op("Sin", angle), f32(turn)

    def rms(x: str, name: str, value) -> str:
        mean = g.op("ReduceMean", g.op("Mul", x, x), axes=[-1], keepdims=1)
        scale = g.op("Sqrt", g.op("Add", mean, f32(EPSILON)))
        return g.op("Mul", g.op("Div", x, scale), g.weight(name, value))

    x = g.op("Gather", g.weight("embed", params["embed"]), ids)
    for i, p in enumerate(params["layers"]):
        weights = {name: g.weight(f"layers.{i}.{name}", p[name]) for name in ("qkv", "out", "up", "down")}
        heads = g.op("MatMul", rms(x, f"layers.{i}.norm1", p["norm1"]), weights["qkv"])
        heads = g.op("Reshape", heads, g.const([0, 0, 3 * shape.heads, shape.head]))
        heads = g.op("Transpose", heads, perm=[0, 2, 1, 3])
        qk, v = g.ops("Split", heads, g.const([2 * shape.heads, shape.heads]), outs=[None, None], axis=1)
        qk = g.op("Add", g.op("Mul", qk, cos), g.op("Mul", g.op("MatMul", qk, turn), sin))
        q, k = g.ops("Split", qk, g.const([shape.heads] * 2), outs=[None, None], axis=1)
        scores = g.op("Mul", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), f32(shape.head**-0.5))
        scores = g.op("Softmax", g.op("Add", scores, bias), axis=-1)
        mixed = g.op("Transpose", g.op("MatMul", scores, v), perm=[0, 2, 1, 3])
        mixed = g.op("Reshape", mixed, g.const([0, 0, shape.width]))
        x = g.op("Add", x, g.op("MatMul", mixed, weights["out"]))
        hidden = g.op("Relu", g.op("MatMul", rms(x, f"layers.{i}.norm2", p["norm2"]), weights["up"]))
        x = g.op("Add", x, g.op("MatMul", hidden, weights["down"]))
    x = rms(x, "norm", params["norm"])
    total = g.op("ReduceSum", weight, g.const([1]), keepdims=1)
    summed = g.op("ReduceSum", g.op("Mul", x, g.op("Unsqueeze", weight, g.const([2]))), g.const([1]), keepdims=0)
    mean = g.op("Div", summed, total)
    highest = g.op("ReduceMax", g.op("Add", x, g.op("Unsqueeze", missing, g.const([2]))), axes=[1], keepdims=0)
    both = g.op("Concat", mean, highest, axis=-1)
    classified = g.op("MatMul", both, g.weight("classify", params["classify"]))
    g.op("Add", classified, g.weight("bias", params["bias"]), out="logits")
    return g.bytes()
