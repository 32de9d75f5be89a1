"""The Telex or VNI keys a phone left un-composed: "caif ddawtj" for "cài đặt", "tu73" for "từ".

A citizen whose keyboard is switched off types the keys of the marks instead of the marks. They are put
back only where that is safe: the word as typed is no Vietnamese syllable, written with or without its
marks, and the word with the keys taken as marks is one. English words that happen to decode ("max",
"car") are left alone unless the rest of the message is clearly typed that way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from bot.text.syllables import TONES, VOWELS, first_syllable, is_bare_syllable, is_syllable, without_marks

_CIRCUMFLEX = {"a": "â", "e": "ê", "o": "ô"}
_HORN = {"u": "ư", "o": "ơ"}
_TELEX_TONES = {"s": 1, "f": 2, "r": 3, "x": 4, "j": 5}
_WORD = re.compile(r"[^\W_]+")
_VNI = re.compile(r"[^\W\d_]+[0-9][^\W_]*")
_LONGEST = 14  # letters and keys of one syllable: "nghieengs" has nine, a slow typist adds some
_MOST_READINGS = 12


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Loan words of this field and of phones: they decode to a syllable nobody means here.
LOAN_WORDS = _listed(
    "account address admin ads an and android answer app apps appstore are as ask astra asus at be been "
    "book bot browser by bye camera can cannot card cell certificate chat chrome clinic coca code cola "
    "covid data database do doctor does dose download email english error errors es ex fax feedback fever "
    "fifa file find foreigner free from gas get gmail go google got had has have he health hello help hi "
    "hospital hotline how human in install ios ipad iphone is it karaoke lens link list lite log login "
    "logout lotto mail mama me media mess messenger mini ministry mobi moderna momo my nana need no nokia "
    "nono not note number of off officer offline ok okay oke on online open oppo or os otp ox papa pass "
    "passcode passport password person pfizer phone play please plus post pro radio realme redmi register "
    "reset restart safari samsung scan see server she sim sms so sony sorry sos store support taxi tele "
    "telegram test thank thanks the tivi to toto update us user vaccin vaccine vacxin vaxin vero version "
    "video vietnamese visa vivo want was we web were what when where which who why wifi will with xiaomi "
    "yes you your zalo zeneca"
)
# English words that decode to a syllable a citizen may well mean: the rest of the message decides.
UNCERTAIN = _listed(
    "bar bears bee best boot boss bow box bus car cars case cats cos cost cow cuts did dots dust fair far "
    "gets hair has hats hear her here hers his host hot hours how just kiss last law lets loss lost lots "
    "low mas max mess miss mix moon more most must near nets new noon now nuts ours pair past per rest room "
    "root row saw see seen sets soon star tar tax tear there these this those too tooth tours tow war "
    "year"
)


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
    if horn and breve and not any(c in VOWELS for c in letters):
        found.append((*letters, "ư"))
    return found


def _telex(word: str) -> str:
    letters, tone = _parts(word)
    states: list[tuple[tuple[str, ...], int]] = [((), tone)]
    used = False
    for key in letters:
        following: list[tuple[tuple[str, ...], int]] = []
        for typed, so_far in states:
            has_vowel = any(c in VOWELS for c in typed)
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
        states = following[:_MOST_READINGS]
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
        states = following[:_MOST_READINGS]
    return _first_syllable(states)


def _first_syllable(states: list[tuple[tuple[str, ...], int]]) -> str:
    spellings = (("".join(typed), tone) for typed, tone in states)
    return first_syllable(
        (spelling, tone)
        for letters, tone in spellings
        for spelling in (letters, letters.replace("ưo", "ươ").replace("uơ", "ươ"))
    )


@lru_cache(maxsize=16384)
def decode_word(word: str) -> str:
    """Decode one lower-case word; an empty string when there is nothing (safe) to decode."""
    # A leading "w" is chat for "qu" ("wa", "wen") far oftener than a Telex ư.
    if len(word) < 2 or len(word) > _LONGEST or word[0] == "w" or word in LOAN_WORDS or is_syllable(word):
        return ""
    if _VNI.fullmatch(word):
        return _vni(word)
    if not word.isalpha() or is_bare_syllable(without_marks(word)):
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


def decode_keystrokes(text: str, never: Collection[str] = ()) -> str:
    """Put back the marks whose Telex or VNI keys were left in the text.

    Everything else stays as typed, and so do the words of `never`.
    """
    matches = list(_WORD.finditer(unicodedata.normalize("NFC", text)))
    if not matches:
        return text
    tokens = [match.group().lower() for match in matches]
    decoded = decode_tokens(tokens, never)
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
