"""Writes short English texts that say something good or bad: lexicon, negation, degree, contrast, several sentences."""

import argparse
import random
import re

import opinion_words as w
from choices import choose

GOOD, BAD = 1, 0
ADJECTIVES = {GOOD: w.GOOD_ADJECTIVES, BAD: w.BAD_ADJECTIVES}
FEELINGS = {GOOD: w.GOOD_FEELINGS, BAD: w.BAD_FEELINGS}
VERBS = {GOOD: w.GOOD_VERBS, BAD: w.BAD_VERBS}
NOUNS = {GOOD: w.GOOD_NOUNS, BAD: w.BAD_NOUNS}
EVENTS = {GOOD: w.GOOD_EVENTS, BAD: w.BAD_EVENTS}
LINES = {GOOD: w.GOOD_LINES, BAD: w.BAD_LINES}
DEEDS = {GOOD: w.GOOD_DEEDS, BAD: w.BAD_DEEDS}
DONE = {GOOD: w.GOOD_DONE, BAD: w.BAD_DONE}
MOST = {GOOD: w.GOOD_MOST, BAD: w.BAD_MOST}
WAYS = {GOOD: w.GOOD_WAYS, BAD: w.BAD_WAYS}
LIKENESS = {GOOD: w.GOOD_LIKENESS, BAD: w.BAD_LIKENESS}
MORE = {GOOD: w.GOOD_MORE, BAD: w.BAD_MORE}
PHRASES = {side: [p for p in ADJECTIVES[side] if " " in p] for side in (GOOD, BAD)}
ADJECTIVES = {side: [a for a in ADJECTIVES[side] if " " not in a] for side in (GOOD, BAD)}
MARKS = {GOOD: w.GOOD_MARKS, BAD: w.BAD_MARKS}
# How a clause is told, and how often. `{a}` an adjective of the clause's side, `{x}` one of the other side;
# `{d} {z}` what a thing may be beside that, `{l}` a whole line, `{deed} {done} {way} {like} {more} {most} {find}` as listed;
# `{f} {y}` feelings, `{v} {u}` verbs, `{n} {m}` nouns, `{e}` an event alike; `{t}` a thing, `{s}` a degree.
EITHER = [
    (10, "[the|this|my|our|their|your|that] {t} [is|was] {s} {a}"),
    (4, "[the|this|my|our] {t} [looks|looked|seems|seemed|feels|felt|tastes|tasted|sounds|sounded] {s} {a}"),
    (5, "[it|this|that|he|she|everything] [is|was|'s|has been] {s} {a}"),
    (2, "[they|you|the people|the staff|both] [are|were] {s} {a}"),
    (3, "[the|] {t} and [the|] {t} [are|were] {s} {a}"),
    (4, "the {t} [is|was] {a} and the {t} [is|was] {a}"),
    (3, "the {t} [is|was] {s} {a} and {a}"),
    (3, "{a}, {a} and {a}"),
    (4, "[what|such] a(n) {a} {t}"),
    (4, "what [a(n)|] {a} {t} [this is|it was|that was|we had|you have|they made]"),
    (2, "how {a}"),
    (6, "[the {t}|this {t}|it|this|that|my {t}|everything] [is|was|'s|has been] {d}"),
    (3, "[the {t}|this {t}|it|this|that|my {t}] [is not|isn't|was not|wasn't] {z}"),
    (2, "{d}"),
    (1, "[really|absolutely|simply|just|truly|honestly|] {d} [|from start to finish|for me|for us|all in all]"),
    (3, "{s} {a} {t}"),
    (2, "{a}"),
    (4, "a(n) {s} {a} {t}"),
    (3, "[it|this] [is|was] [a(n)|one] {a} {t}"),
    (3, "we had a(n) {a} {t} [|today|yesterday|in the {t}|with the {t}]"),
    (3, "one of the most {a} {t}s I have [ever|] [seen|had|tried|read|heard]"),
    (3, "I [found|thought|find|think|consider] [it|this|the {t}|that the {t} was] {s} {a}"),
    (8, "I {v} [it|this|the {t}|this {t}|my {t}|your {t}|their {t}|him|her|them|you]"),
    (4, "I [really|absolutely|truly|totally|just|honestly] {v} [it|this|the {t}|this {t}|every minute of it|everything about it]"),
    (3, "we [all|both|really|] {v} [it|this|the {t}|our {t}]"),
    (5, "I [am|was|'m|feel|felt] {s} {f} [|today|now|with the {t}|with it|about the {t}|about it|because of the {t}]"),
    (3, "it [makes|made] [me|us|everyone] [feel|] {s} {f}"),
    (2, "[she|he|my {t}|everyone] [is|was|felt|looked] {s} {f}"),
    (12, "{e}"),
    (12, "{l}"),
    (9, "[this is|this was|that was|it is|it was|it's|one of|today is|yesterday was|you are|he is|she is|they are|probably|simply|we had|] the {most} {t} [|ever|of my life|of the year|in town|in the world|I know|I have ever [seen|had|tried|met|read|bought]|of all]"),
    (2, "the {most} [part|thing|moment] [of|about] [the|this|my] {t} [is|was] the {t}"),
    (7, "[someone|somebody|they|he|she|you|the {t}|my {t}|their {t}|the staff|a {t}] {deed} [me|us|my {t}|the {t}|our {t}|everyone|it|all of us] [|yesterday|again|twice|all the time|at the {t}|during the {t}|when I was at the {t}]"),
    (4, "[the|my|our|his|her] {t} [is|was|were|had been] {done} [|by the {t}|in the {t}|when it arrived|again]"),
    (3, "[my|the|our] {t} and [my|the|our] {t} were {done}"),
    (5, "[the|my|our|this] {t} [works|worked|runs|ran|played|sang|acted|drove|spoke|answered|behaved|sleeps|reads|was made|was written|is managed|explained the {t}|told me about the {t}] {way}"),
    (4, "[the|this|my|it|our] {t} [tastes|tasted|smells|smelled|feels|felt|looks|looked|sounds|sounded] like {like}"),
    (3, "[it|the {t}|this {t}|everything|my {t}] [is|was|feels|has become|seems] {more} [than before|than the old one|than ever|now|than I expected|every day|]"),
    (2, "the {t} [is|was] so {a} that [I told all my friends|we talked about it for days|you could see it from far away|I noticed at once|even my {t} noticed|everyone looked|I wrote to the {t}]"),
    (2, "the {t} who [cooked|served us|sat next to us|answered|came|works there|called me] was {s} {a}"),
    (2, "the {t} [near|of|in|with|at|from] the {t} [is|was|are] {s} {a}"),
    (3, "full of {n}"),
    (2, "nothing but {n}"),
    (2, "[so much|lots of|a lot of|plenty of|pure] {n}"),
    (2, "the {t} [has|had|gave us|brought us|is full of] [so much|a lot of|nothing but|] {n}"),
    # The other side, denied.
    (6, "[the|this|my] {t} [is not|isn't|was not|wasn't] [|at all|very|that|so|really|even|exactly|particularly] {x}"),
    (4, "[it|this|that] [is not|isn't|was not|wasn't|'s not|is never|was never] [|very|that|so|really|even|particularly|too] {x} [|at all]"),
    (4, "not [|very|so|that|really|particularly|too|even] {x} [|at all]"),
    (2, "[the {t} is|it was|this is] [hardly|far from|anything but|by no means|not even close to being|never] {x}"),
    (2, "I [am not|was not|wasn't|'m not] [|at all|very|really|so] {y} [|with the {t}|with it|about it]"),
    (2, "[there is|there was|there are|I have|we had] [no|not a single|zero] {m}"),
    (2, "no {m} [|at all|here|with the {t}]"),
    (2, "without any {m}"),
    (1, "[not a|not one|never a] {x} [moment|day|word|minute|thing]"),
    (1, "there is nothing {x} about [it|the {t}|this]"),
    (1, "[it|the {t}] lacks {m}"),
]  # fmt: skip
ONLY = {
    GOOD: [
        (2, "[not|isn't|wasn't] [bad|half bad|bad at all|so bad|too bad|too shabby]"),
        (2, "I [can't|cannot|couldn't|could not] complain [|about the {t}|at all]"),
        (1, "[it|the {t}] was not as bad as [I thought|I feared|people say|expected]"),
        (1, "[I|you|we] can't go wrong with [it|this {t}|the {t}]"),
        (1, "[I was afraid|I feared|we were afraid] [it|the {t}] would be {x}, but [it was {d}|I {v} it|{e}]"),
        (1, "[never|not once] [did I feel|was I|have I been] {y}"),
        (1, "I [did not|didn't] expect [it|the {t}] to be this {a}"),
    ],
    BAD: [
        (4, "[there is|there was|there were|I found|we found|we saw] {find} [in|on|under|behind|all over] [the|my|our] {t}"),
        (6, "I [do not|don't|did not|didn't|would not|wouldn't|can't|cannot|couldn't|never] [really|even|] {p} [it|this|the {t}|this {t}|them|him|any of it]"),
        (3, "[it|this|the {t}] [is|was] not [|very|really|that|so] [good|great|nice|funny|helpful|clean|fresh|worth it|what I expected]"),
        (2, "too [much|many] {n}"),
        (1, "[it|the {t}] was not as {x} as [I thought|I hoped|people say|expected|the pictures]"),
        (2, "[why is|why was|how can] [it|this|the {t}] [be|] [so|always so|this] {a}"),
        (1, "[the {t}|it] could [be|have been] [more {x}|less {a}|much better|a lot better]"),
        (1, "I wish [it|the {t}] [was|were|had been] [more {x}|less {a}|better]"),
        (1, "I [expected|hoped for|was promised] a(n) {x} {t}"),
        (1, "[if only|not even] the {t} [was|were] {x}"),
        (1, "I [wanted|tried] to [like|love|enjoy] [it|this|the {t}]"),
    ],
}  # fmt: skip
CONTRAST = [
    (6, "{other} but {own}"),
    (3, "{other}, but {own}"),
    (2, "{other}. However, {own}"),
    (2, "[although|though|even though|while] {other}, {own}"),
    (1, "{own} [although|though|even though] {other}"),
    (1, "{other}, yet {own}"),
    (1, "despite the {x} {t}, {own}"),
    (2, "{own} [when|after|even when|even after|while] {other}"),
    (1, "[it was|it is|the {t} was] [okay|ok|alright|average|so-so|nothing special], but {own}"),
    (1, "[I thought|we thought|I was sure] [it|the {t}] would be {x}, but {own}"),
    (1, "[everyone said|they said|I expected|I thought] [it|the {t}] [was|would be] {x}, but {own}"),
    (1, "[it|the {t}] used to be {x}, but now it is {a}"),
    (1, "at first [it|the {t}] was {x}, but [then|later|in the end] {own}"),
]
FACTS = [
    "[I|we|she|he|they|my family] [ordered|bought|watched|visited|tried|read|saw|got|took|had] [the|a|this|that|their] {t} [|yesterday|last week|today|on Monday|with {w}|for my birthday|in {w}|two days ago]",
    "[I|we] [went|drove|walked|flew|travelled] to [the {t}|{w}] [|with my family|with friends|by car|by train|last summer|in the morning]",
    "[it|this|the {t}] [is|was] [about|from|in|near|next to|made in|called|for] [{w}|the {t}|a {t}|my {t}]",
    "[the {t}|it] [comes|came] with [a|the] {t} [|and a {t}]",
    "[I|we] [am|were|was|sat|stayed|waited] [in|at|near|by] the {t} [|for an hour|for two nights|until noon]",
    "[there is|there was|there were] [a|some|two|one] {t} [in|on|near|behind] the {t}",
    "[my|our] [friend|wife|husband|boss|neighbour|son|daughter] [asked|told|called|wrote] me [about|for] the {t}",
    "[I am|she is|he is] a [teacher|student|driver|nurse|cook] [from|in] {w}",
    "the {t} [opens|closes|starts|begins|ends] at [six|seven|eight|nine|ten]",
    "[this is|it was] [my|our] [first|second|third] {t}",
    "[hello|hi|good morning|good evening|hello there|dear {w}|hey {w}|see you at the {t}|bye]",
    "[I am|we are|she is|they are] [going|coming|driving|moving|looking] [home|to the {t}|for a {t}|to {w}|back]",
    "[what is|where is|when is|who has|do you have|is there] [the|a] {t}",
    "the {t} is [green|blue|brown|black|square|round|tall|new|made of wood|made in {w}|on the {t}]",
]  # fmt: skip
SLOT = re.compile(r"\{([a-z]+)\}")


