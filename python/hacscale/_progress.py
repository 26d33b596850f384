"""One line that says how far long work is: on a terminal's standard error, or in a notebook's output."""

from __future__ import annotations

import sys
import time


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class Progress:
    """Drawn at most ten times a second. Where there is neither a terminal nor a notebook it shows nothing."""

    def __init__(self, enabled: bool):
        self._notebook = enabled and _in_notebook()
        self._terminal = enabled and not self._notebook and sys.stderr.isatty()
        self._drawn = 0.0
        self._width = 0
        self._display = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_) -> None:
        self.clear()

    def note(self, text: str) -> None:
        self._show(text)

    def set(self, done: float, total: float, what: str) -> None:
        now = time.monotonic()
        if now - self._drawn < 0.1:
            return
        self._drawn = now
        filled = int(30 * done / total) if total > 0 else 0
        self._show(f"{what} [{'=' * filled}{' ' * (30 - filled)}] {done:.0f}/{total:.0f}")

    def _show(self, text: str) -> None:
        if self._terminal:
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = len(text)
        elif self._notebook:
            from IPython.display import display  # type: ignore[import-not-found]

            shown = {"text/plain": text}
            if self._display is None:
                self._display = display(shown, raw=True, display_id=True)
            else:
                self._display.update(shown, raw=True)

    def clear(self) -> None:
        if self._terminal and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0
        elif self._notebook and self._display is not None:
            self._display.update({"text/plain": ""}, raw=True)
            self._display = None
