"""`python -m mediaplatform_operator`: exit code 0 stopped, 1 failed, 2 wrong configuration."""

from __future__ import annotations

import asyncio
import os
import sys

from mediaplatform.errors import ConfigurationError
from mediaplatform.platform.telemetry import configure_logging
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.runtime.run import run


def main() -> int:
    try:
        configuration = Configuration.from_environment(os.environ)
    except ConfigurationError as fault:
        print(f"mediaplatform-operator: {fault.message}", file=sys.stderr)
        return 2
    configure_logging(configuration.log_level, "operator")
    asyncio.run(run(configuration))
    return 0


if __name__ == "__main__":
    sys.exit(main())
