"""A small decoder of the Llama family: RMSNorm, rotary positions, grouped-query attention, SwiGLU, tied embeddings.

The same arithmetic twice: in JAX to train it, and as an ONNX graph in the layout of Hugging Face's exports.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from graph import TYPES, Graph

EPSILON = 1e-5
THETA = 10_000.0


@dataclass(frozen=True)
class Shape:
    vocabulary: int
    width: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    hidden: int = 352
    positions: int = 1024

    @property
    def head(self) -> int:
        return self.width // self.heads


def create(shape: Shape, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    qkv = shape.width + 2 * shape.kv_heads * shape.head

    def normal(rows: int, columns: int, scale: float):
        return jnp.asarray(rng.normal(0, scale, (rows, columns)).astype(np.float32))

    w, n = shape.width, shape.layers
    layer = lambda: {
        "norm1": jnp.ones(w),
        "qkv": normal(w, qkv, w**-0.5),
        "out": normal(w, w, (2 * n * w) ** -0.5),
        "norm2": jnp.ones(w),
        "gate_up": normal(w, 2 * shape.hidden, w**-0.5),
        "down": normal(shape.hidden, w, (2 * n * shape.hidden) ** -0.5),
    }
    return {
        # Large enough that names are told apart from the start; smaller, it takes long to learn to repeat them.
        "embed": normal(shape.vocabulary, w, w**-0.5),
        "layers": [layer() for _ in range(n)],
        "norm": jnp.ones(w),
    }


def rotation(head: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies for a head's dimensions, and the matrix that turns (a, b) into (-b, a) for its two halves."""
    half = head // 2
    frequency = THETA ** (-np.arange(half) / half)
    turn = np.zeros((head, head), np.float32)
    turn[np.arange(half) + half, np.arange(half)] = -1
    turn[np.arange(half), np.arange(half) + half] = 1
    return np.concatenate([frequency, frequency]).astype(np.float32), turn


def norm(x, weight):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + EPSILON) * weight


def forward(shape: Shape, params: dict, ids):
    """Token ids [batch, seq] to logits [batch, seq, vocabulary]."""
    batch, seq = ids.shape
    frequency, turn = rotation(shape.head)
    angle = jnp.arange(seq)[:, None] * frequency[None, :]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    causal = jnp.tril(jnp.ones((seq, seq), bool))
    q_heads, kv_heads, group = shape.heads, shape.kv_heads, shape.heads // shape.kv_heads
    x = params["embed"][ids]
    for p in params["layers"]:
        heads = (norm(x, p["norm1"]) @ p["qkv"]).reshape(batch, seq, q_heads + 2 * kv_heads, shape.head)
        heads = heads.transpose(0, 2, 1, 3)
        turned = heads[:, : q_heads + kv_heads]
        turned = turned * cos + (turned @ turn) * sin
        q = turned[:, :q_heads].reshape(batch, kv_heads, group, seq, shape.head)
        k, v = turned[:, q_heads:], heads[:, q_heads + kv_heads :]
        scores = jnp.einsum("bkgsh,bkth->bkgst", q, k) * shape.head**-0.5
        scores = jax.nn.softmax(jnp.where(causal, scores, -1e9), axis=-1)
        mixed = jnp.einsum("bkgst,bkth->bskgh", scores, v).reshape(batch, seq, shape.width)
        x = x + mixed @ p["out"]
        gate, up = jnp.split(norm(x, p["norm2"]) @ p["gate_up"], 2, axis=-1)
        x = x + (jax.nn.silu(gate) * up) @ p["down"]
    return norm(x, params["norm"]) @ params["embed"].T


