"""What each part of the API answers."""
