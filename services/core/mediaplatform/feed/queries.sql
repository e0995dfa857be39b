-- name: page
-- The newest public items after a position; reads the partial index media_feed from there.
SELECT id, published_at, revision
FROM media
WHERE visibility = 'public' AND state = 'ready'
  AND (published_at, id) < (%(published_at)s, %(id)s)
ORDER BY published_at DESC, id DESC
LIMIT %(limit)s

-- name: items
-- What the feed shows of some items, as far as they are public.
SELECT m.id, m.revision, m.kind, m.title, m.published_at, m.width, m.height, m.placeholder,
       m.owner_id, u.name AS owner_name,
       (SELECT jsonb_agg(jsonb_build_object(
                   'name', r.name, 'format', r.format,
                   'width', r.width, 'height', r.height, 'key', r.key))
        FROM renditions r WHERE r.media_id = m.id) AS images
FROM media m
JOIN users u ON u.id = m.owner_id
WHERE m.id = ANY(%(ids)s) AND m.visibility = 'public' AND m.state = 'ready'

-- name: likes_counts
-- How many like each of some items.
SELECT id, likes_count FROM media WHERE id = ANY(%(ids)s)

-- name: like
-- Counts only a like that was not there; no row where the user may not see the item.
WITH seen AS (
    SELECT id, likes_count FROM media
    WHERE id = %(media_id)s AND state = 'ready'
      AND (visibility <> 'private' OR owner_id = %(user_id)s)
), added AS (
    INSERT INTO likes (media_id, user_id)
    SELECT id, %(user_id)s FROM seen
    ON CONFLICT DO NOTHING
    RETURNING media_id
), counted AS (
    UPDATE media SET likes_count = likes_count + 1
    WHERE id = (SELECT media_id FROM added)
    RETURNING likes_count
)
SELECT coalesce((SELECT likes_count FROM counted), likes_count) AS likes_count FROM seen

-- name: unlike
-- Takes back a like that was there; no row where the user may not see the item.
WITH seen AS (
    SELECT id, likes_count FROM media
    WHERE id = %(media_id)s AND state = 'ready'
      AND (visibility <> 'private' OR owner_id = %(user_id)s)
), removed AS (
    DELETE FROM likes
    WHERE media_id = (SELECT id FROM seen) AND user_id = %(user_id)s
    RETURNING media_id
), counted AS (
    UPDATE media SET likes_count = likes_count - 1
    WHERE id = (SELECT media_id FROM removed)
    RETURNING likes_count
)
SELECT coalesce((SELECT likes_count FROM counted), likes_count) AS likes_count FROM seen

-- name: liked
-- Of some items that a user may see: whether they like each, and how many do.
SELECT m.id, m.likes_count, l.media_id IS NOT NULL AS liked
FROM media m
LEFT JOIN likes l ON l.media_id = m.id AND l.user_id = %(user_id)s
WHERE m.id = ANY(%(ids)s) AND m.state = 'ready'
  AND (m.visibility <> 'private' OR m.owner_id = %(user_id)s)