def to_onnx(shape: Shape, params: dict) -> bytes:
    g = Graph("decoder")
    ids = g.input("input_ids", "int64", ["batch", "seq"])
    mask = g.input("attention_mask", "int64", ["batch", "total"])
    positions = g.input("position_ids", "int64", ["batch", "seq"])
    cache = ["batch", shape.kv_heads, "past", shape.head]
    past = [
        (g.input(f"past_key_values.{i}.key", "float32", cache), g.input(f"past_key_values.{i}.value", "float32", cache))
        for i in range(shape.layers)
    ]
    g.output("logits", "float32", ["batch", "seq", shape.vocabulary])
    for i in range(shape.layers):
        for part in ("key", "value"):
            g.output(f"present.{i}.{part}", "float32", ["batch", shape.kv_heads, "total", shape.head])

    # A query at `past + i` sees the keys up to itself, except those that the attention mask leaves out.
    total = g.op("Gather", g.op("Shape", mask), g.const(1))
    seq = g.op("Gather", g.op("Shape", ids), g.const(1))
    key_at = g.op("Range", g.const(0), total, g.const(1))
    query_at = g.op("Range", g.op("Sub", total, seq), total, g.const(1))
    causal = g.op("LessOrEqual", key_at, g.op("Unsqueeze", query_at, g.const([1])))
    kept = g.op("Greater", g.op("Unsqueeze", mask, g.const([1, 2, 3])), g.const(0))
    bias = g.op("Where", g.op("And", causal, kept), g.const(0.0, np.float32), g.const(-1e9, np.float32))

    frequency, turn = rotation(shape.head)
    at = g.op("Cast", g.op("Unsqueeze", positions, g.const([1, 3])), to=TYPES["float32"])
    angle = g.op("Mul", at, g.const(frequency, np.float32))  # [batch, 1, seq, head]
    cos, sin, turn = g.op("Cos", angle), g.op("Sin", angle), g.const(turn, np.float32)

    def rms(x: str, weight: str) -> str:
        mean = g.op("ReduceMean", g.op("Mul", x, x), axes=[-1], keepdims=1)
        scale = g.op("Sqrt", g.op("Add", mean, g.const(EPSILON, np.float32)))
        return g.op("Mul", g.op("Div", x, scale), weight)

    q_heads, kv_heads, group = shape.heads, shape.kv_heads, shape.heads // shape.kv_heads
    embed = g.weight("embed", params["embed"])
    x = g.op("Gather", embed, ids)
    for i, p in enumerate(params["layers"]):
        weight = lambda name: g.weight(f"layers.{i}.{name}", p[name])
        heads = g.op("MatMul", rms(x, weight("norm1")), weight("qkv"))
        heads = g.op("Reshape", heads, g.const([0, 0, q_heads + 2 * kv_heads, shape.head]))
        heads = g.op("Transpose", heads, perm=[0, 2, 1, 3])
        qk, v = g.ops("Split", heads, g.const([q_heads + kv_heads, kv_heads]), outs=[None, None], axis=1)
        qk = g.op("Add", g.op("Mul", qk, cos), g.op("Mul", g.op("MatMul", qk, turn), sin))
        q, k = g.ops("Split", qk, g.const([q_heads, kv_heads]), outs=[None, None], axis=1)
        k = g.op("Concat", past[i][0], k, axis=2, out=f"present.{i}.key")
        v = g.op("Concat", past[i][1], v, axis=2, out=f"present.{i}.value")
        q = g.op("Reshape", q, g.const([0, kv_heads, group, -1, shape.head]))
        k = g.op("Unsqueeze", g.op("Transpose", k, perm=[0, 1, 3, 2]), g.const([2]))
        scores = g.op("Mul", g.op("MatMul", q, k), g.const(shape.head**-0.5, np.float32))
        scores = g.op("Softmax", g.op("Add", scores, bias), axis=-1)
        mixed = g.op("MatMul", scores, g.op("Unsqueeze", v, g.const([2])))
        mixed = g.op("Reshape", g.op("Transpose", mixed, perm=[0, 3, 1, 2, 4]), g.const([0, 0, shape.width]))
        x = g.op("Add", x, g.op("MatMul", mixed, weight("out")))
        both = g.op("MatMul", rms(x, weight("norm2")), weight("gate_up"))
        gate, up = g.ops("Split", both, g.const([shape.hidden] * 2), outs=[None, None], axis=-1)
        hidden = g.op("Mul", g.op("Mul", gate, g.op("Sigmoid", gate)), up)
        x = g.op("Add", x, g.op("MatMul", hidden, weight("down")))
    g.op("MatMul", rms(x, g.weight("norm", params["norm"])), g.op("Transpose", embed, perm=[1, 0]), out="logits")
    return g.bytes()
