-- name: lock_owner
-- One request for an upload at a time per owner, so that quota and duplicates are exact.
SELECT id FROM users WHERE id = %(owner_id)s FOR NO KEY UPDATE

-- name: used
-- Bytes that count against an owner's quota: what is stored, and what was promised.
SELECT coalesce(sum(size_bytes), 0)::bigint AS used FROM media
WHERE owner_id = %(owner_id)s AND state NOT IN ('cancelled', 'expired', 'deleted')

-- name: duplicate
-- The same bytes in the owner's own library, on their way or there.
SELECT * FROM media
WHERE owner_id = %(owner_id)s AND sha256 = %(sha256)s
  AND state IN ('waiting', 'uploaded', 'processing', 'ready')
ORDER BY created_at LIMIT 1

-- name: insert
-- A new item that waits for its bytes.
WITH made AS (
    INSERT INTO media (id, owner_id, state, visibility, title, file_name, content_type, size_bytes,
                       sha256, upload_key, upload_expires_at, traceparent)
    VALUES (%(id)s, %(owner_id)s, 'waiting', %(visibility)s, %(title)s, %(file_name)s,
            %(content_type)s, %(size_bytes)s, %(sha256)s, %(upload_key)s, %(upload_expires_at)s,
            %(traceparent)s)
    RETURNING *
), logged AS (
    INSERT INTO media_moves (media_id, to_state) SELECT id, state FROM made
)
SELECT * FROM made

-- name: renew
-- More time for an upload that still waits.
UPDATE media SET upload_expires_at = %(upload_expires_at)s, updated_at = now()
WHERE id = %(id)s AND owner_id = %(owner_id)s AND state = 'waiting'
RETURNING *

-- name: get
-- One item, unless it was deleted for good.
SELECT * FROM media WHERE id = %(id)s AND state <> 'deleted'

-- name: renditions
-- What was made of some items, smallest first.
SELECT media_id, name, tier, format, width, height, size_bytes, key
FROM renditions WHERE media_id = ANY(%(ids)s) ORDER BY media_id, width, format

-- name: library
-- A page of the owner's own items, newest first; every word must be found somewhere in the item.
SELECT * FROM media
WHERE owner_id = %(owner_id)s AND state NOT IN ('cancelled', 'expired', 'deleted')
  AND (state = 'trashed') = %(trashed)s
  AND (created_at, id) < (%(created_at)s, %(id)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND concat_ws(' ', title, description, file_name, array_to_string(tags, ' '),
                metadata->>'cameraMake', metadata->>'cameraModel', metadata->>'lens',
                to_char(coalesce(taken_at, created_at), 'YYYY-MM-DD')) ILIKE ALL(%(words)s)
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s

-- name: update
-- What its owner says about an item; published_at is the first moment at which it was public.
UPDATE media
SET title = coalesce(%(title)s, title),
    description = coalesce(%(description)s, description),
    tags = coalesce(%(tags)s, tags),
    visibility = coalesce(%(visibility)s, visibility),
    published_at = CASE WHEN state = 'ready' AND %(visibility)s = 'public'
                        THEN coalesce(published_at, now()) ELSE published_at END,
    revision = revision + 1, updated_at = now()
WHERE id = %(id)s AND owner_id = %(owner_id)s
  AND state IN ('waiting', 'uploaded', 'processing', 'ready', 'failed')
  AND (%(revision)s::integer IS NULL OR revision = %(revision)s)
RETURNING *

-- name: uploaded
-- The bytes are there: waiting or expired becomes uploaded, and the job is promised with it.
WITH old AS (
    SELECT id, state FROM media
    WHERE id = %(id)s AND state IN ('waiting', 'expired') FOR UPDATE
), moved AS (
    UPDATE media SET state = 'uploaded', etag = %(etag)s, uploaded_at = now(), updated_at = now(),
                     revision = revision + 1
    FROM old WHERE media.id = old.id RETURNING media.id, media.traceparent
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state)
    SELECT moved.id, old.state, 'uploaded' FROM moved JOIN old USING (id)
)
INSERT INTO outbox (queue, body, traceparent)
SELECT 'ingest', jsonb_build_object('job', 'ingest', 'mediaId', id), traceparent FROM moved
RETURNING id, queue, body::text AS body, traceparent

-- name: cancel
-- The owner gives up an item before it is ready.
WITH old AS (
    SELECT id, state FROM media
    WHERE id = %(id)s AND owner_id = %(owner_id)s
      AND state IN ('waiting', 'uploaded', 'processing') FOR UPDATE
), moved AS (
    UPDATE media SET state = 'cancelled', updated_at = now(), revision = revision + 1
    FROM old WHERE media.id = old.id RETURNING media.*
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state)
    SELECT moved.id, old.state, moved.state FROM moved JOIN old USING (id)
)
SELECT * FROM moved

