"""The desk: officers' pages, rendered on the server; one file for each matter, `routes.py` lists them."""

from __future__ import annotations
