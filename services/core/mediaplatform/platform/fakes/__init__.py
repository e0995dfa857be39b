"""The outside world in memory, held to the adapters' own contract tests."""
