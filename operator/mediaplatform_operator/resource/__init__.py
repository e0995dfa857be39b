"""The MediaPlatform resource: its types, defaults and rules, and the CRD made from them."""
