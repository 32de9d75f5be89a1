"""Vietnamese syllables, and the Telex or VNI keys a phone left un-composed ("caif ddawtj", "tu73").

A citizen whose keyboard is switched off types the keys of the marks instead of the marks. They are put
back only where that is safe: the word as typed is no Vietnamese syllable, written with or without its
marks, and the word with the keys taken as marks is one. English words that happen to decode ("max",
"car") are left alone unless the rest of the message is clearly typed that way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache, lru_cache
from itertools import product

TONES = "\u0301\u0300\u0309\u0303\u0323"  # sắc huyền hỏi ngã nặng, in the order of the VNI digits 1 to 5

_ONSETS_ANY = ["b", "ch", "d", "đ", "h", "kh", "l", "m", "n", "nh", "p", "ph", "r", "s", "t", "th", "tr", "v", "x"] + [
    ""
]
_ONSETS_BACK = ["c", "g", "ng"]
_ONSETS_FRONT = ["k", "gh", "ngh"]

# Rimes by what may stand before them: c, g, ng before back vowels, k, gh, ngh before front vowels.
_BACK = [
    "a",
    "ac",
    "ach",
    "ai",
    "am",
    "an",
    "ang",
    "anh",
    "ao",
    "ap",
    "at",
    "au",
    "ay",
    "ăc",
    "ăm",
    "ăn",
    "ăng",
    "ăp",
    "ăt",
    "âc",
    "âm",
    "ân",
    "âng",
    "âp",
    "ât",
    "âu",
    "ây",
    "o",
    "oc",
    "oi",
    "om",
    "on",
    "ong",
    "op",
    "ot",
    "oa",
    "oac",
    "oach",
    "oai",
    "oam",
    "oan",
    "oang",
    "oanh",
    "oao",
    "oap",
    "oat",
    "oay",
    "oăc",
    "oăm",
    "oăn",
    "oăng",
    "oăt",
    "oe",
    "oen",
    "oeo",
    "oet",
    "ô",
    "ôc",
    "ôi",
    "ôm",
    "ôn",
    "ông",
    "ôp",
    "ôt",
    "ơ",
    "ơi",
    "ơm",
    "ơn",
    "ơp",
    "ơt",
    "u",
    "ua",
    "uc",
    "ui",
    "um",
    "un",
    "ung",
    "up",
    "ut",
    "uân",
    "uâng",
    "uât",
    "uây",
    "uê",
    "uêch",
    "uênh",
    "uơ",
    "uy",
    "uya",
    "uych",
    "uynh",
    "uyn",
    "uyt",
    "uyu",
    "uyêt",
    "uyên",
    "uyp",
    "uôc",
    "uôi",
    "uôm",
    "uôn",
    "uông",
    "uôt",
    "ư",
    "ưa",
    "ưc",
    "ưi",
    "ưm",
    "ưn",
    "ưng",
    "ưt",
    "ưu",
    "ươc",
    "ươi",
    "ươm",
    "ươn",
    "ương",
    "ươp",
    "ươt",
    "ươu",
]
_FRONT = [
    "e",
    "ec",
    "em",
    "en",
    "eng",
    "eo",
    "ep",
    "et",
    "ê",
    "êch",
    "êm",
    "ên",
    "ênh",
    "êp",
    "êt",
    "êu",
    "i",
    "ia",
    "ich",
    "im",
    "in",
    "inh",
    "ip",
    "it",
    "iu",
    "iêc",
    "iêm",
    "iên",
    "iêng",
    "iêp",
    "iêt",
    "iêu",
]
_RARE = {  # rimes that live in a handful of words; admitting them everywhere would hide Telex "khoong"
    "x": ["oong"], "b": ["oong"], "g": ["oong"], "m": ["ooc"], "s": ["ooc"], "r": ["ooc"],
    "h": ["y"], "k": ["y"], "l": ["y"], "m ": ["y"], "s ": ["y"], "t": ["y"], "v": ["y"],
    "": ["y", "yêm", "yên", "yêng", "yêt", "yêu", "oong"],
    "gi": ["a", "ac", "ai", "am", "an", "ang", "anh", "ao", "ap", "at", "au", "ay", "ăc", "ăm", "ăn", "ăng", "ăp", "ăt", "âc", "âm", "ân", "âng", "âp", "ât", "âu", "ây", "e", "em", "eo", "ep", "et", "ê", "êc", "êng", "êt", "o", "oc", "oi", "on", "ong", "op", "ot", "ô", "ôc", "ôi", "ông", "ôn", "ô", "ơ", "ơi", "ơn", "u", "ua", "uc", "ui", "um", "un", "uôc", "uông", "ư", "ưa", "ưt", "ương", "ươ"],
    "g ": ["i", "in", "iêc", "iêng", "iêt", "ip"],
    "qu": ["a", "ac", "ach", "ai", "am", "an", "ang", "anh", "ao", "ap", "at", "au", "ay", "ăc", "ăm", "ăn", "ăng", "ăp", "ăt", "âc", "ân", "âng", "ât", "ây", "âu", "e", "en", "eo", "et", "ê", "ên", "êt", "êch", "ênh", "êu", "ic", "it", "in", "inh", "y", "ych", "yên", "yêt", "ynh", "yt", "yu", "o", "oc", "ôc", "ơ", "ơi", "ơn", "anh"],
}  # fmt: skip

_CIRCUMFLEX = {"a": "â", "e": "ê", "o": "ô"}
_HORN = {"u": "ư", "o": "ơ"}
_VOWELS = frozenset("aăâeêioôơuưy")
_TELEX_TONES = {"s": 1, "f": 2, "r": 3, "x": 4, "j": 5}
_WORD = re.compile(r"[^\W_]+")
_VNI = re.compile(r"[^\W\d_]+[0-9][^\W_]*")

# Loan words of this field and of phones: they decode to a syllable nobody means here.
LOAN_WORDS = frozenset(
    [
        "app",
        "apps",
        "reset",
        "test",
        "post",
        "list",
        "user",
        "vero",
        "cell",
        "sim",
        "sms",
        "web",
        "web",
        "wifi",
        "pass",
        "scan",
        "login",
        "logout",
        "log",
        "link",
        "file",
        "fax",
        "mail",
        "email",
        "gmail",
        "chat",
        "bot",
        "admin",
        "ads",
        "asus",
        "oppo",
        "vivo",
        "nokia",
        "xiaomi",
        "redmi",
        "realme",
        "samsung",
        "iphone",
        "ipad",
        "ios",
        "android",
        "google",
        "zalo",
        "tele",
        "telegram",
        "chrome",
        "safari",
        "store",
        "play",
        "appstore",
        "sos",
        "or",
        "of",
        "off",
        "as",
        "us",
        "is",
        "os",
        "es",
        "ox",
        "ex",
        "error",
        "errors",
        "server",
        "browser",
        "data",
        "database",
        "version",
        "update",
        "free",
        "online",
        "offline",
        "hotline",
        "feedback",
        "support",
        "restart",
        "mess",
        "messenger",
        "mobi",
        "sony",
        "lens",
        "note",
        "pro",
        "plus",
        "mini",
        "lite",
        "covid",
        "vaccine",
        "vacxin",
        "vaccin",
        "vaxin",
        "pfizer",
        "moderna",
        "astra",
        "zeneca",
        "hello",
        "hi",
        "bye",
        "ok",
        "okay",
        "oke",
        "thanks",
        "thank",
        "sorry",
        "help",
        "please",
        "yes",
        "no",
        "not",
        "and",
        "the",
        "to",
        "in",
        "on",
        "at",
        "by",
        "be",
        "do",
        "go",
        "so",
        "we",
        "he",
        "she",
        "it",
        "me",
        "my",
        "you",
        "your",
        "an",
        "are",
        "was",
        "were",
        "will",
        "can",
        "cannot",
        "password",
        "passcode",
        "account",
        "phone",
        "number",
        "code",
        "otp",
        "card",
        "book",
        "health",
        "dose",
        "does",
        "passport",
        "certificate",
        "download",
        "install",
        "register",
        "register",
        "ministry",
        "need",
        "want",
        "get",
        "got",
        "find",
        "open",
        "see",
        "been",
        "how",
        "what",
        "where",
        "when",
        "why",
        "who",
        "which",
        "have",
        "has",
        "had",
        "with",
        "from",
        "taxi",
        "visa",
        "momo",
        "mama",
        "papa",
        "nana",
        "tivi",
        "camera",
        "media",
        "video",
        "radio",
        "karaoke",
        "toto",
        "lotto",
        "coca",
        "cola",
        "fifa",
        "gas",
        "nono",
        "ask",
        "answer",
        "english",
        "vietnamese",
        "foreigner",
        "person",
        "human",
        "officer",
        "address",
        "clinic",
        "doctor",
        "hospital",
        "fever",
    ]
)
# English words that decode to a syllable a citizen may well mean: the rest of the message decides.
UNCERTAIN = frozenset(
    [
        "car",
        "cars",
        "her",
        "here",
        "there",
        "these",
        "those",
        "this",
        "his",
        "max",
        "mix",
        "tax",
        "box",
        "bar",
        "far",
        "per",
        "mas",
        "max",
        "how",
        "now",
        "too",
        "soon",
        "seen",
        "see",
        "bee",
        "moon",
        "noon",
        "room",
        "root",
        "boot",
        "tooth",
        "law",
        "saw",
        "low",
        "row",
        "tow",
        "bow",
        "cow",
        "new",
        "case",
        "mess",
        "miss",
        "kiss",
        "boss",
        "loss",
        "bus",
        "cost",
        "most",
        "lost",
        "last",
        "past",
        "best",
        "rest",
        "most",
        "must",
        "host",
        "dust",
        "just",
        "bears",
        "hair",
        "pair",
        "fair",
        "hear",
        "near",
        "tear",
        "year",
        "war",
        "tar",
        "star",
        "tours",
        "hours",
        "hers",
        "ours",
        "cos",
        "lots",
        "dots",
        "hats",
        "cats",
        "has",
        "hot",
        "nuts",
        "cuts",
        "gets",
        "sets",
        "lets",
        "nets",
    ]
)


def _rimes_of(onset: str) -> list[str]:
    rimes: list[str] = []
    if onset in _ONSETS_ANY or onset in _ONSETS_BACK:
        rimes += _BACK
    if onset in _ONSETS_ANY or onset in _ONSETS_FRONT:
        rimes += _FRONT
    for key, extra in _RARE.items():
        if key.strip() == onset:
            rimes += extra
    return rimes


def compose(letters: str, tone: int, *, modern: bool = False) -> str:
    """Write a toneless syllable with its tone (0 to 5); `modern` puts it as in "hoà", else as in "hòa"."""
    if not tone:
        return letters
    start = 2 if letters.startswith("qu") or (letters.startswith("gi") and letters[2:3] in _VOWELS) else 0
    places = [i for i in range(start, len(letters)) if letters[i] in _VOWELS]
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


def _bare(word: str) -> str:
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
    return frozenset(written), frozenset(toneless), frozenset(_bare(letters) for letters in toneless)


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


def _parts(word: str) -> tuple[list[str], int]:
    """The letters of a word without tone marks, and its last tone."""
    letters: list[str] = []
    tone = 0
    for character in unicodedata.normalize("NFD", word):
        if character in TONES:
            tone = TONES.index(character) + 1
        elif unicodedata.combining(character) and letters:
            letters[-1] = unicodedata.normalize("NFC", letters[-1] + character)
        else:
            letters.append(character)
    return letters, tone


def _horned(letters: tuple[str, ...], *, breve: bool, horn: bool) -> list[tuple[str, ...]]:
    """Every way one "w" (or 7, 8) can change these letters, the likeliest first."""
    found: list[tuple[str, ...]] = []
    text = "".join(letters)
    first = 2 if text.startswith("qu") else 0
    for i in range(len(letters) - 1, first - 1, -1):
        letter = letters[i]
        if horn and letter == "o" and i > first and letters[i - 1] in "uư":
            found.append((*letters[: i - 1], "ư", "ơ", *letters[i + 1 :]))
        if (horn and letter in _HORN) or (breve and letter == "a"):
            found.append((*letters[:i], "ă" if letter == "a" else _HORN[letter], *letters[i + 1 :]))
    if horn and breve and not any(c in _VOWELS for c in letters):
        found.append((*letters, "ư"))
    return found


def _telex(word: str) -> str:
    letters, tone = _parts(word)
    states: list[tuple[tuple[str, ...], int]] = [((), tone)]
    used = False
    for key in letters:
        following: list[tuple[tuple[str, ...], int]] = []
        for typed, so_far in states:
            has_vowel = any(c in _VOWELS for c in typed)
            if key in _TELEX_TONES and has_vowel:
                if so_far != _TELEX_TONES[key]:  # the same key twice undoes the mark ("pass")
                    following.append((typed, _TELEX_TONES[key]))
                used = True
                continue
            if key == "z" and so_far:
                following.append((typed, 0))
                used = True
            if key in _CIRCUMFLEX and key in typed:
                place = len(typed) - 1 - typed[::-1].index(key)
                following.append(((*typed[:place], _CIRCUMFLEX[key], *typed[place + 1 :]), so_far))
                used = True
            if key == "d" and typed[:1] == ("d",):
                following.append((("đ", *typed[1:]), so_far))
                used = True
                continue
            if key == "w":
                changed = _horned(typed, breve=True, horn=True)
                following.extend((option, so_far) for option in changed)
                used = used or bool(changed)
                continue
            following.append(((*typed, key), so_far))
        states = following[:12]
    return _first_syllable(states) if used else ""


def _vni(word: str) -> str:
    letters, tone = _parts(word)
    states: list[tuple[tuple[str, ...], int]] = [((), tone)]
    for key in letters:
        following: list[tuple[tuple[str, ...], int]] = []
        for typed, so_far in states:
            if not key.isdigit():
                following.append(((*typed, key), so_far))
            elif key in "12345":
                following.append((typed, int(key)))
            elif key == "9" and "d" in typed[:1]:
                following.append((("đ", *typed[1:]), so_far))
            elif key == "6":
                for i in range(len(typed) - 1, -1, -1):
                    if typed[i] in _CIRCUMFLEX:
                        following.append(((*typed[:i], _CIRCUMFLEX[typed[i]], *typed[i + 1 :]), so_far))
            elif key in "78":
                following.extend((option, so_far) for option in _horned(typed, breve=key == "8", horn=key == "7"))
        states = following[:12]
    return _first_syllable(states)


def _first_syllable(states: list[tuple[tuple[str, ...], int]]) -> str:
    written, toneless, _ = _inventory()
    for typed, tone in states:
        letters = "".join(typed)
        for spelling in (letters, letters.replace("ưo", "ươ").replace("uơ", "ươ")):
            if spelling in toneless:
                composed = compose(spelling, tone)
                if composed in written:
                    return composed
    return ""


@lru_cache(maxsize=16384)
def decode_word(word: str) -> str:
    """Decode one lower-case word; an empty string when there is nothing (safe) to decode."""
    # A leading "w" is chat for "qu" ("wa", "wen") far oftener than a Telex ư.
    if len(word) < 2 or len(word) > 14 or word[0] == "w" or word in LOAN_WORDS or word in _inventory()[0]:
        return ""
    if _VNI.fullmatch(word):
        return _vni(word)
    if not word.isalpha() or _bare(word) in _inventory()[2]:
        return ""
    decoded = _telex(word)
    return decoded if decoded != word else ""


@lru_cache(maxsize=16384)
def certainty(word: str) -> int:
    """How sure a decodable word shows its typist's keyboard: 2 surely, 1 only in such company, 0 not decodable."""
    if not decode_word(word):
        return 0
    digits = [c for c in word if c.isdigit()]
    if digits:  # "mui1", "muc2", "a5" are counted things as often as tones
        return 2 if any(c in "6789" for c in digits) and len(word) > 2 else 1
    return 1 if word in UNCERTAIN or (len(word) < 3 and "w" not in word) else 2


