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
                       sha256, upload_key, upload_expires_at)
    VALUES (%(id)s, %(owner_id)s, 'waiting', %(visibility)s, %(title)s, %(file_name)s,
            %(content_type)s, %(size_bytes)s, %(sha256)s, %(upload_key)s, %(upload_expires_at)s)
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
SELECT * FROM renditions WHERE media_id = ANY(%(ids)s) ORDER BY media_id, width, format

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
    FROM old WHERE media.id = old.id RETURNING media.id
), logged AS (
    INSERT INTO media_moves (media_id, from_state, to_state)
    SELECT moved.id, old.state, 'uploaded' FROM moved JOIN old USING (id)
)
INSERT INTO outbox (queue, body, traceparent)
SELECT 'ingest', jsonb_build_object('job', 'ingest', 'mediaId', id), %(traceparent)s FROM moved
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