-- name: trash
-- Out of sight, and still there.
WITH old AS (
    SELECT id, state FROM media
    WHERE id = %(id)s AND owner_id = %(owner_id)s AND state IN ('ready', 'failed') FOR UPDATE
), moved AS (
    UPDATE media SET state = 'trashed', trashed_at = now(), updated_at = now(),
                     revision = revision + 1
    FROM old WHERE media.id = old.id RETURNING media.*
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state)
    SELECT moved.id, old.state, moved.state FROM moved JOIN old USING (id)
)
SELECT * FROM moved

-- name: restore
-- Out of the trash, to what it was.
WITH old AS (
    SELECT id, state FROM media
    WHERE id = %(id)s AND owner_id = %(owner_id)s AND state = 'trashed' FOR UPDATE
), moved AS (
    UPDATE media SET state = CASE WHEN tiers > 0 THEN 'ready' ELSE 'failed' END,
                     trashed_at = NULL, updated_at = now(), revision = revision + 1
    FROM old WHERE media.id = old.id RETURNING media.*
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state)
    SELECT moved.id, old.state, moved.state FROM moved JOIN old USING (id)
)
SELECT * FROM moved

-- name: delete
-- For good: a tombstone stays until the sweeper has removed the bytes.
WITH old AS (
    SELECT id, state FROM media
    WHERE id = %(id)s AND owner_id = %(owner_id)s
      AND state IN ('trashed', 'failed', 'cancelled', 'expired') FOR UPDATE
), moved AS (
    UPDATE media SET state = 'deleted', updated_at = now(), revision = revision + 1
    FROM old WHERE media.id = old.id RETURNING media.*
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state)
    SELECT moved.id, old.state, moved.state FROM moved JOIN old USING (id)
)
SELECT * FROM moved


-- name: event_created
-- S3 has the object. Only news counts: an event older than the newest seen changes nothing, and an
-- item that a worker has is the worker's.
WITH old AS (
    SELECT id, state FROM media
    WHERE upload_key = %(key)s AND state IN ('waiting', 'expired', 'uploaded')
      AND (sequencer IS NULL OR sequencer COLLATE "C" < %(sequencer)s) FOR UPDATE
), moved AS (
    UPDATE media SET state = 'uploaded', etag = %(etag)s, sequencer = %(sequencer)s,
                     uploaded_at = now(), updated_at = now(), revision = revision + 1
    FROM old WHERE media.id = old.id RETURNING media.id
)
INSERT INTO media_moves (media_id, from_state, to_state)
SELECT moved.id, old.state, 'uploaded' FROM moved JOIN old USING (id) WHERE old.state <> 'uploaded'

-- name: event_removed
-- The object is gone before a worker took it. What waits goes on waiting, but no older event of a
-- creation can bring it back; what was uploaded has failed.
WITH old AS (
    SELECT id, state FROM media
    WHERE upload_key = %(key)s AND state IN ('waiting', 'uploaded')
      AND (sequencer IS NULL OR sequencer COLLATE "C" < %(sequencer)s) FOR UPDATE
), moved AS (
    UPDATE media SET sequencer = %(sequencer)s, updated_at = now(), revision = revision + 1,
                     state = CASE old.state WHEN 'uploaded' THEN 'failed' ELSE old.state END,
                     reason = CASE old.state WHEN 'uploaded' THEN 'missing' END,
                     reason_detail = CASE old.state WHEN 'uploaded' THEN %(detail)s END
    FROM old WHERE media.id = old.id RETURNING media.id, media.state, media.reason
)
INSERT INTO media_moves (media_id, from_state, to_state, reason)
SELECT moved.id, old.state, moved.state, moved.reason FROM moved JOIN old USING (id)
WHERE moved.state <> old.state

-- name: by_upload_key
SELECT id FROM media WHERE upload_key = %(key)s

-- name: claim
-- A delivery of a message takes an item: one that nobody has, that nobody has had for too long, or
-- that an earlier delivery of the same message had. Out of `failed` only what a worker gave up.
WITH old AS (
    SELECT id, state FROM media
    WHERE id = %(id)s
      AND (state IN ('uploaded', 'processing') OR (state = 'ready' AND tiers < 2)
           OR (state = 'failed' AND reason = 'gave_up'))
      AND (claimed_by IS NULL OR claimed_until < now()
           OR split_part(claimed_by, '#', 1) = %(message)s)
    FOR UPDATE
), moved AS (
    UPDATE media SET state = CASE old.state WHEN 'ready' THEN 'ready' ELSE 'processing' END,
                     reason = NULL, reason_detail = NULL,
                     claimed_by = %(claim)s, claimed_until = now() + make_interval(secs => %(seconds)s),
                     attempts = attempts + 1, updated_at = now(),
                     revision = revision + (old.state NOT IN ('ready', 'processing')
                                            OR reason IS NOT NULL)::int
    FROM old WHERE media.id = old.id RETURNING media.*
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state)
    SELECT moved.id, old.state, moved.state FROM moved JOIN old USING (id)
    WHERE moved.state <> old.state
)
SELECT * FROM moved

