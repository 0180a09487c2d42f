"""Makes models/iris/1: logistic regression on scikit-learn's own iris data, as an ONNX graph."""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from manifest import MODELS, write_json, write_manifest

TOLERANCE = 1e-5  # scikit-learn computes in float64, the graph in float32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODELS / "iris" / "1", help="folder to write")
    parser.add_argument("--seed", type=int, default=7, help="of the split into training and held-out rows")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    data = load_iris()
    rows = data.data.astype(np.float32)
    labels = data.target_names[data.target].astype(str)
    train_x, test_x, train_y, test_y = train_test_split(
        rows, labels, test_size=0.3, random_state=args.seed, stratify=labels
    )
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=1000)).fit(train_x, train_y)
    print(f"held-out accuracy: {classifier.score(test_x, test_y):.4f} ({len(test_y)} rows of {len(labels)})")

    model = convert_sklearn(
        classifier,
        name="iris",
        initial_types=[("features", FloatTensorType([None, 4]))],
        options={id(classifier): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    (args.out / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))

    session = onnxruntime.InferenceSession(args.out / "model.onnx", providers=["CPUExecutionProvider"])
    got_labels, got = session.run(["label", "probabilities"], {"features": rows})
    expected = classifier.predict_proba(rows)
    difference = float(np.abs(got - expected).max())
    agreement = float((got_labels == classifier.predict(rows)).mean())
    print(f"parity over {len(rows)} rows: max abs difference {difference:.2e}, label agreement {agreement:.4f}")
    if difference > TOLERANCE or agreement < 1:
        raise SystemExit(f"the graph does not compute what scikit-learn computes (tolerance {TOLERANCE:.0e})")

    cases = [0, 24, 57, 77, 99, 106, 133, 149]
    write_json(
        args.out / "parity.json",
        {
            "tolerance": TOLERANCE,
            "cases": [
                {
                    "input": {"features": [round(float(x), 2) for x in rows[i]]},
                    "output": {
                        "label": str(classifier.predict(rows[i : i + 1])[0]),
                        "probabilities": [float(p) for p in expected[i]],
                    },
                }
                for i in cases
            ],
        },
    )
    write_manifest(
        args.out,
        ["model.onnx"],
        name="iris",
        version="1",
        description="Tells three kinds of iris apart by the length and width of sepal and petal, in centimetres.",
        owner="Oriel",
        engine="tensor",
        inputs=[{"name": "features", "datatype": "FP32", "shape": [4]}],
        outputs=[
            {"name": "label", "datatype": "BYTES", "shape": []},
            {"name": "probabilities", "datatype": "FP32", "shape": [3]},
        ],
        limits={"timeoutMs": 30_000, "hangMs": 30_000, "maxBatch": 64, "concurrency": 64},
    )


if __name__ == "__main__":
    main()
