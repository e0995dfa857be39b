-- Accounts, media, feed: everything the first release needs.

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text NOT NULL CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email)
);

-- A session is a family of refresh tokens, of which only the newest is good.
CREATE TABLE sessions (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash    bytea NOT NULL,
    previous_hash bytea,            -- good for a moment: two tabs may refresh at once
    created_at    timestamptz NOT NULL DEFAULT now(),
    used_at       timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    revoke_reason text
);
CREATE INDEX sessions_of_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE idempotency_keys (
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       smallint,          -- null while the first request is still at work
    headers      jsonb,
    body         bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE media (
    id              uuid PRIMARY KEY,
    owner_id        uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    state           text NOT NULL CHECK (state IN ('waiting', 'uploaded', 'processing', 'ready',
                        'failed', 'cancelled', 'expired', 'trashed', 'deleted')),
    reason          text,           -- why it failed: a code that clients can switch on
    reason_detail   text,           -- the same as a sentence that says what to do
    kind            text CHECK (kind IN ('IMAGE', 'VIDEO', 'AUDIO')),
    visibility      text NOT NULL DEFAULT 'private'
                        CHECK (visibility IN ('private', 'unlisted', 'public')),
    title           text NOT NULL DEFAULT '',
    description     text NOT NULL DEFAULT '',
    tags            text[] NOT NULL DEFAULT '{}',
    file_name       text NOT NULL,
    content_type    text NOT NULL,  -- as declared; detected_type is what it is
    detected_type   text,
    size_bytes      bigint NOT NULL CHECK (size_bytes > 0),
    sha256          bytea NOT NULL CHECK (length(sha256) = 32),
    upload_key      text NOT NULL UNIQUE,
    upload_expires_at timestamptz NOT NULL,
    etag            text,           -- of the object that is being, or was, processed
    sequencer       text,           -- of the newest S3 event seen for the key
    width           integer,
    height          integer,
    placeholder     text,           -- ThumbHash, base64
    metadata        jsonb NOT NULL DEFAULT '{}',
    position        jsonb,          -- latitude, longitude: the owner's alone
    taken_at        timestamptz,
    likes_count     integer NOT NULL DEFAULT 0 CHECK (likes_count >= 0),
    tiers           smallint NOT NULL DEFAULT 0,  -- tiers of renditions that are published
    claimed_by      text,           -- the delivery of the message whose worker has it
    claimed_until   timestamptz,
    attempts        smallint NOT NULL DEFAULT 0,
    traceparent     text,           -- of the request that asked for the upload
    purged          boolean NOT NULL DEFAULT false,  -- deleted, and its bytes are gone
    revision        integer NOT NULL DEFAULT 1,   -- what ETags are made of
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    uploaded_at     timestamptz,
    ready_at        timestamptz,
    published_at    timestamptz,
    trashed_at      timestamptz
);
CREATE INDEX media_feed ON media (published_at DESC, id DESC)
    WHERE visibility = 'public' AND state = 'ready';
CREATE INDEX media_library ON media (owner_id, created_at DESC, id DESC)
    WHERE state NOT IN ('cancelled', 'expired', 'deleted');
CREATE INDEX media_duplicate ON media (owner_id, sha256)
    WHERE state IN ('waiting', 'uploaded', 'processing', 'ready');
CREATE INDEX media_waiting ON media (upload_expires_at) WHERE state = 'waiting';
CREATE INDEX media_at_work ON media (updated_at)
    WHERE state IN ('uploaded', 'processing') OR (state = 'ready' AND tiers < 2);
CREATE INDEX media_forsaken ON media (id) WHERE state = 'deleted' AND NOT purged;
CREATE INDEX media_trash ON media (trashed_at) WHERE state = 'trashed';

-- Every move an item made, so that "once" can be counted and nights can be explained.
CREATE TABLE media_moves (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    media_id   uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    from_state text,
    to_state   text NOT NULL,
    reason     text,
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX media_moves_of_media ON media_moves (media_id, id);

CREATE TABLE renditions (
    media_id   uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    name       text NOT NULL,       -- 'jpeg-512'
    tier       smallint NOT NULL,
    format     text NOT NULL,       -- 'image/jpeg'
    width      integer NOT NULL,
    height     integer NOT NULL,
    size_bytes bigint NOT NULL,
    key        text NOT NULL,
    PRIMARY KEY (media_id, name)
);

CREATE TABLE likes (
    media_id   uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (media_id, user_id)
);
CREATE INDEX likes_of_user ON likes (user_id, created_at DESC);

-- Messages that a committed transaction promised; whoever publishes one deletes its row.
CREATE TABLE outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue        text NOT NULL CHECK (queue IN ('ingest', 'render')),
    body         jsonb NOT NULL,
    traceparent  text,
    attempts     integer NOT NULL DEFAULT 0,
    available_at timestamptz NOT NULL DEFAULT now(),
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_due ON outbox (available_at);
