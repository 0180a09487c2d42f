"""Writes little stories: people and animals, an opening, one to three adventures, an ending.

A line of plots.txt is a piece of text with choices `[one|another]` (they nest; an empty one is left out) and slots:
`{h}` the hero, `{f}` a friend, `{g}` an elder (`{hcall} {fcall}` when spoken to), each with `{he} {him} {his} {fhe} {fhim} {fhis} {ghe} {ghim} {ghis}`;
`{word}` any of a list in words.py, `{word:1}` the same one all through the story. `a(n)` becomes a or an.
`?` before a line: it may be left out.
"""

import argparse
import random
import re
from pathlib import Path

from choices import choose
from words import BOYS, FOLK, GIRLS, LISTS, PETS

SLOT = re.compile(r"\{([a-z]+)(:[a-z0-9]+)?\}", re.IGNORECASE)
PRONOUNS = {"she": ("she", "her", "her", "herself"), "he": ("he", "him", "his", "himself")}


def sections() -> dict[str, list[list[str]]]:
    """plots.txt: `== kind` starts a piece of that kind, its lines follow."""
    found: dict[str, list[list[str]]] = {}
    for line in Path(__file__).with_name("plots.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            found.setdefault(line[3:].split()[0], []).append([])
            piece = found[line[3:].split()[0]][-1]
        elif line and not line.startswith("#"):
            piece.append(line)
    return found


SECTIONS = sections()


def invented(rng: random.Random) -> str:
    """A name that nobody has, so that names are learnt as something to copy."""
    syllables = ["ba", "do", "fi", "ka", "lo", "mi", "na", "pe", "ro", "su", "ta", "vi", "zu", "el", "ar", "in", "ol"]
    return "".join(rng.choice(syllables) for _ in range(rng.choice([2, 2, 3]))).capitalize()


class Character:
    def __init__(self, rng: random.Random, animal: bool | None = None):
        self.rng = rng
        self.pronoun = rng.choice(["she", "he"])
        self.animal = rng.random() < 0.5 if animal is None else animal
        if self.animal:
            self.kind = rng.choice(LISTS["animal"] if rng.random() < 0.8 else list(FOLK))
            self.pronoun = FOLK.get(self.kind, self.pronoun)
            self.title = f"the {rng.choice(LISTS['small'])} {self.kind}"
            self.name = rng.choice(PETS) if rng.random() < 0.6 else None
        else:
            self.kind = "girl" if self.pronoun == "she" else "boy"
            self.title = None
            self.name = rng.choice(GIRLS if self.pronoun == "she" else BOYS)
        if self.name and rng.random() < 0.06:
            self.name = invented(rng)
        self.known_as_both = False

    def __str__(self) -> str:
        if self.known_as_both and self.rng.random() < 0.3:
            return self.title
        return self.name or self.title

    def introduced(self) -> str:
        self.known_as_both = bool(self.name and self.title)
        if not self.animal:
            return f"a(n) {self.rng.choice(LISTS['small'] + LISTS['mood'])} {self.kind} named {self.name}"
        plain = f"a(n) {self.title[4:]}"
        return f"{plain} named {self.name}" if self.name else plain


class Elder(Character):
    def __init__(self, rng: random.Random):
        kind = rng.choice(LISTS["elder"] + ["owl", "bear", "turtle", "woman", "man"])
        self.rng, self.name, self.animal, self.known_as_both = rng, None, False, False
        female = kind in ("grandmother", "mother", "aunt", "big sister", "woman")
        self.pronoun = "she" if female or (kind in ("owl", "bear", "turtle") and rng.random() < 0.5) else "he"
        self.title = f"the old {kind}" if kind in ("owl", "bear", "turtle", "woman", "man") else f"{{his}} {kind}"


class Story:
    def __init__(self, rng: random.Random):
        self.rng = rng
        self.hero = Character(rng)
        self.kept: dict[str, str] = {}
        self.meet()

    def meet(self) -> None:
        """A new friend and a new elder, as a new adventure may want them."""
        self.friend = Character(self.rng, animal=self.hero.animal if self.rng.random() < 0.7 else None)
        while self.friend.name == self.hero.name or (self.friend.kind == self.hero.kind and self.hero.animal):
            self.friend = Character(self.rng)
        self.elder = Elder(self.rng)
        self.kept = {key: word for key, word in self.kept.items() if key.endswith(":home")}

    def slot(self, match: re.Match) -> str:
        name, tag = match[1], match[2]
        lower = name.lower()
        word = self.word(lower)
        if word is None:
            key = lower + (tag or "")
            word = self.kept.get(key) if tag else None
            if word is None:
                used = {w for k, w in self.kept.items() if k.startswith(lower + ":")}
                word = self.rng.choice([w for w in LISTS[lower] if w not in used] or LISTS[lower])
                if tag:
                    self.kept[key] = word
        return word[:1].upper() + word[1:] if name[0].isupper() else word

    def word(self, name: str) -> str | None:
        if name in ("h", "f", "g"):
            who = {"h": self.hero, "f": self.friend, "g": self.elder}[name]
            return SLOT.sub(self.slot, str(who))
        if name in ("hero", "friend"):
            return (self.hero if name == "hero" else self.friend).introduced()
        if name in ("hcall", "fcall"):
            who = self.hero if name == "hcall" else self.friend
            return who.name or who.title[4:]
        if name == "kind":
            return self.hero.kind
        for prefix, who in (("f", self.friend), ("g", self.elder), ("", self.hero)):
            forms = ("he", "him", "his", "himself")
            if name.startswith(prefix) and name[len(prefix) :] in forms:
                return PRONOUNS[who.pronoun][forms.index(name[len(prefix) :])]
        return None

    def say(self, line: str) -> str:
        line = choose(self.rng, line)
        line = SLOT.sub(self.slot, line)
        line = re.sub(r"\s+", " ", line).strip().replace(" ,", ",").replace(" .", ".")
        line = re.sub(r"\b([Aa])\(n\) (?=([a-z]))", lambda m: m[1] + ("n " if m[2] in "aeiou" else " "), line, flags=re.I)
        return re.sub(r'((?:^|[.!?]\s+|\."\s+)"?)([a-z])', lambda m: m[1] + m[2].upper(), line)

    def piece(self, kind: str) -> list[str]:
        lines = self.rng.choice(SECTIONS[kind])
        said = [self.say(line.lstrip("? ")) for line in lines if not (line[0] == "?" and self.rng.random() < 0.4)]
        if kind == "plot" and len(said) > 3 and self.rng.random() < 0.35:
            said.insert(self.rng.randrange(2, len(said) - 1), self.say(self.rng.choice(SECTIONS["aside"][0])))
        return said


def write(rng: random.Random) -> list[list[str]]:
    """A story as paragraphs of lines."""
    story = Story(rng)
    opening = "animal-opening" if story.hero.animal else "child-opening"
    paragraphs = [story.piece(rng.choice(["opening", opening, opening])) if rng.random() < 0.85 else []]
    for adventure in range(rng.choices([1, 2, 3], [0.62, 0.28, 0.1])[0]):
        if adventure > 0:
            story.meet()
            paragraphs.append(story.piece("next"))
        lines = story.piece("plot")
        cut = rng.randint(3, max(3, len(lines) - 3))
        paragraphs[-1] = paragraphs[-1] + lines[:cut]
        if lines[cut:]:
            paragraphs.append(lines[cut:])
    paragraphs.append(story.piece("ending"))
    return [lines for lines in paragraphs if lines]


def text(paragraphs: list[list[str]]) -> str:
    return "\n\n".join(" ".join(lines) for lines in paragraphs)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print some of the stories that the storyteller learns from.")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    for _ in range(args.count):
        print(text(write(rng)), end="\n\n---\n\n")


if __name__ == "__main__":
    main()
