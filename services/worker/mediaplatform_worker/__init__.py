"""SQS consumers: ingest, render, sweep."""
