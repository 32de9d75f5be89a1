"""What officers are called, in place of their numbers: given with the invitation, changed by themselves or an admin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.access.roles import MANAGE_ROLES, grants_of, refusal, write_audit
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import Catalogue, mark
from bot.store import Transaction, officers
from bot.text.normalize import clean
from bot.text.redaction import redact

LONGEST_NAME = 60

NO_NAME = mark("Please type a name with letters, at most 60 characters, without numbers of papers or telephones.")


@dataclass(frozen=True, slots=True)
class OfficerNames:
    """The names of all officers, by their numbers."""

    named: Mapping[int, str]

    def of(self, person_id: int, catalogue: Catalogue) -> str:
        """Return what an officer is called; with the number where two have the same name, "Officer 12" without one."""
        name = self.named.get(person_id, "")
        if not name:
            return catalogue.t("Officer {officer}", officer=person_id)
        same = Counter(self.named.values())[name] > 1
        return catalogue.t("{name} (number {number})", name=name, number=person_id) if same else name


def officer_names(tx: Transaction) -> OfficerNames:
    """Read the names of all officers."""
    return OfficerNames({int(row["person_id"]): row["name"] for row in officers.names(tx)})


def check_name(text: str) -> str:
    """Return a name as it is kept. Raise NotAllowed if it is none."""
    name = clean(text).replace("\n", " ")
    if len(name) > LONGEST_NAME or not any(map(str.isalpha, name)) or redact(name).text != name:
        raise NotAllowed(NO_NAME)
    return name


def rename(tx: Transaction, person_id: int, name: str, *, by: int, at: datetime) -> None:
    """Give an officer a name. Raise NotAllowed unless it is their own or `by` is an admin, and the name is one."""
    if not grants_of(tx, person_id):
        raise NotAllowed(mark("This person holds no role any more."))
    if by != person_id and (sentence := refusal(grants_of(tx, by), MANAGE_ROLES)) is not None:
        raise NotAllowed(sentence)
    officers.set_name(tx, person_id, check_name(name), at=stamp(at))
    write_audit(tx, actor=f"person {by}", action="rename", detail=f"person {person_id}", at=at)
