"""The library, its index and the posters' codes, loaded together and replaced together when the content changes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import ContentError, Problem
from bot.library.articles import Article, Library, load_library
from bot.library.sources import Sources, load_sources
from bot.message import Reply
from bot.search import Corpus, Found, Index, WordLists, open_index
from bot.yaml_document import read_document

INDEX_FILE = "search-index.npz"


MOST_REMEMBERED = 2000  # questions
_LONGEST_REMEMBERED = 120
_MOST_NAMED = 8  # files


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All the bot can say, how to find it, and the codes of the posters that lead to it.

    `finished` keeps articles as replies, by id, language and whether an officer reads them, as long as the content.
    """

    library: Library
    index: Index
    sources: Sources = field(default_factory=Sources)
    finished: dict[tuple[str, str, bool], Reply] = field(default_factory=dict, init=False, repr=False, compare=False)
    _remembered: dict[str, Found] = field(default_factory=dict, init=False, repr=False, compare=False)

    def find(self, question: str) -> Found:
        """Search a question; what many ask is remembered, but nothing with a digit, which could be personal."""
        found = self._remembered.get(question)
        if found is None:
            found = self.index.find(question)
            if len(question) <= _LONGEST_REMEMBERED and not any(map(str.isdigit, question)):
                if len(self._remembered) >= MOST_REMEMBERED:
                    self._remembered.clear()
                if MOST_REMEMBERED:
                    self._remembered[question] = found
        return found


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
    return Knowledge(library, open_index(load_corpus(folder, library), cache), sources)


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
        texts={article.id: tuple(_spoken(article)) for article in library.articles.values()},
    )


def _spoken(article: Article) -> Iterator[str]:
    """Yield what an article says."""
    for text in (article.answer, article.more):
        if text:
            yield from (text.vi, text.en)
    if article.steps:
        yield from (*article.steps.vi, *article.steps.en)


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
