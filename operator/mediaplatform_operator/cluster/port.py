"""What the operator asks of an API server."""

from __future__ import annotations

from typing import Protocol

from mediaplatform_operator.cluster.objects import Kind, Object

FIELD_MANAGER = "mediaplatform-operator"


class Cluster(Protocol):
    """Raises NotAllowed (RBAC), InvalidInput (refused by schema or admission), Conflict, NotFound
    (of a kind that the server does not have), Throttled or Unavailable."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None: ...

    async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
        """Every object of the kind; none where the server does not have the kind."""
        ...

    async def apply(
        self, thing: Object, *, dry_run: bool = False, part: str = "", manager: str = FIELD_MANAGER
    ) -> Object:
        """Server-side apply of the manager's fields, and the object as it is then.

        `part` is a subresource, 'status'. A dry run answers the same and changes nothing.
        https://kubernetes.io/docs/reference/using-api/server-side-apply/
        """
        ...

    async def check(self, thing: Object) -> Object:
        """The object as it would be if it were put in place of what is there; changes nothing."""
        ...

    async def knows(self, kind: Kind) -> bool:
        """Whether the server has the kind, as it has once the CRD is installed."""
        ...

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str) -> None:
        """Only the object with this UID; what is gone already is fine."""
        ...
