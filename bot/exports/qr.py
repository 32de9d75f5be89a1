"""QR codes as drawings: sharp at any size, with the margin that scanners need."""

from __future__ import annotations

import io
from itertools import groupby

_QUIET = 4  # modules of white around the code, as the standard wants
_PICTURE_SCALE = 8  # pixels a module
_OVERLAP = 0.02  # rows that only touch show hairlines between them on screens and in print


def draw_code(text: str) -> str:
    """Draw a code as SVG that can still be read when a quarter of it is dirty, torn or folded."""
    import segno  # loaded only where papers are made

    matrix = segno.make_qr(text, error="q").matrix
    side = len(matrix) + 2 * _QUIET
    runs = []
    for row, modules in enumerate(matrix, _QUIET):
        column = _QUIET
        for dark, group in groupby(modules):
            length = len(list(group))
            if dark:
                runs.append(f"M{column} {row}h{length}v{1 + _OVERLAP}h-{length}z")
            column += length
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d="{"".join(runs)}"/></svg>'
    )


def code_picture(text: str) -> bytes:
    """Make a code a PNG that a telephone scans from another one's screen."""
    import segno

    picture = io.BytesIO()
    segno.make_qr(text, error="m").save(picture, kind="png", scale=_PICTURE_SCALE, border=_QUIET)
    return picture.getvalue()