-- name: extend_claim
UPDATE media SET claimed_until = now() + make_interval(secs => %(seconds)s)
WHERE id = %(id)s AND claimed_by = %(claim)s AND state IN ('processing', 'ready', 'trashed')
RETURNING id

-- name: release_claim
-- Handed back: whoever gets the message next may start at once.
UPDATE media SET claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND claimed_by = %(claim)s

-- name: pin
-- What is there has the promised bytes under another ETag: it was uploaded twice.
UPDATE media SET etag = %(etag)s WHERE id = %(id)s AND claimed_by = %(claim)s

-- name: publish_first
-- The item is ready, and public if it shall be; only for the delivery that has it.
WITH moved AS (
    UPDATE media SET state = 'ready', tiers = 1, kind = %(kind)s, detected_type = %(detected_type)s,
                     width = %(width)s, height = %(height)s, placeholder = %(placeholder)s,
                     metadata = %(metadata)s, position = %(position)s, taken_at = %(taken_at)s,
                     ready_at = now(), updated_at = now(), revision = revision + 1,
                     published_at = CASE WHEN visibility = 'public'
                                         THEN coalesce(published_at, now()) END
    WHERE id = %(id)s AND claimed_by = %(claim)s AND state = 'processing' RETURNING id
)
INSERT INTO media_moves (media_id, from_state, to_state)
SELECT id, 'processing', 'ready' FROM moved RETURNING media_id

-- name: publish_second
-- All that will be made is there, and the claim is over.
UPDATE media SET tiers = 2, claimed_by = NULL, claimed_until = NULL, updated_at = now(),
                 revision = revision + 1
WHERE id = %(id)s AND claimed_by = %(claim)s AND state IN ('ready', 'trashed') RETURNING id

-- name: insert_renditions
INSERT INTO renditions (media_id, name, tier, format, width, height, size_bytes, key)
VALUES (%(media_id)s, %(name)s, %(tier)s, %(format)s, %(width)s, %(height)s, %(size_bytes)s, %(key)s)
ON CONFLICT (media_id, name) DO UPDATE SET size_bytes = excluded.size_bytes, key = excluded.key

-- name: fail
-- The file can never be published, or no more of it; its owner reads why. What is public stays so.
WITH moved AS (
    UPDATE media SET state = CASE state WHEN 'processing' THEN 'failed' ELSE state END,
                     reason = %(reason)s, reason_detail = %(detail)s,
                     claimed_by = NULL, claimed_until = NULL, updated_at = now(),
                     revision = revision + 1
    WHERE id = %(id)s AND claimed_by = %(claim)s AND state IN ('processing', 'ready', 'trashed')
    RETURNING id, state
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state, reason)
    SELECT id, 'processing', state, %(reason)s FROM moved WHERE state = 'failed'
)
SELECT id FROM moved

-- name: overdue
-- Waiting for bytes: past their time, or long enough that an event may have been lost.
SELECT id, upload_key, upload_expires_at < now() AS expired FROM media
WHERE state = 'waiting'
  AND (upload_expires_at < now() OR updated_at < now() - make_interval(secs => %(quiet)s))
ORDER BY upload_expires_at LIMIT %(limit)s

-- name: looked
-- Looked for in S3 and not found: not again for a while.
UPDATE media SET updated_at = now() WHERE id = %(id)s AND state = 'waiting'

-- name: expire
WITH moved AS (
    UPDATE media SET state = 'expired', updated_at = now(), revision = revision + 1
    WHERE id = %(id)s AND state = 'waiting' AND upload_expires_at < now() RETURNING id
)
INSERT INTO media_moves (media_id, from_state, to_state) SELECT id, 'waiting', 'expired' FROM moved

-- name: requeue
-- At work without a worker for too long: its message was lost. Tried too often: given up elsewhere.
WITH stale AS (
    SELECT id FROM media
    WHERE (state IN ('uploaded', 'processing')
           OR (state = 'ready' AND tiers < 2 AND reason IS NULL))
      AND attempts < %(max_attempts)s
      AND coalesce(claimed_until, updated_at) < now() - make_interval(secs => %(quiet)s)
      AND updated_at < now() - make_interval(secs => %(quiet)s)
    ORDER BY updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), touched AS (
    UPDATE media SET updated_at = now() FROM stale WHERE media.id = stale.id
    RETURNING media.id, media.traceparent
)
INSERT INTO outbox (queue, body, traceparent)
SELECT 'ingest', jsonb_build_object('job', 'ingest', 'mediaId', id), traceparent FROM touched
RETURNING id, queue, body::text AS body, traceparent

