"""Kubernetes quantities of bytes, `5Gi`.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re

# Bounded, so that none is beyond 2^63 - 1, where Kubernetes caps some and PostgreSQL fails.
PATTERN = r"^([0-9]{1,18}|[0-9]{1,6}(Ki|Mi|Gi|Ti|k|M|G|T))$"
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
          "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}  # fmt: skip


def to_bytes(quantity: str) -> int:
    """Raises ValueError."""
    if not re.fullmatch(PATTERN, quantity):
        raise ValueError(f"wants a number of bytes like 500Mi or 5Gi, not {quantity!r}")
    digits = quantity.rstrip("KMGTik")
    return int(digits) * _UNITS[quantity[len(digits) :]]
