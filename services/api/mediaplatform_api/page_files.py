"""The page's own files, and what a browser may load from elsewhere: S3 alone."""

from __future__ import annotations

from importlib.resources import files
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from mediaplatform.platform.settings import Settings

DOCS = "api/docs"


class PageFiles(StaticFiles):
    def __init__(self, settings: Settings) -> None:
        folder = files("mediaplatform_api").joinpath("page")
        super().__init__(directory=str(folder), html=True)
        storage = _storage(settings)
        self._policy = (
            f"default-src 'self'; img-src 'self' data: blob: {storage}; "
            f"media-src 'self' {storage}; connect-src 'self' {storage}; style-src-attr "
            "'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
            "form-action 'self'"
        )

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response("docs.html" if path == DOCS else path, scope)
        response.headers["content-security-policy"] = self._policy
        response.headers["referrer-policy"] = "no-referrer"
        response.headers["cache-control"] = "no-cache"
        return response


def _storage(settings: Settings) -> str:
    """The origins at which browsers find the buckets."""
    if settings.aws_public_endpoint or settings.aws_endpoint:
        parts = urlsplit(settings.aws_public_endpoint or settings.aws_endpoint or "")
        return f"{parts.scheme}://{parts.netloc}"
    buckets = {settings.uploads_bucket, settings.media_bucket}
    hosts = (
        f"https://{bucket}.s3.{region}amazonaws.com"
        for bucket in sorted(buckets)
        for region in ("", f"{settings.region}.")
    )
    return " ".join(hosts)
