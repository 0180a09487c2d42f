"""Writes `manifest.json` beside a model's files: digests and sizes are taken from the files themselves.

As a program it takes the files of an existing manifest again, after one of them was changed by hand:

    python models/recipes/manifest.py models/iris/1
"""

import argparse
import hashlib
import json
import re
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent


def file_entry(folder: Path, path: str) -> dict:
    data = (folder / path).read_bytes()
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def write_json(path: Path, value) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # A list of numbers or names reads better on one line.
    text = re.sub(r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\n\s*", " ", m[0]).replace("[ ", "[").replace(" ]", "]"), text)
    path.write_text(text + "\n", encoding="utf-8")


def write_manifest(folder: Path, files: list[str], **fields) -> None:
    """`fields` are all of the manifest but the files, in protocol/manifest.ts's names."""
    write_json(folder / "manifest.json", {**fields, "files": [file_entry(folder, path) for path in files]})


def main() -> None:
    parser = argparse.ArgumentParser(description="Take sizes and digests of a manifest's files again.")
    parser.add_argument("folder", type=Path, nargs="+", help="a folder with a manifest.json, such as models/iris/1")
    for folder in parser.parse_args().folder:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["files"] = [file_entry(folder, entry["path"]) for entry in manifest["files"]]
        write_json(folder / "manifest.json", manifest)
        print(f"{folder}: {len(manifest['files'])} files, {sum(f['bytes'] for f in manifest['files']):,} bytes")


if __name__ == "__main__":
    main()
