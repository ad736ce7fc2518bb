"""Exceptions of Anlan."""

from __future__ import annotations


class AnlanError(Exception):
    """Any failure of Anlan that the operating system has no word for."""


class InputError(AnlanError, ValueError):
    """The input is at fault.

    ``faults`` lists everything found wrong, each a dict of ``file``, ``place``, ``found``, ``expected`` and ``remedy``.
    """

    def __init__(self, message: str, faults: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.faults: list[dict[str, str]] = faults or []

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return type(self), (str(self), self.faults)