def decode_tokens(tokens: list[str], never: Collection[str] = ()) -> list[str]:
    """Decode a message's lower-case words, letting the sure ones speak for the doubtful ones."""
    levels = [0 if token in never else certainty(token) for token in tokens]
    sure = levels.count(2)
    doubtful = levels.count(1)
    if not sure and not doubtful:
        return tokens
    counted = sum(1 for token, level in zip(tokens, levels, strict=True) if level == 1 and not token.isalpha())
    both = (sure >= 1 and 2 * sure >= doubtful) or counted >= 3
    return [
        decode_word(token) if level == 2 or (level == 1 and both) else token
        for token, level in zip(tokens, levels, strict=True)
    ]


def decode_keystrokes(text: str) -> str:
    """Put back the marks whose Telex or VNI keys were left in the text; everything else stays as typed."""
    matches = list(_WORD.finditer(unicodedata.normalize("NFC", text)))
    if not matches:
        return text
    tokens = [match.group().lower() for match in matches]
    decoded = decode_tokens(tokens)
    if decoded == tokens:
        return text
    source, pieces, end = matches[0].string, [], 0
    for match, before, after in zip(matches, tokens, decoded, strict=True):
        pieces.append(source[end : match.start()])
        pieces.append(match.group() if before == after else _like(match.group(), after))
        end = match.end()
    return "".join([*pieces, source[end:]])


def _like(typed: str, decoded: str) -> str:
    if len(decoded) > 1 and typed.isupper():
        return decoded.upper()
    return decoded[:1].upper() + decoded[1:] if typed[:1].isupper() else decoded
