"""Every error the project raises on purpose.

MediaPlatformError
├── InvalidInput        what was asked cannot be done as asked; says what to change
├── NotFound            there is no such thing for this caller
├── NotAllowed          the caller is not who it must be
├── Conflict            the thing is not in a state that allows this
│   └── StaleRevision   it was changed since the caller read it
├── QuotaExceeded       a limit of the caller's is reached
├── TooManyRequests     slow down; says for how long
├── Rejected            the file can never be published; says what to do instead
├── ConfigurationError  a process cannot start as it is configured
├── ObjectMissing       S3 has no object under this key
├── ObjectChanged       the object under this key is another one now
├── MessageGone         the queue no longer knows this receipt of a message
└── Unavailable         something outside did not answer; trying again later may work
    └── Throttled       the outside asked for fewer requests

A class's docstring is the message it carries when it is raised without one.
"""

from __future__ import annotations


class MediaPlatformError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        return str(self.args[0])


class InvalidInput(MediaPlatformError):
    """What was sent is not valid."""

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(MediaPlatformError):
    """There is nothing here."""


class NotAllowed(MediaPlatformError):
    """Sign in first."""


class Conflict(MediaPlatformError):
    """It has changed meanwhile."""


class StaleRevision(Conflict):
    """It was changed since you read it. Read it again, and repeat your change."""


class QuotaExceeded(MediaPlatformError):
    """Your storage is full. Delete something for good to make room."""


class TooManyRequests(MediaPlatformError):
    """Too many requests."""

    def __init__(self, message: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(MediaPlatformError):
    """This file cannot be used. Upload another one."""

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(message)
        self.code = code  # 'corrupt': what clients can switch on


class ConfigurationError(MediaPlatformError):
    """The configuration does not allow a start."""


class ObjectMissing(MediaPlatformError):
    """No such object."""


class ObjectChanged(MediaPlatformError):
    """The object is no longer the one that was asked for."""


class MessageGone(MediaPlatformError):
    """The message was deleted, or handed to somebody else."""


class Unavailable(MediaPlatformError):
    """A service behind this one does not answer. Try again in a moment."""


class Throttled(Unavailable):
    """A service behind this one asks for fewer requests."""
