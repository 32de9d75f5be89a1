"""The library, its index and the posters' codes, loaded together and replaced together when the content changes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from bot.errors import ContentError, Problem
from bot.library.acts import Acts, Emergencies, load_acts, load_emergencies
from bot.library.articles import Library, load_library
from bot.library.regions import load_regions
from bot.library.sources import Sources, load_sources
from bot.message import Reply
from bot.reading import ActReader, ArticleLinks, ContextRanker, DangerReader, Reader
from bot.reading.acts import NO_ACT
from bot.reading.danger import NOT_DANGER
from bot.reading.training import ExampleSet, open_classifiers
from bot.search import Corpus, Explanation, Found, Index, Verdict, WordLists, open_index
from bot.search.tokenizer import Tokenizer
from bot.yaml_document import read_document

INDEX_FILE = "search-index.npz"
EMERGENCY = "emergency-symptoms"  # the article on emergencies
READING_FILE = "reading-index.npz"  # beside it


_MOST_NAMED = 8  # files
_FEWER_PLACES = 1 << 16  # for classifiers of many labels
_EVERY = 3  # every third phrasing shows the classifiers what a question is


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All the bot can say, how to find it, and the codes of the posters that lead to it.

    `finished` keeps articles as replies, by id, language and whether an officer reads them, as long as the content.
    """

    library: Library
    index: Index
    acts: Acts
    emergencies: Emergencies
    reader: Reader
    sources: Sources = field(default_factory=Sources)
    finished: dict[tuple[str, str, bool], Reply] = field(default_factory=dict, init=False, repr=False, compare=False)

    def find(self, question: str) -> Found:
        """Read a question by itself: an emergency first, else what the search finds."""
        words = self.reader.words(question)
        if words.danger.now:
            return Found(Verdict.ANSWER, (EMERGENCY,), round(words.danger.probability, 4), 1.0)
        return words.found

    def explain(self, question: str) -> Explanation:
        """Say what is seen in a question and what comes of it."""
        danger = self.reader.words(question).danger.now
        return replace(self.index.explain(question), found=self.find(question), danger=danger)


