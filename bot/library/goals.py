"""What a district or the province has set out to reach, and by when: `goals.yaml` in the content folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import ContentError
from bot.library.regions import Regions
from bot.yaml_document import read_model

FILE = "goals.yaml"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Goal(_Model):
    """A share of the estimated adults, in per cent, to be reached with the end of a day."""

    percent: float = Field(gt=0, le=100)
    until: date


class Goals(_Model):
    """All goals; a district without one of its own goes by `districts`."""

    measured_by: Literal["self_reported", "official"] = "self_reported"
    province: Goal | None = None
    districts: Goal | None = None
    of_district: dict[str, Goal] = {}
    province_id: str = Field("", exclude=True)

    def of(self, district: str) -> Goal | None:
        """Return the goal of a district, or of the province by its id."""
        if district == self.province_id:
            return self.province
        return self.of_district.get(district, self.districts)


def load_goals(folder: Path, regions: Regions) -> Goals:
    """Load the goals; none when there is no file; raises ContentError for a district that does not exist."""
    path = folder / FILE
    if not path.exists():
        return Goals(province_id=regions.province.id)
    goals, document = read_model(path, Goals)
    problems = [
        document.problem(("of_district", district), f"there is no district {district!r}.")
        for district in goals.of_district
        if district not in regions.districts
    ]
    if problems:
        raise ContentError(problems)
    return goals.model_copy(update={"province_id": regions.province.id})
