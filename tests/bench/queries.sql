-- name: owners
-- A hundred people.
INSERT INTO users (id, email, name)
SELECT md5('owner' || n)::uuid, 'person' || n || '@example.com', 'Person ' || n
FROM generate_series(0, 99) n

-- name: items
-- Public items, one a second up to now, with ids as random as real ones in their lower half.
INSERT INTO media (id, owner_id, state, kind, visibility, title, file_name, content_type,
                   detected_type, size_bytes, sha256, upload_key, upload_expires_at, etag, width,
                   height, placeholder, metadata, likes_count, tiers, created_at, updated_at,
                   uploaded_at, ready_at, published_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(n::text), 1, 19))::uuid,
       md5('owner' || n %% 100)::uuid, 'ready', 'IMAGE', 'public', 'Photo ' || n,
       'photo-' || n || '.jpg', 'image/jpeg', 'image/jpeg', 4000000,
       sha256(n::text::bytea), 'incoming/bench/' || n, at, md5(n::text), 4032, 3024,
       'OQcOFYKXiIh/h3eId4iHd3h4d4eHeA==',
       '{"camera": "Pixel 9", "lens": "wide", "exposure": "1/120", "iso": 100}',
       n %% 50, 2, at, at, at, at, at
FROM (SELECT n, date_trunc('second', now()) - (%(items)s - n) * interval '1 second' AS at
      FROM generate_series(1, %(items)s) n) series

-- name: renditions
-- Four sizes in two formats of each item on a page that is read.
INSERT INTO renditions (media_id, name, tier, format, width, height, size_bytes, key)
SELECT page.id, format.short || '-' || width, format.tier, 'image/' || format.short, width,
       width * 3 / 4, width * 100, 'media/' || page.id || '/' || format.short || '-' || width
FROM (SELECT id FROM media WHERE (published_at, id) < (%(published_at)s, %(id)s)
      ORDER BY published_at DESC, id DESC LIMIT %(limit)s) page,
     (VALUES ('jpeg', 1), ('avif', 2)) format (short, tier),
     unnest(ARRAY[256, 512, 1024, 2016]) width

-- name: position
-- After so many items.
SELECT published_at, id FROM media
WHERE visibility = 'public' AND state = 'ready'
ORDER BY published_at DESC, id DESC OFFSET %(offset)s LIMIT 1
