"""What leaves on paper or as a picture: charts, spreadsheets, the official report, posters."""

from __future__ import annotations
