"""What a worker answers to its probes."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen


def probe(port: int, question: str) -> tuple[int, dict[str, Any]]:
    """Status and body; `question` is live or ready. Blocks whoever calls it."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/{question}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)
