"""Made-up foreign questions: our own asked about another thing, and fingers on a keyboard.

An index is trained on them beside the real ones of the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from bot.search.tokenizer import Tokenizer

_BORROWED, _MASHED = 600, 40
_BORROWED_FROM = ("apps", "papers", "devices")  # of `elsewhere` in words.yaml
_OWN_THINGS = ("app", "certificate", "passport", "bhyt", "idcard")  # of `synonyms`: what is replaced by them
_SHORTEST, _LONGEST = 2, 10  # words of a question that another thing is put into


def foreign_questions(questions: Sequence[Sequence[str]], reader: Tokenizer, draw: Random) -> list[list[str]]:
    """Return foreign questions made from the articles' own ones, all in normal form."""
    lists = reader.lists
    others = [
        [reader.read(" ".join(entry)) for entry in lists.elsewhere[group]]
        for group in _BORROWED_FROM
        if group in lists.elsewhere
    ]
    entries = [entry for group in _OWN_THINGS for entry in lists.synonyms.get(group, ())]
    own = [reader.read(" ".join(entry)) for entry in sorted(entries, key=lambda entry: (-len(entry), entry))]
    made = [mash(draw) for _ in range(_MASHED)]
    short = [tokens for tokens in questions if _SHORTEST <= len(tokens) <= _LONGEST]
    if others:
        for question in draw.sample(short, min(_BORROWED, len(short))):
            tokens = borrowed(question, own, draw.choice(draw.choice(others)), draw)
            if tokens:
                made.append(tokens)
    return made


def mash(draw: Random) -> list[str]:
    """Fingers on a keyboard."""
    rows = ("asdfghjkl", "qwertyuiop", "zxcvbnm", "asdfjkl", "hjk", "1234567890")
    row = draw.choice(rows)
    return [
        "".join(draw.choice(row) for _ in range(2 + int(draw.random() * 8))) for _ in range(1 + int(draw.random() * 3))
    ]


def borrowed(tokens: Sequence[str], own: Sequence[Sequence[str]], name: Sequence[str], draw: Random) -> list[str]:
    """The question asked about another service: one of our own names replaced, or the other name put behind."""
    for ours in own:
        for at in range(len(tokens) - len(ours) + 1):
            if list(tokens[at : at + len(ours)]) == list(ours):
                return [*tokens[:at], *name, *tokens[at + len(ours) :]]
    return [*tokens, *name] if draw.random() < 0.5 else []