@dataclass(frozen=True, slots=True)
class ContentDiff:
    """The files in which the content in use differs from the one before, by their paths within the folder."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def summary(self) -> str:
        """Name the files in one line, `+` before a new one, `-` before one that is gone; the first few of many."""
        named = [f"+{name}" for name in self.added] + list(self.changed) + [f"-{name}" for name in self.removed]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        return " ".join(named[:_MOST_NAMED]) + more


class ContentStore:
    """Holds the knowledge in use; `refresh` puts a changed content in its place, a broken one never."""

    def __init__(self, folder: Path, cache: Path | None) -> None:
        """Load the content of a folder; raises ContentError."""
        self._folder, self._cache = folder, cache
        self._refreshing = asyncio.Lock()
        self._seen = self._in_use = _signature(folder)
        self._loadings = 0
        self.knowledge = load_knowledge(folder, cache)
        self.diff = ContentDiff()
        self.error: ContentError | None = None  # why the content in use is not the newest

    async def refresh(self) -> bool:
        """Load the content again if a file of it changed; raises ContentError and keeps the last good one."""
        async with self._refreshing:
            signature = await asyncio.to_thread(_signature, self._folder)
            if signature == self._seen:
                return False
            try:
                await self._load(signature)
                self.error = None
            except ContentError as error:
                self.error = error
                raise
            finally:
                self._loadings += 1
            return True

    async def _load(self, signature: Mapping[str, tuple[int, int]]) -> None:
        before, self._seen = self._seen, signature
        try:
            if self._cache is not None:
                # Building takes seconds of computing: a process of its own leaves the conversations alone.
                loop = asyncio.get_running_loop()
                with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                    await loop.run_in_executor(pool, prepare_index, self._folder, self._cache)
            self.knowledge = await asyncio.to_thread(load_knowledge, self._folder, self._cache)
        except (OSError, BrokenProcessPool) as error:  # a full disk, too little memory: not the content's fault
            self._seen = before
            raise ContentError([Problem(str(self._folder), 0, f"could not be loaded now: {error}.")]) from None
        self.diff, self._in_use = _edits(self._in_use, signature), signature

    async def watch(
        self, report: Callable[[ContentError | None], Awaitable[None]], *, pause: Callable[[], Awaitable[object]]
    ) -> None:
        """Refresh for ever; tells `report` of every new content (None) and every broken one (the error).

        What somebody else refreshed meanwhile is told too.
        """
        told = self._loadings
        while True:
            await pause()
            with suppress(ContentError):
                await self.refresh()
            if told != self._loadings:
                told = self._loadings
                await report(self.error)


def load_knowledge(folder: Path, cache: Path | None) -> Knowledge:
    """Load library, codes and index; the index is built when the cache does not hold it. Raises ContentError."""
    library, sources = load_library(folder), load_sources(folder)
    acts, emergencies = load_acts(folder, library.articles), load_emergencies(folder)
    corpus = load_corpus(folder, library)
    index = open_index(corpus, cache)
    places = [name for path in sorted((folder / "regions").glob("*.yaml")) for name in load_regions(path).names]
    reader = _reader(library, corpus, index, acts, emergencies, places, cache)
    return Knowledge(library, index, acts, emergencies, reader, sources)


def _reader(
    library: Library,
    corpus: Corpus,
    index: Index,
    acts: Acts,
    emergencies: Emergencies,
    places: Sequence[str],
    cache: Path | None,
) -> Reader:
    """Make the reader of messages from what the content teaches."""
    sets = _example_sets(library, corpus, acts, emergencies, places)
    classifiers = open_classifiers(sets, corpus.words, cache and cache.with_name(READING_FILE))
    links = {
        name: ArticleLinks(one.product, one.phone, one.twins, one.related, one.topic, one.anywhere)
        for name, one in library.articles.items()
    }
    return Reader(
        index=index,
        tokenize=Tokenizer(corpus.words).read,
        danger=DangerReader(classifiers["danger"]),
        acts=ActReader(classifiers["acts"], acts.says()),
        ranker=ContextRanker(index, links, classifiers["followups"]),
    )


def _example_sets(
    library: Library, corpus: Corpus, acts: Acts, emergencies: Emergencies, places: Sequence[str]
) -> dict[str, ExampleSet]:
    """Gather what the classifiers learn from; each sees what belongs to the others as examples of what is none.

    A place that is named alone answers "where do you live", whatever its name sounds like.
    """
    phrasings = chain(*corpus.phrasings.values())
    questions = [text for number, text in enumerate(phrasings) if number % _EVERY == 0]
    said = tuple(chain(*acts.says().values()))
    danger, foreign = emergencies.examples, corpus.foreign
    followups = {
        name: (*one.followups.vi, *one.followups.en)
        for name, one in library.articles.items()
        if one.followups is not None
    }
    bare = [place.removeprefix("thị ").removeprefix("thành ").partition(" ")[2] for place in places]
    homes = [*places, *bare, *(f"{name} cũ" for name in bare), *(f"tôi ở {name}" for name in bare)]
    half_sentences = tuple(chain(*followups.values()))
    not_danger = (*danger.not_now, *questions, *foreign, *acts.other, *said, *half_sentences, *homes)
    no_act = (*acts.other, *questions, *foreign[::_EVERY], *half_sentences, *homes)
    return {
        "acts": ExampleSet({**acts.says(), NO_ACT: no_act}, size=_FEWER_PLACES),
        "danger": ExampleSet({**danger.now, NOT_DANGER: not_danger}, emergencies.signs),
        "followups": ExampleSet({**followups, NO_ACT: (*said, *acts.other)}, size=_FEWER_PLACES),
    }


def load_corpus(folder: Path, library: Library) -> Corpus:
    """Gather what the search learns from: the articles' questions, foreign questions, word lists."""
    words_document = read_document(folder / "words.yaml")
    foreign_document = read_document(folder / "foreign.yaml")
    try:
        words = WordLists.from_mapping(words_document.value)
    except ValueError as error:
        raise ContentError([words_document.problem((), f"{error}.")]) from None
    foreign = (foreign_document.value or {}).get("questions")
    if not isinstance(foreign, list) or not all(isinstance(question, str) for question in foreign):
        raise ContentError([foreign_document.problem(("questions",), "questions must be a list of texts.")])
    return Corpus(
        phrasings={
            article.id: (article.title.vi, article.title.en, *article.questions.vi, *article.questions.en)
            for article in library.articles.values()
        },
        foreign=tuple(foreign),
        words=words,
    )


def prepare_index(folder: Path, cache: Path) -> None:
    """Build the index into the cache; runs in a process of its own."""
    load_knowledge(folder, cache)


def _signature(folder: Path) -> Mapping[str, tuple[int, int]]:
    seen = {}
    for path in sorted(folder.rglob("*.yaml")):
        with suppress(FileNotFoundError):  # an editor has just moved it
            status = path.stat()
            seen[path.relative_to(folder).as_posix()] = status.st_mtime_ns, status.st_size
    return seen


def _edits(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> ContentDiff:
    return ContentDiff(
        tuple(name for name in after if name not in before),
        tuple(name for name, seen in after.items() if before.get(name, seen) != seen),
        tuple(name for name in before if name not in after),
    )