def weighted(rng: random.Random, forms: list[tuple[int, str]]) -> str:
    return rng.choices([form for _, form in forms], [weight for weight, _ in forms])[0]


def invented(rng: random.Random) -> str:
    """A word that nobody knows: it says nothing good or bad."""
    return "".join(rng.choice("bcdfghklmnprstvw") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))


def fact(rng: random.Random) -> str:
    """A sentence that takes no side."""
    slots = {"t": lambda: rng.choice(w.THINGS), "w": lambda: invented(rng).capitalize()}
    return SLOT.sub(lambda m: slots[m[1]](), choose(rng, rng.choice(FACTS)))


def clause(rng: random.Random, side: int) -> str:
    pools = {
        "a": ADJECTIVES[side], "x": ADJECTIVES[1 - side], "f": FEELINGS[side], "y": FEELINGS[1 - side],
        "v": VERBS[side], "u": VERBS[1 - side], "n": NOUNS[side], "m": NOUNS[1 - side], "e": EVENTS[side],
        "d": PHRASES[side], "z": PHRASES[1 - side], "t": w.THINGS,
        "l": LINES[side], "deed": DEEDS[side], "done": DONE[side], "way": WAYS[side], "like": LIKENESS[side],
        "more": MORE[side], "most": MOST[side], "find": w.BAD_FINDS, "p": w.PLAIN_GOOD,
    }  # fmt: skip
    # Common words are common: the first third of a list is taken half of the time.
    def pick(pool: list[str]) -> str:
        return choose(rng, rng.choice(pool[: len(pool) // 3 + 1] if rng.random() < 0.5 else pool))

    def fill(match: re.Match) -> str:
        if match[1] == "t" and rng.random() < 0.06:
            return invented(rng)
        if match[1] == "s":
            return pick(w.STRONG) if rng.random() < 0.4 else ""
        return pick(pools[match[1]])

    line = choose(rng, weighted(rng, EITHER + ONLY[side] * 2))
    line = SLOT.sub(fill, SLOT.sub(fill, line))  # a line from a list may have slots of its own
    line = re.sub(r"\s+", " ", line).strip().replace(" 's ", "'s ").replace(" 'm ", "'m ")
    line = re.sub(r"\ba\(n\) (?=(.))", lambda m: "an " if m[1] in "aeiou" else "a ", line)
    return line.replace("a(n)", "a")


def sentence(rng: random.Random, side: int) -> str:
    if rng.random() < 0.2:
        form = choose(rng, weighted(rng, CONTRAST))
        parts = {"own": clause(rng, side), "other": clause(rng, 1 - side), "t": rng.choice(w.THINGS)}
        parts |= {"a": rng.choice(ADJECTIVES[side]), "x": rng.choice(ADJECTIVES[1 - side])}
        line = SLOT.sub(lambda m: parts[m[1]], form)
    else:
        line = clause(rng, side)
        if rng.random() < 0.12:
            line += rng.choice([" and ", ", ", " and ", " because "]) + clause(rng, side)
    if rng.random() < 0.15:
        line = f"{choose(rng, rng.choice(w.OPENERS))}, {line}"
    return line[:1].upper() + line[1:]


def write(rng: random.Random) -> tuple[str, float]:
    """A text and its side: 1 good, 0 bad, 0.5 neither."""
    if rng.random() < 0.08:
        return fact(rng).capitalize() + ".", 0.5
    side = rng.randrange(2)
    count = rng.choices([1, 2, 3, 4, 6], [0.68, 0.17, 0.08, 0.05, 0.02])[0]
    # In a longer text one sentence may say the opposite, but not the last.
    odd = rng.randrange(count - 1) if count >= 3 and rng.random() < 0.3 else None
    text = ""
    for i in range(count):
        if rng.random() < 0.06:
            line = fact(rng)
            text += line[:1].upper() + line[1:] + ". "
        text += sentence(rng, 1 - side if i == odd else side)
        text += rng.choice([".", ".", ".", "!", "!", "...", "?" if text.startswith(("Why", "How can")) else "."]) + " "
    text = text.strip()
    if rng.random() < 0.1:
        text = text.rstrip(".!") + rng.choice(["", "", "!!!", " " + rng.choice(MARKS[side])])
    if rng.random() < 0.1:
        text = text.replace("'", "")
    return text, side


def main() -> None:
    parser = argparse.ArgumentParser(description="Print some of the texts that the sentiment model learns from.")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    for _ in range(args.count):
        text, side = write(rng)
        print({GOOD: "+", BAD: "-"}.get(side, "="), text)


if __name__ == "__main__":
    main()