-- name: give_up
-- Tried as often as the queue allows: nobody shall wait for it for ever.
WITH moved AS (
    UPDATE media SET state = 'failed', reason = 'gave_up', reason_detail = %(detail)s,
                     claimed_by = NULL, claimed_until = NULL, updated_at = now(),
                     revision = revision + 1
    WHERE state = 'processing' AND attempts >= %(max_attempts)s
      AND coalesce(claimed_until, updated_at) < now() - make_interval(secs => %(quiet)s)
    RETURNING id
)
INSERT INTO media_moves (media_id, from_state, to_state, reason)
SELECT id, 'processing', 'failed', 'gave_up' FROM moved

-- name: give_up_second
-- The same of what is ready with its first tier: that stays, and its owner reads what is missing.
WITH stale AS (
    SELECT id FROM media
    WHERE state = 'ready' AND tiers < 2 AND reason IS NULL AND attempts >= %(max_attempts)s
      AND coalesce(claimed_until, updated_at) < now() - make_interval(secs => %(quiet)s)
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE media SET reason = 'gave_up', reason_detail = %(detail)s, claimed_by = NULL,
                 claimed_until = NULL, updated_at = now(), revision = revision + 1
FROM stale WHERE media.id = stale.id RETURNING media.id

-- name: promised
-- Outbox rows that whoever wrote them did not publish.
SELECT id, queue, body::text AS body, traceparent FROM outbox
WHERE queue = ANY(%(queues)s) AND created_at < now() - make_interval(secs => %(quiet)s)
ORDER BY id LIMIT %(limit)s

-- name: promised_elsewhere
-- How many there are for queues of which only a newer release knows.
SELECT queue, count(*) AS rows FROM outbox
WHERE queue <> ALL(%(queues)s) AND created_at < now() - make_interval(secs => %(quiet)s)
GROUP BY queue LIMIT %(limit)s

-- name: empty_trash
WITH moved AS (
    UPDATE media SET state = 'deleted', updated_at = now(), revision = revision + 1
    WHERE id IN (SELECT id FROM media WHERE state = 'trashed'
                   AND trashed_at < now() - make_interval(days => %(days)s) LIMIT %(limit)s)
      AND state = 'trashed' RETURNING id
)
INSERT INTO media_moves (media_id, from_state, to_state) SELECT id, 'trashed', 'deleted' FROM moved

-- name: unused
-- Into the trash what nobody liked or changed for so long, by the platform's policy.
WITH moved AS (
    UPDATE media SET state = 'trashed', trashed_at = now(), updated_at = now(),
                     revision = revision + 1
    WHERE id IN (SELECT id FROM media WHERE state = 'ready' AND likes_count = 0
                   AND updated_at < now() - make_interval(days => %(days)s) LIMIT %(limit)s)
      AND state = 'ready' RETURNING id
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state, reason)
    SELECT id, 'ready', 'trashed', 'unused' FROM moved
)
SELECT id FROM moved

-- name: discard
-- Cancelled, or expired for so long that no bytes can come: by then nobody asks what became of it.
WITH old AS (
    SELECT id, state FROM media
    WHERE (state = 'cancelled' AND updated_at < now() - interval '1 hour')
       OR (state = 'expired' AND updated_at < now() - interval '2 days')
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE media SET state = 'deleted', updated_at = now(), revision = revision + 1
    FROM old WHERE media.id = old.id RETURNING media.id
)
INSERT INTO media_moves (media_id, from_state, to_state)
SELECT moved.id, old.state, 'deleted' FROM moved JOIN old USING (id)

-- name: forsaken
-- Deleted items whose bytes are still there, and that no worker may still be writing.
SELECT id, upload_key FROM media
WHERE state = 'deleted' AND NOT purged AND (claimed_until IS NULL OR claimed_until < now())
LIMIT %(limit)s

-- name: purge
-- The bytes are gone; the tombstone keeps the history and nothing personal.
UPDATE media SET purged = true, title = '', description = '', tags = '{}', file_name = '',
                 placeholder = NULL, metadata = '{}', position = NULL
WHERE id = %(id)s AND state = 'deleted'

-- name: drop_renditions
DELETE FROM renditions WHERE media_id = %(id)s

-- name: old_idempotency_keys
DELETE FROM idempotency_keys WHERE created_at < now() - interval '1 day'

-- name: dead_sessions
DELETE FROM sessions WHERE expires_at < now() - interval '7 days'
