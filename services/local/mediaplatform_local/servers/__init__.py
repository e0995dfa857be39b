"""The embedded servers: PostgreSQL, Valkey, and an S3+SQS emulator."""
