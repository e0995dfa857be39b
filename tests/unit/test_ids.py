from __future__ import annotations

from mediaplatform.platform.ids import new_id


def test_ids_are_version_7_of_the_rfc_variant_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(100)]
    assert {item.version for item in ids} == {7}
    assert {item.variant for item in ids} == {"specified in RFC 4122"}
    milliseconds = [item.int >> 80 for item in ids]
    assert milliseconds == sorted(milliseconds)
    assert len(set(ids)) == 100
