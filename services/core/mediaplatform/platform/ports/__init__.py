"""What features need of the outside world. Adapters and fakes carry the same file names."""
