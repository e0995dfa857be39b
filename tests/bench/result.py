"""One figure of a benchmark, with the bar it is held to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    what: str
    value: float
    unit: str  # 'ms', 'MiB', 'x' for a ratio within one run
    at_most: float | None = None
    at_least: float | None = None
    detail: str = ""

    @property
    def holds(self) -> bool:
        low = self.at_least is None or self.value >= self.at_least
        high = self.at_most is None or self.value <= self.at_most
        return low and high

    @property
    def bar(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"holds": self.holds}
