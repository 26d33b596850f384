"""What answers look like in a notebook: the lines that print() shows, and a small table whose bars are the chart."""

from __future__ import annotations

import html
from typing import Iterable, NamedTuple, Optional


class Bar(NamedTuple):
    """A cell with a bar behind its text; `share` is of the column's width, 0 to 1."""

    text: str
    share: float


def lines(text: str) -> str:
    return f"<pre style='white-space:pre-wrap;margin:0 0 .5em'>{html.escape(text)}</pre>"


def table(head: Iterable[str], rows: Iterable[Iterable[str | Bar]], caption: Optional[str] = None) -> str:
    shown = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    heads = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in head)
    title = f"<caption style='caption-side:bottom;text-align:left'>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{shown}</tbody></table>"


def _cell(cell: str | Bar) -> str:
    if isinstance(cell, str):
        return f"<td style='text-align:left'>{html.escape(cell)}</td>"
    percent = 100 * min(max(cell.share, 0.0), 1.0)
    # A half-transparent colour can be read on light and on dark pages.
    bar = f"linear-gradient(to right, rgba(66,133,244,.4) {percent:.1f}%, transparent {percent:.1f}%)"
    return f"<td style='text-align:left;min-width:9em;background:{bar}'>{html.escape(cell.text)}</td>"
