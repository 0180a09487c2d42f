"""Makes models/sentiment/1: a small text classifier trained on the texts of opinions.py, in the layout of Hugging Face."""

import argparse
import random
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
import optax
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tqdm import tqdm

import encoder
import opinions
import stories
from manifest import MODELS, write_json, write_manifest
from sentiment_sentences import DEVELOPMENT, FRESH, HELD_OUT

LABELS = ["negative", "positive"]
TOLERANCE = 1e-3  # of a logit
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WINDOW = 64


def train_tokenizer(vocabulary: int, seed: int) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=SPECIAL, show_progress=False)
    rng = random.Random(seed)
    texts = [opinions.write(rng)[0] for _ in range(60_000)] + [stories.text(stories.write(rng)) for _ in range(1_000)]
    tokenizer.train_from_iterator(texts, trainer)
    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    tokenizer.enable_truncation(encoder.Shape.positions)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str], window: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    rows = [encoding.ids[:window] for encoding in tokenizer.encode_batch(texts)]
    length = window or max(len(row) for row in rows)
    ids = np.array([row + [0] * (length - len(row)) for row in rows], np.int64)
    return ids, (np.arange(length)[None] < np.array([[len(row)] for row in rows])).astype(np.int64)


def train(shape: encoder.Shape, tokenizer: Tokenizer, steps: int, rows: int, seed: int) -> dict:
    params = encoder.create(shape, seed)
    schedule = optax.warmup_cosine_decay_schedule(0, 3e-3, 100, steps, 3e-5)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=0.05))
    state = optimizer.init(params)

    def loss_of(params, ids, mask, side, key):
        logits = encoder.forward(shape, params, ids, mask, 0.15, key)
        target = 0.03 + 0.94 * side  # Nobody is ever quite sure.
        wanted = jnp.stack([1 - target, target], -1)
        return optax.softmax_cross_entropy(logits, wanted).mean()

    @jax.jit
    def step(params, state, ids, mask, side, key):
        loss, gradient = jax.value_and_grad(loss_of)(params, ids, mask, side, key)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, loss

    rng, noise, key = random.Random(seed + 1), np.random.default_rng(seed), jax.random.key(seed)
    bar, average = tqdm(range(steps), unit="step", mininterval=10), 0.7
    for index in bar:
        texts, sides = zip(*(opinions.write(rng) for _ in range(rows)))
        ids, mask = encode(tokenizer, list(texts), WINDOW)
        # Unknown words must not upset it.
        ids = np.where((noise.random(ids.shape) < 0.05) & (ids > 3), 1, ids)
        side = jnp.asarray(sides, jnp.float32)
        params, state, loss = step(params, state, ids, mask, side, jax.random.fold_in(key, index))
        average = 0.99 * average + 0.01 * float(loss)
        bar.set_postfix(loss=f"{average:.3f}", refresh=False)
    return jax.tree.map(np.asarray, params)


def write_files(folder: Path, shape: encoder.Shape, params: dict, tokenizer: Tokenizer) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(encoder.to_onnx(shape, params))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(
        folder / "config.json",
        {
            "architectures": ["OrielForSequenceClassification"],
            "model_type": "oriel-encoder",
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.width,
            "intermediate_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "max_position_embeddings": shape.positions,
            "pad_token_id": 0,
            "problem_type": "single_label_classification",
            "id2label": {str(i): label for i, label in enumerate(LABELS)},
            "label2id": {label: i for i, label in enumerate(LABELS)},
            "torch_dtype": "float32",
        },
    )
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "do_lower_case": True,
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "clean_up_tokenization_spaces": False,
        },
    )
    write_manifest(
        folder,
        ["config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"],
        name="sentiment",
        version="1",
        description="Says whether a short English text speaks well or badly of something.",
        owner="Oriel",
        engine="text-classification",
        limits={"timeoutMs": 30_000, "hangMs": 30_000, "maxBatch": 32, "concurrency": 64},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODELS / "sentiment" / "1", help="folder to write")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--rows", type=int, default=128, help="texts in a step")
    parser.add_argument("--vocabulary", type=int, default=6000, help="size of the WordPiece vocabulary")
    parser.add_argument("--show-held-out", action="store_true", help="also print which of the others it gets wrong")
    args = parser.parse_args()

    started = time.time()
    tokenizer = train_tokenizer(args.vocabulary, args.seed)
    shape = encoder.Shape(tokenizer.get_vocab_size(), len(LABELS))
    params = train(shape, tokenizer, args.steps, args.rows, args.seed)
    print(f"{sum(a.size for a in jax.tree.leaves(params)):,} weights, {time.time() - started:.0f} s")
    write_files(args.out, shape, params, tokenizer)

    forward = jax.jit(lambda params, ids, mask: encoder.forward(shape, params, ids, mask))
    session = onnxruntime.InferenceSession(args.out / "model.onnx", providers=["CPUExecutionProvider"])

    def both(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Each text alone in the trainer, all in one padded batch in the graph: padding must not matter."""
        ids, mask = encode(tokenizer, texts)
        graph = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]
        alone = [forward(params, row[None, : m.sum()], m[None, : m.sum()])[0] for row, m in zip(ids, mask)]
        return np.array(alone), graph

    rng = random.Random(args.seed + 99)
    generated = [(text, side) for text, side in (opinions.write(rng) for _ in range(1000)) if side != 0.5][:500]
    sets = {"generated": generated, "development": DEVELOPMENT, "held-out": HELD_OUT, "fresh": FRESH}
    worst = 0.0
    for name, cases in sets.items():
        trained, graph = both([text for text, _ in cases])
        worst = max(worst, float(np.abs(trained - graph).max()))
        if (trained.argmax(-1) != graph.argmax(-1)).any():
            raise SystemExit("the graph gives another label than the trainer")
        wrong = [text for (text, side), got in zip(cases, graph.argmax(-1)) if got != side]
        print(f"{name}: accuracy {1 - len(wrong) / len(cases):.4f} ({len(cases) - len(wrong)} of {len(cases)})")
        if name == "development" or (name in ("held-out", "fresh") and args.show_held_out):
            print("".join(f"  wrong: {text}\n" for text in wrong), end="")
    print(f"parity: max abs difference of a logit {worst:.2e}, all labels agree")
    if worst > TOLERANCE:
        raise SystemExit(f"the graph does not compute what the trainer computes (tolerance {TOLERANCE:.0e})")

    texts = [text for text, _ in DEVELOPMENT[:8]] + ["Café crème: très naïve! 🎉 zwölf", "ok"]
    trained, _ = both(texts)
    scores = np.asarray(jax.nn.softmax(trained, -1))
    write_json(
        args.out / "parity.json",
        {
            "tolerance": TOLERANCE,
            "cases": [
                {
                    "text": text,
                    "ids": tokenizer.encode(text).ids,
                    "logits": [round(float(x), 6) for x in row],
                    "label": LABELS[int(row.argmax())],
                    "scores": {label: round(float(s), 6) for label, s in zip(LABELS, score)},
                }
                for text, row, score in zip(texts, trained, scores)
            ],
        },
    )


if __name__ == "__main__":
    main()
