"""How numbers, days and names read in a Vietnamese paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from babel.numbers import format_decimal, format_percent

SPACE = "\u00a0"  # never parted: a number and its unit, the words of a date


def people(count: int) -> str:
    """Count people."""
    return f"{number(count)}{SPACE}người"


def number(count: int) -> str:
    """Write a whole number."""
    return format_decimal(count, locale="vi_VN")


def percent(share: float, digits: int = 2) -> str:
    """Write a share in per cent."""
    return format_percent(share, format="#,##0." + "0" * digits + "%", locale="vi_VN")


def moved(count: int) -> str:
    """Say how a count moved."""
    if count == 0:
        return "số người tự báo không thay đổi"
    return f"có thêm {people(count)} tự báo" if count > 0 else f"số người tự báo giảm {people(-count)}"


def signed(count: int) -> str:
    """Write a change; a fall has a true minus sign."""
    return f"−{number(-count)}" if count < 0 else number(count)


def day(day: date) -> str:
    """Write a day as the decree does: 05/02/2026, but 05/3/2026."""
    return f"{day.day:02}/{day.month:02}/{day.year}" if day.month < 3 else f"{day.day:02}/{day.month}/{day.year}"


def clock_time(at: datetime) -> str:
    """Write a time of day as the decree does: 08 giờ 26 phút."""
    return f"{at:%H}{SPACE}giờ{SPACE}{at:%M}{SPACE}phút"


def joined(names: Sequence[str]) -> str:
    """List names."""
    # The name holds together, but not with its kind: long unbreakable pieces tear holes into justified lines.
    fixed = [SPACE.join(name.rsplit(" ", 1)) for name in names]
    return fixed[0] if len(fixed) == 1 else f"{', '.join(fixed[:-1])} và {fixed[-1]}"


def capital(text: str) -> str:
    """Begin with a capital."""
    return text[:1].upper() + text[1:]
