"""The public feed, newest first, and likes."""
