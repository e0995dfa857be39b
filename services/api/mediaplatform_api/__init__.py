"""The HTTP side: JSON API, OpenAPI document, the page."""
