"""Makes models/storyteller/1: a decoder trained on the stories of stories.py, in the layout of Hugging Face's exports."""

import argparse
import random
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
import optax
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from tqdm import tqdm

import decoder
from manifest import MODELS, write_json, write_manifest
from stories import text, write
from words import BOYS, FOLK, GIRLS, LISTS, PETS

BOS, EOS = "<s>", "</s>"
TOLERANCE = 1e-3  # of a logit; the trainer and ONNX Runtime add in another order
PROMPTS = [
    "Once upon a time",
    "The little fox",
    "Anna found a",
    "It was a cold night, and",
    "Tom and his sister",
    "The dragon opened its eyes",
    '"Come in," said',
    "Café 🦊",
]


def train_tokenizer(vocabulary: int, seed: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(BOS, special=True), AddedToken(EOS, special=True)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rng = random.Random(seed)
    tokenizer.train_from_iterator((text(write(rng)) for _ in range(20_000)), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def token_stream(tokenizer: Tokenizer, seed: int):
    """Stories without end, each `<s> … </s>`. Some begin in their middle, so that any sentence may be a beginning."""
    rng = random.Random(seed)
    eos = tokenizer.token_to_id(EOS)
    while True:
        story = write(rng)
        if rng.random() < 0.3:
            story = story[rng.randrange(len(story)) :]
            story[0] = story[0][rng.randrange(len(story[0])) :]
        yield from tokenizer.encode(text(story)).ids
        yield eos


def batches(tokenizer: Tokenizer, rows: int, window: int, seed: int):
    streams = [token_stream(tokenizer, seed * 1000 + row) for row in range(rows)]
    last = [next(stream) for stream in streams]
    while True:
        batch = np.array([[first] + [next(s) for _ in range(window)] for first, s in zip(last, streams)], np.int32)
        last = [int(row[-1]) for row in batch]
        yield batch


def token_weights(tokenizer: Tokenizer, weight: float) -> np.ndarray:
    """Who and what a story is about counts more in the loss: else it takes very long to learn to say the same name again."""
    things = ("animal", "thing", "colour", "fruit", "treat", "worker", "flower", "instrument", "clothes", "baby", "bake")
    words = [word for name in things for phrase in LISTS[name] for word in phrase.split()]
    weights = np.ones(tokenizer.get_vocab_size(), np.float32)
    for word in GIRLS + BOYS + PETS + list(FOLK) + words:
        ids = tokenizer.encode(f" {word}", add_special_tokens=False).ids
        if len(ids) == 1:
            weights[ids] = weight
    return weights


def train(shape: decoder.Shape, tokenizer: Tokenizer, params: dict, phases: list, seed: int, rate: float) -> dict:
    """Phases are (steps, rows, window); the learning rate falls over all of them."""
    total = sum(steps for steps, _, _ in phases)
    schedule = lambda peak: optax.join_schedules(
        [optax.linear_schedule(0, peak, 50), optax.linear_schedule(peak, peak * 0.02, total - 50)], [50]
    )
    # Matrices inside the layers by Muon, the embedding and the norms by Adam.
    layers = {"norm1": None, "qkv": True, "out": True, "norm2": None, "gate_up": True, "down": True}
    dimensions = {
        "embed": None,
        "layers": [{k: optax.contrib.MuonDimensionNumbers() if m else None for k, m in layers.items()}] * shape.layers,
        "norm": None,
    }
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.contrib.muon(
            schedule(rate),
            adam_learning_rate=schedule(rate / 5),
            weight_decay=0.01,
            muon_weight_dimension_numbers=dimensions,
        ),
    )
    state = optimizer.init(params)

    weights = jnp.asarray(token_weights(tokenizer, 5.0))

    def losses_of(params, batch):
        logits = decoder.forward(shape, params, batch[:, :-1])
        return optax.softmax_cross_entropy_with_integer_labels(logits, batch[:, 1:])

    def loss_of(params, batch):
        weight = weights[batch[:, 1:]]
        return (losses_of(params, batch) * weight).sum() / weight.sum()

    @jax.jit
    def step(params, state, batch):
        loss, gradient = jax.value_and_grad(loss_of)(params, batch)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, loss

    evaluate = jax.jit(lambda params, batch: losses_of(params, batch).mean())
    held_out = {window: jnp.asarray(next(batches(tokenizer, 8192 // window, window, 77))) for window in (256, 1024)}
    bar = tqdm(total=total, unit="step", mininterval=10)
    average = None
    for phase, (steps, rows, window) in enumerate(phases):
        source = batches(tokenizer, rows, window, seed + phase)
        for _ in range(steps):
            params, state, loss = step(params, state, jnp.asarray(next(source)))
            average = float(loss) if average is None else 0.98 * average + 0.02 * float(loss)
            bar.set_postfix(loss=f"{average:.3f}", refresh=False)
            bar.update()
        losses = ", ".join(f"{float(evaluate(params, b)):.4f} in a window of {n}" for n, b in held_out.items())
        print(f"\nafter phase {phase + 1}: held-out loss per token {losses}", flush=True)
    bar.close()
    return jax.tree.map(np.asarray, params)


class Runner:
    """The graph, one request at a time, as a node runs it."""

    def __init__(self, path: Path, shape: decoder.Shape):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.shape = shape
        self.reset()

    def reset(self) -> None:
        empty = np.zeros((1, self.shape.kv_heads, 0, self.shape.head), np.float32)
        self.past = [empty] * (2 * self.shape.layers)

    def step(self, ids: list[int]) -> np.ndarray:
        past = self.past[0].shape[2]
        feeds = {
            "input_ids": np.array([ids], np.int64),
            "attention_mask": np.ones((1, past + len(ids)), np.int64),
            "position_ids": np.arange(past, past + len(ids), dtype=np.int64)[None],
        }
        for i in range(self.shape.layers):
            feeds[f"past_key_values.{i}.key"], feeds[f"past_key_values.{i}.value"] = self.past[2 * i : 2 * i + 2]
        logits, *self.past = self.session.run(None, feeds)
        return logits[0]

    def generate(self, ids: list[int], count: int, eos: int, temperature=0.0, top_k=40, top_p=0.95, seed=0) -> list[int]:
        self.reset()
        rng = np.random.default_rng(seed)
        logits, made = self.step(ids)[-1], []
        while len(made) < count:
            if temperature == 0:
                token = int(logits.argmax())
            else:
                best = np.argsort(-logits)[:top_k]
                weight = np.exp((logits[best] - logits[best[0]]) / temperature)
                weight /= weight.sum()
                keep = int(np.searchsorted(np.cumsum(weight), top_p)) + 1
                token = int(rng.choice(best[:keep], p=weight[:keep] / weight[:keep].sum()))
            if token == eos:
                break
            made.append(token)
            logits = self.step([token])[-1]
        return made


def check_parity(shape, params, tokenizer: Tokenizer, runner: Runner, eos: int) -> dict:
    """What the trainer computes for a few prompts, after the graph has computed the same, step by step."""
    forward = jax.jit(lambda params, ids: decoder.forward(shape, params, ids))
    whole = lambda ids: np.asarray(forward(params, jnp.asarray([ids])))[0]
    worst, cases = 0.0, []
    fill = lambda ids: ids + [0] * (64 - len(ids))  # What stands after a position does not change it.
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt).ids
        filled = ids[:]
        while len(filled) < len(ids) + 32:
            logits = whole(fill(filled))[len(filled) - 1]
            token = int(logits.argmax())
            second, first = np.sort(logits)[-2:]
            if token == eos or first - second < 10 * TOLERANCE:  # Another processor might prefer the second.
                break
            filled.append(token)
        logits = whole(fill(filled))
        runner.reset()
        got = [runner.step(ids)] + [runner.step([token]) for token in filled[len(ids) :]]
        worst = max(worst, float(np.abs(np.concatenate(got) - logits[: len(filled)]).max()))
        if runner.generate(ids, len(filled) - len(ids), eos) != filled[len(ids) :]:
            raise SystemExit(f"the graph goes on otherwise than the trainer after {prompt!r}")
        last = logits[len(ids) - 1]
        top = np.argsort(-last)[:5]
        cases.append(
            {
                "prompt": prompt,
                "ids": ids,
                "logits": [{"id": int(t), "logit": round(float(last[t]), 6)} for t in top],
                "greedy": {"ids": filled[len(ids) :], "text": tokenizer.decode(filled[len(ids) :])},
            }
        )
    long = next(batches(tokenizer, 1, shape.positions - 1, 5))[0].tolist()
    runner.reset()
    got = np.concatenate([runner.step(long[:700])] + [runner.step([token]) for token in long[700:]])
    far = float(np.abs(got - whole(long)).max())
    print(f"parity: max abs difference of a logit {worst:.2e}, over {shape.positions} positions {far:.2e}")
    if max(worst, far) > TOLERANCE:
        raise SystemExit(f"the graph does not compute what the trainer computes (tolerance {TOLERANCE:.0e})")
    return {"tolerance": TOLERANCE, "cases": cases}


def write_files(folder: Path, shape: decoder.Shape, params, tokenizer: Tokenizer) -> None:
    bos, eos = tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS)
    special = {"bos_token_id": bos, "eos_token_id": eos, "pad_token_id": eos}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(decoder.to_onnx(shape, params))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(
        folder / "config.json",
        {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.width,
            "intermediate_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads,
            "head_dim": shape.head,
            "max_position_embeddings": shape.positions,
            "hidden_act": "silu",
            "rms_norm_eps": decoder.EPSILON,
            "rope_theta": decoder.THETA,
            "tie_word_embeddings": True,
            "attention_bias": False,
            "mlp_bias": False,
            "torch_dtype": "float32",
            **special,
        },
    )
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": BOS,
            "eos_token": EOS,
            "pad_token": EOS,
            "add_bos_token": True,
            "add_eos_token": False,
            "clean_up_tokenization_spaces": False,
        },
    )
    write_json(
        folder / "generation_config.json",
        {"do_sample": True, "temperature": 0.8, "top_k": 40, "top_p": 0.95, "max_new_tokens": 96, **special},
    )
    write_manifest(
        folder,
        ["config.json", "generation_config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"],
        name="storyteller",
        version="1",
        description="Goes on with the beginning of a little story, in simple English.",
        owner="Oriel",
        engine="text-generation",
        parameters={
            "maxTokens": {
                "type": "integer",
                "default": 96,
                "minimum": 1,
                "maximum": 512,
                "description": "How many tokens to write at most; the story may end before.",
            },
            "temperature": {
                "type": "number",
                "default": 0.8,
                "minimum": 0,
                "maximum": 2,
                "description": "How freely to choose the next token; 0 always takes the likeliest.",
            },
            "topK": {
                "type": "integer",
                "default": 40,
                "minimum": 0,
                "description": "Choose among this many of the likeliest tokens; 0 is all of them.",
            },
            "topP": {
                "type": "number",
                "default": 0.95,
                "minimum": 0,
                "maximum": 1,
                "description": "Choose among the likeliest tokens that together have this probability.",
            },
            "seed": {
                "type": "integer",
                "minimum": 0,
                "maximum": 2**53 - 1,
                "description": "The same seed gives the same text; without one it is drawn.",
            },
            "stop": {
                "type": "strings",
                "maxItems": 8,
                "maxLength": 64,
                "description": "The text ends before the first of these.",
            },
            "tokensPerSecond": {
                "type": "number",
                "default": 0,
                "minimum": 0,
                "maximum": 1000,
                "description": "Paces the output, for people and tests; 0 is as fast as it can.",
            },
        },
        limits={"timeoutMs": 120_000, "hangMs": 30_000, "maxBatch": 1, "concurrency": 32},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODELS / "storyteller" / "1", help="folder to write")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=1800, help="of the first round, with windows of 256 tokens")
    parser.add_argument("--more-steps", type=int, default=700, help="of the second round, with windows of 512 tokens")
    parser.add_argument("--vocabulary", type=int, default=2048, help="size of the byte-level BPE")
    parser.add_argument("--learning-rate", type=float, default=0.02, help="of Muon; Adam takes a fifth")
    args = parser.parse_args()

    started = time.time()
    tokenizer = train_tokenizer(args.vocabulary, args.seed)
    shape = decoder.Shape(tokenizer.get_vocab_size())
    # Positions that it has never seen confuse it, so each round ends with windows as long as the longest text.
    rounds = [[(args.steps, 8, 256), (250, 2, 1024)], [(args.more_steps, 4, 512), (80, 2, 1024)]]
    params = decoder.create(shape, args.seed)
    params = train(shape, tokenizer, params, rounds[0], args.seed, args.learning_rate)
    params = train(shape, tokenizer, params, rounds[1], args.seed + 10, args.learning_rate / 2)
    print(f"{sum(a.size for a in jax.tree.leaves(params)):,} weights, {time.time() - started:.0f} s")

    write_files(args.out, shape, params, tokenizer)
    eos = tokenizer.token_to_id(EOS)
    runner = Runner(args.out / "model.onnx", shape)
    write_json(args.out / "parity.json", check_parity(shape, params, tokenizer, runner, eos))
    for seed, prompt in enumerate(PROMPTS):
        begin = time.perf_counter()
        made = runner.generate(tokenizer.encode(prompt).ids, 160, eos, temperature=0.8, seed=seed)
        pace = (time.perf_counter() - begin) / max(1, len(made)) * 1000
        print(f"\n--- {len(made)} tokens, {pace:.2f} ms each\n{prompt}{tokenizer.decode(made)}")


if __name__ == "__main__":
    main()
