"""The search beside three usual ways to find an answer, on the same questions, in one run.

    python bench/search.py --questions ../shared/eval/questions.jsonl

Prints, as Markdown: top1 and top3 by kind for ours, SQLite FTS5 (bm25, folded), rapidfuzz alone and TF-IDF alone; time
a question; build, load and size; our verdicts by kind; the same for questions held out of the articles themselves
(cross-validation); and the cost with 1,000 articles.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.library.articles import load_library  # noqa: E402
from bot.library.knowledge import load_corpus  # noqa: E402
from bot.search import Corpus, Found, Index, Verdict, fingerprint  # noqa: E402
from bot.text.normalize import fold, words  # noqa: E402

Find = Callable[[str], Sequence[str]]
SEED = 20261123


def best_first(scored: Sequence[tuple[float, str]]) -> list[str]:
    """Articles by their best phrasing."""
    best: dict[str, float] = {}
    for score, name in scored:
        best[name] = max(score, best.get(name, score))
    return sorted(best, key=lambda name: (-best[name], name))[:5]


def with_fts5(corpus: Corpus) -> Find:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE phrasings USING fts5(text, name UNINDEXED, tokenize='unicode61')")
    rows = [(fold(text), name) for name, texts in corpus.phrasings.items() for text in texts]
    database.executemany("INSERT INTO phrasings VALUES (?, ?)", rows)

    def find(question: str) -> list[str]:
        query = " OR ".join(f'"{word}"' for word in words(fold(question)))
        if not query:
            return []
        sql = "SELECT -bm25(phrasings), name FROM phrasings WHERE phrasings MATCH ? ORDER BY rank LIMIT 60"
        return best_first(database.execute(sql, (query,)).fetchall())

    return find


def with_rapidfuzz(corpus: Corpus) -> Find:
    from rapidfuzz import fuzz, process

    names = [name for name, texts in corpus.phrasings.items() for _ in texts]
    texts = [" ".join(words(fold(text))) for texts in corpus.phrasings.values() for text in texts]

    def find(question: str) -> list[str]:
        query = " ".join(words(fold(question)))
        found = process.extract(query, texts, scorer=fuzz.token_set_ratio, limit=60)
        return best_first([(score, names[at]) for _, score, at in found])

    return find


def with_tfidf(corpus: Corpus) -> Find:
    from sklearn.feature_extraction.text import TfidfVectorizer

    names = [name for name, texts in corpus.phrasings.items() for _ in texts]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), preprocessor=fold, sublinear_tf=True)
    matrix = vectorizer.fit_transform([text for texts in corpus.phrasings.values() for text in texts])

    def find(question: str) -> list[str]:
        scores = (matrix @ vectorizer.transform([question]).T).toarray().ravel()
        order = (-scores).argsort(kind="stable")[:60]
        return best_first([(float(scores[at]), names[at]) for at in order])

    return find


def timed(find: Callable[[str], object], questions: Sequence[str]) -> tuple[float, float]:
    """Milliseconds a question: the middle one and the 99th of a hundred."""
    spent = []
    for question in questions:
        start = time.perf_counter()
        find(question)
        spent.append((time.perf_counter() - start) * 1000)
    spent.sort()
    return statistics.median(spent), spent[min(len(spent) - 1, int(len(spent) * 0.99))]


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def verdict_rows(judged: Sequence[tuple[str, frozenset[str], Found]]) -> list[list[str]]:
    """Figures as eval/score.py counts them, by kind and in all."""
    groups: dict[str, list[tuple[frozenset[str], Found]]] = defaultdict(list)
    for kind, ids, found in judged:
        if ids:
            groups[kind].append((ids, found))
            groups["in scope"].append((ids, found))
    groups["in scope"] = groups.pop("in scope")
    rows = []
    for kind, members in groups.items():
        first = sum(bool(found.ids) and found.ids[0] in ids for ids, found in members)
        three = sum(bool(ids & set(found.ids[:3])) for ids, found in members)
        told = [(ids, found) for ids, found in members if found.verdict is Verdict.ANSWER]
        right = sum(found.ids[0] in ids for ids, found in told)
        offered = sum(found.verdict is Verdict.SUGGEST and bool(ids & set(found.ids[:3])) for ids, found in members)
        unknown = sum(found.verdict is Verdict.UNKNOWN for _, found in members)
        count = len(members)
        cells = [
            percent(figure, count) for figure in (first, three, right, len(told) - right, right + offered, unknown)
        ]
        rows.append([kind, str(count), *cells, percent(right, len(told))])
    return rows


def print_verdicts(judged: Sequence[tuple[str, frozenset[str], Found]]) -> None:
    head = ["kind", "n", "top1", "top3", "answered right", "answered wrong", "helped", "refused", "precision"]
    table(head, verdict_rows(judged))
    outside = [found for _, ids, found in judged if not ids]
    told = [(ids, found) for _, ids, found in judged if found.verdict is Verdict.ANSWER]
    right = sum(found.ids[0] in ids for ids, found in told)
    counts = {verdict: sum(found.verdict is verdict for found in outside) for verdict in Verdict}
    print(
        f"Out of scope ({len(outside)}): answered {percent(counts[Verdict.ANSWER], len(outside))} %, "
        f"suggested {percent(counts[Verdict.SUGGEST], len(outside))} %, "
        f"refused {percent(counts[Verdict.UNKNOWN], len(outside))} %. "
        f"Precision of all answers: {percent(right, len(told))} % ({right} of {len(told)}).\n"
    )


def cross_validate(corpus: Corpus, count: int) -> list[tuple[str, frozenset[str], Found]]:
    """Every question of the articles, and every foreign one, found by an index that has not seen it."""
    judged = []
    for part in range(count):
        held: list[tuple[str, frozenset[str], str]] = []
        phrasings = {}
        for name, texts in sorted(corpus.phrasings.items()):
            order = list(texts)
            Random(f"{SEED} {name}").shuffle(order)
            phrasings[name] = [text for at, text in enumerate(order) if at % count != part]
            held += [("held out", frozenset((name,)), text) for text in order[part::count]]
        order = list(corpus.foreign)
        Random(SEED).shuffle(order)
        held += [("foreign", frozenset(), text) for text in order[part::count]]
        foreign = [text for at, text in enumerate(order) if at % count != part]
        index = Index.build(Corpus(phrasings=phrasings, foreign=foreign, words=corpus.words))
        judged += [(kind, ids, index.find(text)) for kind, ids, text in held]
    return judged


def enlarged(corpus: Corpus, articles: int, each: int) -> Corpus:
    """As many articles, with so many questions each: ours, then ours again in made-up words."""
    letters = "bcdghklmnpqrstvx"
    phrasings = {name: list(texts)[:each] for name, texts in sorted(corpus.phrasings.items())}
    names = sorted(phrasings)
    copy = 0
    while len(phrasings) < articles:
        copy += 1
        turned = str.maketrans(letters, letters[copy % 15 + 1 :] + letters[: copy % 15 + 1])
        for name in names[: articles - len(phrasings)]:
            phrasings[f"{name}-{copy}"] = [f"{text.lower().translate(turned)} {copy}" for text in phrasings[name]]
    return Corpus(phrasings=phrasings, foreign=corpus.foreign, words=corpus.words)


def opened(corpus: Corpus, folder: Path) -> tuple[Index, float, float, int]:
    """An index as a server has it: built, saved, loaded; with the seconds for both and its size on disk."""
    start = time.perf_counter()
    built = Index.build(corpus)
    build = time.perf_counter() - start
    path = folder / "index.npz"
    built.save(path)
    start = time.perf_counter()
    loaded = Index.load(path, fingerprint(corpus))
    assert loaded is not None
    return loaded, build, time.perf_counter() - start, path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the search beside FTS5, rapidfuzz and TF-IDF.")
    parser.add_argument("--questions", type=Path, required=True, help="JSON Lines with q, ids and kind")
    parser.add_argument("--content", type=Path, default=ROOT / "content", help="folder with articles/ and words.yaml")
    parser.add_argument("--folds", type=int, default=5, help="parts of the cross-validation; 0 leaves it out")
    parser.add_argument("--articles", type=int, default=1000, help="size of the enlarged collection; 0 leaves it out")
    options = parser.parse_args()
    asked = [json.loads(line) for line in options.questions.read_text(encoding="utf-8").splitlines() if line.strip()]
    texts = [row["q"] for row in asked]
    corpus = load_corpus(options.content, load_library(options.content))
    print(f"{len(corpus.phrasings)} articles, {sum(map(len, corpus.phrasings.values()))} questions of theirs, "
          f"{len(corpus.foreign)} foreign ones; {len(asked)} questions to find.\n")  # fmt: skip

    with tempfile.TemporaryDirectory() as folder:
        index, build, load, size = opened(corpus, Path(folder))
    ours_first = timed(index.find, texts)
    ours = timed(index.find, texts)
    found = [index.find(text) for text in texts]

    ways: dict[str, Find] = {"ours": lambda question: index.find(question).ids}
    times = {"ours": (build, *ours)}
    for name, make in (
        ("FTS5 bm25, folded", with_fts5),
        ("rapidfuzz token_set", with_rapidfuzz),
        ("TF-IDF char 2–4", with_tfidf),
    ):
        start = time.perf_counter()
        ways[name] = make(corpus)
        times[name] = (time.perf_counter() - start, *timed(ways[name], texts))

    kinds = list(dict.fromkeys(row["kind"] for row in asked if row["ids"]))
    rows = []
    answers = {name: [list(find(text)) for text in texts] for name, find in ways.items()}
    for kind in [*kinds, "in scope"]:
        members = [at for at, row in enumerate(asked) if row["ids"] and kind in (row["kind"], "in scope")]
        cells = [kind, str(len(members))]
        for name in ways:
            first = sum(answers[name][at][:1] != [] and answers[name][at][0] in asked[at]["ids"] for at in members)
            three = sum(bool(set(answers[name][at][:3]) & set(asked[at]["ids"])) for at in members)
            cells.append(f"{percent(first, len(members))} / {percent(three, len(members))}")
        rows.append(cells)
    rows.append(["ms a question, p50 / p99", "", *(f"{times[name][1]:.3f} / {times[name][2]:.3f}" for name in ways)])
    rows.append(["build, s", "", *(f"{times[name][0]:.2f}" for name in ways)])
    print("Top1 / top3, per cent:\n")
    table(["kind", "n", *ways], rows)
    print(
        f"Ours, each question for the first time after the start: p50 {ours_first[0]:.3f} ms, p99 "
        f"{ours_first[1]:.3f} ms. Loaded in {load:.2f} s; {size / 1e6:.1f} MB on disk.\n"
    )

    print("Verdicts on these questions:\n")
    print_verdicts([(row["kind"], frozenset(row["ids"]), one) for row, one in zip(asked, found, strict=True)])
    own = {fold(" ".join(words(text))) for texts in corpus.phrasings.values() for text in texts}
    fresh = [
        (row["kind"], frozenset(row["ids"]), one)
        for row, one in zip(asked, found, strict=True)
        if fold(" ".join(words(row["q"]))) not in own
    ]
    same = len(asked) - len(fresh)
    print(f"Without the {same} questions that happen to stand in an article word for word (marks aside):\n")
    table(["", "n", "top1", "top3", "answered right", "answered wrong", "helped", "refused", "precision"],
          verdict_rows(fresh)[-1:])  # fmt: skip

    if options.folds:
        print(f"Cross-validation: the articles' own questions, each held out of the index ({options.folds} parts):\n")
        print_verdicts(cross_validate(corpus, options.folds))
    if options.articles:
        large = enlarged(corpus, options.articles, 12)
        with tempfile.TemporaryDirectory() as folder:
            index, build, load, size = opened(large, Path(folder))
        middle, late = timed(index.find, texts)
        count = sum(map(len, large.phrasings.values()))
        print(
            f"{len(large.phrasings)} articles with {count} questions: built in {build:.1f} s, loaded in {load:.2f} s, "
            f"{size / 1e6:.1f} MB; p50 {middle:.3f} ms, p99 {late:.3f} ms."
        )


if __name__ == "__main__":
    main()
