"""Watches MediaPlatform resources and wires what they ask for."""
