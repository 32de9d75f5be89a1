"""Vietnamese syllables from their parts: onset, rime and tone, as they are written.

The inventory is made from the rules of spelling, not from a word list: it holds syllables that no word uses,
which is harmless here, and leaves out what cannot be written in Vietnamese, which is what it is asked for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import product

TONES = "\u0301\u0300\u0309\u0303\u0323"  # sắc huyền hỏi ngã nặng, in the order of the VNI digits 1 to 5
VOWELS = frozenset("aăâeêioôơuưy")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ONSETS_ANY = ("", *_listed("b ch d đ h kh l m n nh p ph r s t th tr v x"))
_ONSETS_BACK = _listed("c g ng")  # before back vowels; before front vowels the same sounds are k gh ngh
_ONSETS_FRONT = _listed("k gh ngh")
_BACK = _listed(
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây o oc oi om on "
    "ong op ot oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oen oeo oet ô ôc "
    "ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uc ui um un ung up ut uân uâng uât uây uê uêch uênh uơ uy "
    "uya uych uynh uyn uyt uyu uyêt uyên uyp uôc uôi uôm uôn uông uôt ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi "
    "ươm ươn ương ươp ươt ươu"
)
_FRONT = _listed(
    "e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu"
)
# Rimes of a handful of words; admitting "oong" everywhere would hide the Telex "khoong".
_RARE = (
    ("x", "oong"),
    ("b", "oong"),
    ("g", "oong"),
    ("m", "ooc y"),
    ("s", "ooc y"),
    ("r", "ooc"),
    ("h", "y"),
    ("k", "y"),
    ("l", "y"),
    ("t", "y"),
    ("v", "y"),
    ("", "y yêm yên yêng yêt yêu oong"),
    ("g", "i in iêc iêng iêt ip"),  # gì, giếng: the i is of the onset and of the rime
    (
        "gi",
        "a ac ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e em eo ep et ê êc "
        "êng êt o oc oi on ong op ot ô ôc ôi ông ôn ô ơ ơi ơn u ua uc ui um un uôc uông ư ưa ưt ương ươ",
    ),
    (
        "qu",
        "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc ân âng ât ây âu e en eo et ê ên êt "
        "êch ênh êu ic it in inh y ych yên yêt ynh yt yu o oc ôc ơ ơi ơn",
    ),
)


def _rimes_of(onset: str) -> list[str]:
    rimes: list[str] = []
    if onset in _ONSETS_ANY or onset in _ONSETS_BACK:
        rimes += _BACK
    if onset in _ONSETS_ANY or onset in _ONSETS_FRONT:
        rimes += _FRONT
    for rare, extra in _RARE:
        if rare == onset:
            rimes += _listed(extra)
    return rimes


def compose(letters: str, tone: int, *, modern: bool = False) -> str:
    """Write a toneless syllable with its tone (0 to 5); `modern` puts it as in "hoà", else as in "hòa"."""
    if not tone:
        return letters
    start = 2 if letters.startswith("qu") or (letters.startswith("gi") and letters[2:3] in VOWELS) else 0
    places = [i for i in range(start, len(letters)) if letters[i] in VOWELS]
    if not places:
        return letters
    marked = [i for i in places if letters[i] in "ăâêôơư"]
    if marked:
        place = marked[-1]
    elif len(places) == 1:
        place = places[0]
    elif len(places) == 2:
        closed = places[-1] < len(letters) - 1
        glide = modern and letters[places[0] : places[1] + 1] in ("oa", "oe", "uy")
        place = places[1] if closed or glide else places[0]
    else:
        place = places[1]
    return unicodedata.normalize("NFC", letters[: place + 1] + TONES[tone - 1] + letters[place + 1 :])


def without_marks(word: str) -> str:
    """Return a lower-case word without its marks, d for đ."""
    return "".join(c for c in unicodedata.normalize("NFD", word.replace("đ", "d")) if not unicodedata.combining(c))


@cache
def _inventory() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """All syllables as written, the same without tone, the same without any mark."""
    written: set[str] = set()
    toneless: set[str] = set()
    onsets = [*_ONSETS_ANY, *_ONSETS_BACK, *_ONSETS_FRONT, "gi", "qu"]
    for onset in onsets:
        for rime in _rimes_of(onset):
            letters = onset + rime
            stopped = rime.endswith(("c", "ch", "p", "t"))
            toneless.add(letters)
            for tone, modern in product((1, 5) if stopped else range(6), (False, True)):
                written.add(compose(letters, tone, modern=modern))
    return frozenset(written), frozenset(toneless), frozenset(without_marks(letters) for letters in toneless)


def first_syllable(spellings: Iterable[tuple[str, int]]) -> str:
    """The first of these toneless spellings with their tones that is a syllable, written out; else nothing."""
    written, toneless, _ = _inventory()
    for letters, tone in spellings:
        if letters in toneless:
            composed = compose(letters, tone)
            if composed in written:
                return composed
    return ""


def is_syllable(word: str) -> bool:
    """Tell whether a word is a Vietnamese syllable, correctly marked (either way of placing the tone)."""
    return unicodedata.normalize("NFC", word).lower() in _inventory()[0]


@cache
def _respellings() -> dict[str, str]:
    """Syllables with the tone mark placed the modern way ("hoà"), to the usual one ("hòa")."""
    changed: dict[str, str] = {}
    for letters in _inventory()[1]:
        for tone in range(1, 6):
            modern, usual = compose(letters, tone, modern=True), compose(letters, tone)
            if modern != usual:
                changed[modern] = usual
    return changed


def respelled(word: str) -> str:
    """Return a lower-case word with its tone mark where this project writes it: "khoẻ" becomes "khỏe"."""
    return _respellings().get(word, word)


def is_bare_syllable(word: str) -> bool:
    """Tell whether a lower-case word could be a Vietnamese syllable whose marks were left out."""
    return word in _inventory()[2]
