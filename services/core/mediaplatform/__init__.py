"""What API and workers share: a folder per feature, and the platform they stand on."""
