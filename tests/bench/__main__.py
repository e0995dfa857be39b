"""`make bench`: every module here with a `run()`, one table, and JSON in bench-results/.

Name modules to run only those: `python -m tests.bench images feed`.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests import bench
from tests.bench.result import Result

Run = Callable[[], Iterable[Result]]


def benchmarks(wanted: list[str]) -> dict[str, Run]:
    names = [module.name for module in pkgutil.iter_modules(bench.__path__)]
    unknown = set(wanted) - set(names)
    if unknown:
        raise SystemExit(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(names)}"
        )
    found = {}
    for name in wanted or names:
        if name != "__main__":
            run = getattr(importlib.import_module(f"tests.bench.{name}"), "run", None)
            if run is not None:
                found[name] = run
    return found


def table(results: dict[str, list[Result]]) -> Table:
    view = Table("benchmark", "what", "value", "bar", "", "detail")
    for name, rows in results.items():
        for row in rows:
            verdict = "" if not row.bar else "[green]holds" if row.holds else "[red]short"
            view.add_row(
                name, row.what, f"{row.value:.3g} {row.unit}", row.bar, verdict, row.detail
            )
    return view


def main() -> None:
    results: dict[str, list[Result]] = {}
    for name, run in benchmarks(sys.argv[1:]).items():
        print(f"-- {name}", file=sys.stderr)
        try:
            results[name] = list(run())
        except Exception:  # the figures of the others are not lost with it
            traceback.print_exc()
            results[name] = [Result("could not be measured", 0, "", at_least=1)]
    Console(width=160).print(table(results))
    folder = Path("bench-results")
    folder.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    report = {
        "at": now.isoformat(),
        "cpus": os.cpu_count(),
        "results": {name: [row.to_json() for row in rows] for name, rows in results.items()},
    }
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(report, indent=2))
    print(path)
    raise SystemExit(any(not row.holds for rows in results.values() for row in rows))


if __name__ == "__main__":
    main()
