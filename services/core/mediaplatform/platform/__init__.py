"""The outside world: settings, database, S3, SQS, Redis, clock, ids, telemetry."""
