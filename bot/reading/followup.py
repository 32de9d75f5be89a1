"""A question in its context: what was talked about before, which book, which telephone.

`bot.reading.reader` calls it. It keeps and reads ids and shares only, never texts. A question that can be answered
alone is answered alone; a short one that cannot leans on the question before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.reading.classifier import TextClassifier
from bot.reading.facets import APP, VNEID, Facets
from bot.search import Found, Index, Ranking, Verdict

GLOSSARY = "words"  # the topic of the library whose articles explain words
KEPT_IDS = 8  # of a ranking, for the next question
SUBJECT_PERCENT = 35  # from this share on, the likeliest article of a question is the subject of the talk
SHORT_WORDS = 8  # longer messages say by themselves what they ask
_SHARE, _ELLIPTIC_SHARE = 0.35, 0.6  # of the previous question's scores
_MOVED = 0.5  # of the share of an article of the other book goes to its twin
_NEIGHBOUR = 0.12  # of the topic's own share, for each article beside it
_TOPIC = 0.5  # what the article shown last counts within the previous question's scores
_ANSWER_FROM, _LEAD = 0.30, 1.6  # a follow-up is answered from this share on, and this many times the second
FOLLOWUP_WORDS = 14
_NEAR = 8  # so many times likelier than others is an article beside the subject, before the words are looked at
FOLLOWUP_FROM = 0.4  # the share from which a half sentence is believed
FOLLOWUP_LEAD = 0.1  # by how much the search may be surer of something else and still not be believed
_SUBJECTS = 3  # the likeliest articles of a question that was not answered
_OTHER = {"": "-", APP: VNEID, VNEID: APP}
_SURE_ALONE = 0.8  # an elliptic question so surely answered by itself does not ask about the topic ("is it free?")
_FOREIGN = 0.75  # a short message that is so surely about something else leans on nothing


@dataclass(frozen=True, slots=True)
class ArticleLinks:
    """What the ranking in context knows of an article."""

    product: str
    phone: str = ""
    twins: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()  # related ones
    topic: str = ""  # of the library


@dataclass(slots=True)
class Topic:
    """What the talk is about, as ids and marks.

    `ranking` holds the best articles of the last question with their shares in per cent, `parts` how many parts of
    `article` were shown, `offered` the articles behind the last buttons.
    """

    article: str = ""
    parts: int = 0
    ranking: list[tuple[str, int]] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    book: str = ""
    phone: str = ""
    whom: str = ""

    @property
    def subject(self) -> str:
        """The article that the talk is about: the one shown last, else the likeliest of the last question."""
        if self.article:
            return self.article
        return self.ranking[0][0] if self.ranking and self.ranking[0][1] >= SUBJECT_PERCENT else ""

    def __bool__(self) -> bool:
        return bool(self.article or self.ranking or self.book or self.phone)


@dataclass(frozen=True, slots=True)
class InContext:
    """A question as understood in the talk: the verdict, the scores, and what was assumed.

    `leaned` tells that the previous question decided; `book` is the book that was assumed without being named.
    """

    found: Found
    ranking: Ranking
    leaned: bool = False
    book: str = ""


class ContextRanker:
    """Ranks a question with what the talk is about."""

    def __init__(
        self, index: Index, links: Mapping[str, ArticleLinks], followups: TextClassifier | None = None
    ) -> None:
        """Rank articles of an index; `followups` knows half sentences by the article that they lead to."""
        self._index, self._links, self._followups = index, links, followups
        self._places = {name: place for place, name in enumerate(index.names)}
        self._twin = {book: self._twins_to(book) for book in (APP, VNEID)}

    def read(
        self,
        alone: Found,
        ranking: Ranking,
        facets: Facets,
        topic: Topic,
        *,
        tokens: Sequence[str] = (),
        elliptic: bool = False,
    ) -> InContext:
        """Return what a question means; `alone` and `ranking` are what the search makes of the words by themselves.

        `elliptic` says that the words ask about the topic and name none ("how long?").
        """
        named = facets.book if facets.book in (APP, VNEID) else ""
        if named:
            ranking = self._guarded(ranking, named, named=True)
            alone = self._judged(ranking, alone)
        unsure = ranking.evidence.words <= SHORT_WORDS and alone.verdict is not Verdict.ANSWER
        if facets and topic and (facets.only or unsure) and (swapped := self._swap(facets, topic)):
            return InContext(self._settled(swapped, alone), ranking, leaned=True)
        if (meant := self._followed(tokens, alone, topic, named)) is not None:
            return InContext(self._settled(meant, alone), ranking, leaned=True)
        assumed = ""
        guarded = self._guarded(ranking, topic.book) if topic.book and not named else ranking
        if guarded is not ranking:
            judged, twin = self._judged(guarded, alone), self._best_twin(alone, guarded, topic.book)
            if twin:
                judged = self._settled(twin, judged)
            if alone.verdict is not Verdict.ANSWER or judged.verdict is Verdict.ANSWER:
                assumed = topic.book if judged.ids[:1] != alone.ids[:1] else ""
                ranking, alone = guarded, judged
        sure = alone.verdict is Verdict.ANSWER and (not elliptic or alone.score >= _SURE_ALONE)
        if not topic.ranking or sure:
            return InContext(alone, ranking, book=assumed)
        if ranking.evidence.words > SHORT_WORDS or (ranking.foreign > _FOREIGN and not elliptic):
            return InContext(alone, ranking, book=assumed)
        if elliptic and (links := self._links.get(topic.article)) and links.topic == GLOSSARY and links.beside:
            topic = replace(topic, article=links.beside[0])  # what is done about it, not what the word means
        mixed = ranking.mixed(self._earlier(ranking, topic), _ELLIPTIC_SHARE if elliptic else _SHARE)
        best = mixed.best(2)
        ids = tuple(name for name, _ in mixed.best())
        sure = best[0][1] >= _ANSWER_FROM and (len(best) < 2 or best[0][1] >= _LEAD * best[1][1])
        if elliptic or (sure and self._near(best[0][0], topic)):
            return InContext(Found(Verdict.ANSWER, ids, round(best[0][1], 4), 0.0), mixed, leaned=True, book=assumed)
        likely = alone.verdict is not Verdict.UNKNOWN or self._near(best[0][0], topic)
        verdict = Verdict.SUGGEST if likely else alone.verdict
        return InContext(replace(alone, verdict=verdict, ids=ids), mixed, leaned=True, book=assumed)

    def _guarded(self, ranking: Ranking, book: str, *, named: bool = False) -> Ranking:
        """Return the ranking without articles of the other book; what these scored goes to their twins.

        Where the book was not named, an article without a twin stays: it is a matter of the other book alone.
        """
        other = VNEID if book == APP else APP
        scores = ranking.scores.copy()
        moved = False
        for name, place in self._places.items():
            if self._links[name].product == other and scores[place] > 0:
                twins = self._twin[book].get(name, ())
                if not twins and not named:
                    continue
                for twin in twins:
                    scores[twin] += _MOVED * scores[place] / len(twins)
                scores[place] = 0
                moved = True
        if not moved:
            return ranking
        left = float(scores.sum())
        if left > 0:  # what belonged to the other book is shared out again
            scores *= np.float32((1 - ranking.foreign) / left)
        evidence = ranking.evidence
        if evidence.exact and scores[self._places[evidence.exact]] == 0:
            evidence = replace(evidence, exact="")
        return replace(ranking, scores=scores, evidence=evidence)

    def keep(self, ranking: Ranking) -> list[tuple[str, int]]:
        """Return what is remembered of a ranking: the best ids with their shares in per cent."""
        return [(name, share) for name, part in ranking.best(KEPT_IDS) if (share := round(100 * part)) > 0]

    def _twins_to(self, book: str) -> dict[str, tuple[int, ...]]:
        other = VNEID if book == APP else APP
        return {
            name: tuple(
                self._places[twin]
                for twin in links.twins
                if twin in self._places and self._links[twin].product in (book, "both")
            )
            for name, links in self._links.items()
            if links.product == other
        }

    def _best_twin(self, alone: Found, guarded: Ranking, book: str) -> str:
        """Return the same matter in a book as what was found in the other one; empty where nothing was found there."""
        twins = self._twin[book].get(alone.ids[0], ()) if alone.verdict is Verdict.ANSWER else ()
        return self._index.names[max(twins, key=lambda place: guarded.scores[place])] if twins else ""

    def _judged(self, ranking: Ranking, before: Found) -> Found:
        found = self._index.judge(ranking)
        return replace(found, also=before.also if before.also in found.ids else "")

    def _earlier(self, ranking: Ranking, topic: Topic) -> Ranking:
        """Return the previous question's scores, with the article shown last and those beside it."""
        scores = np.zeros_like(ranking.scores)
        for name, share in topic.ranking:
            if name in self._places:
                scores[self._places[name]] = share / 100
        if topic.article in self._places:
            links = self._links[topic.article]
            scores *= np.float32(1 - _TOPIC)
            scores[self._places[topic.article]] += np.float32(_TOPIC)
            for name in links.beside:
                if name in self._places:
                    scores[self._places[name]] += np.float32(_NEIGHBOUR * _TOPIC)
        total = float(scores.sum())
        if total > 0:
            scores /= np.float32(total)
        return replace(ranking, scores=scores, foreign=0.0)

    def _followed(self, tokens: Sequence[str], alone: Found, topic: Topic, named: str) -> str | None:
        """Return the article near the subject that a half sentence leads to, if that is likely enough."""
        subjects = [topic.subject] if topic.subject else [name for name, _ in topic.ranking[:_SUBJECTS]]
        if self._followups is None or not subjects or not tokens or len(tokens) > FOLLOWUP_WORDS:
            return None
        shares = self._followups.probabilities(tokens)
        near = {
            name
            for name in shares
            if any(self._is_near(name, subject) for subject in subjects) and self._links[name].product != _OTHER[named]
        }
        if not near:
            return None
        best = max(sorted(near), key=lambda name: shares[name])
        beside = sum(shares[name] for name in near)
        share = _NEAR * shares[best] / (1 + (_NEAR - 1) * beside)
        contradicted = alone.verdict is Verdict.ANSWER and alone.ids[0] != best
        if contradicted and self._links[alone.ids[0]].product == _OTHER[topic.book]:
            contradicted = False  # a matter of the other book
        needed = max(FOLLOWUP_FROM, alone.score - FOLLOWUP_LEAD) if contradicted else FOLLOWUP_FROM
        return best if share >= needed else None

    def _is_near(self, name: str, subject: str) -> bool:
        one, other = self._links.get(name), self._links.get(subject)
        if one is None or other is None:
            return False
        beside = {*other.beside, *other.twins}
        return name == subject or name in beside or subject in one.beside or one.topic == other.topic

    def _near(self, name: str, topic: Topic) -> bool:
        links = self._links.get(topic.article)
        beside = {topic.article, *(links.twins + links.beside if links else ()), *(one for one, _ in topic.ranking)}
        return name in beside

    def _swap(self, facets: Facets, topic: Topic) -> str:
        """Return the article that a named book or telephone makes of the topic; empty where there is none."""
        candidates = [topic.article]
        if facets.only or not topic.article:
            candidates += [*topic.offered, *(name for name, _ in topic.ranking)]
        for name in dict.fromkeys(filter(None, candidates)):
            for fitting in (name, *(self._links[name].twins if name in self._links else ())):
                if fitting in self._links and self._fits(fitting, facets):
                    return fitting
        return ""

    def _fits(self, name: str, facets: Facets) -> bool:
        links = self._links[name]
        if facets.phone:
            return links.phone == facets.phone and (not facets.book or links.product == facets.book)
        return facets.book in (APP, VNEID) and links.product == facets.book

    @staticmethod
    def _settled(name: str, alone: Found) -> Found:
        others: Sequence[str] = [one for one in alone.ids if one != name]
        return Found(Verdict.ANSWER, (name, *others)[:5], 0.9, 1.0)
