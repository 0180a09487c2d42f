"""`[one|another]` in a line of text: one of them is taken. They nest, and may be empty."""

import random
import re

CHOICE = re.compile(r"\[([^\[\]]*)\]")


def choose(rng: random.Random, line: str) -> str:
    while match := CHOICE.search(line):
        line = line[: match.start()] + rng.choice(match[1].split("|")) + line[match.end() :]
    return re.sub(r"\s+", " ", line).strip()
