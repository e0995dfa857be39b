from __future__ import annotations

import logging

import pytest
from kopf._core.engines import posting

from mediaplatform_operator.runtime.run import mute_last_events

REFUSED = 'events "x" is forbidden: unable to create new content in namespace photos because it is'
GONE = 'namespaces "photos" not found'


def test_the_end_of_a_namespace_is_not_logged_as_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger(posting.__name__)
    before = list(logger.filters)
    mute_last_events()
    try:
        logger.error("Request attempt #3/3 failed: %s being terminated", REFUSED)
        logger.warning("Failed to post an event. Message: %s. Details: none", GONE)
        logger.error("Request attempt #3/3 failed: %s over its quota", REFUSED)
    finally:
        logger.filters[:] = before
    assert [record.args for record in caplog.records] == [(REFUSED,)]
    assert caplog.messages[0].endswith("over its quota")
