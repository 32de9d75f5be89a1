"""What the search saw in a question, for `ask --explain` and for the desk."""

from __future__ import annotations

from dataclasses import dataclass

from bot.search.ranking import Found


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the search saw in a question."""

    question: str
    normal_form: str
    words: tuple[tuple[str, bool], ...]
    concepts: tuple[str, ...]
    top: tuple[tuple[str, float], ...]
    foreign: float
    inside: float
    found: Found
    answer_from: float
    suggest_from: float
    danger: bool = False  # an emergency; who reads messages for it says so

    def lines(self) -> list[str]:
        """The explanation as readable lines."""
        seen = " ".join(word if known else f"[{word}?]" for word, known in self.words)
        rows = [
            f"question     {self.question}",
            f"normal form  {self.normal_form}",
            f"words        {seen or '-'}",
            f"concepts     {', '.join(self.concepts) or '-'}",
        ]
        if self.danger:
            rows.append("emergency    yes: its article comes first")
        rows += [f"{place}. {share:6.1%}  {name}" for place, (name, share) in enumerate(self.top, 1)]
        rows += [
            f"foreign      {self.foreign:.1%}",
            f"score        {self.found.score:.3f} (answer from {self.answer_from:.3f})",
            f"in scope     {self.inside:.3f} (suggest from {self.suggest_from:.3f})",
            f"margin       {self.found.margin:.3f}",
            f"verdict      {self.found.verdict.value}" + (f", also {self.found.also}" if self.found.also else ""),
        ]
        return rows
