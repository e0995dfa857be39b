"""The embedded servers: PostgreSQL, Valkey, and an S3 and SQS emulator. All on 127.0.0.1."""
