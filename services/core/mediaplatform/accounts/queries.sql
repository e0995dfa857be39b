-- name: add_user
-- A new account; no row where the address has one.
INSERT INTO users (id, email, name, password_hash)
VALUES (%(id)s, %(email)s, %(name)s, %(password_hash)s)
ON CONFLICT (email) DO NOTHING
RETURNING *

-- name: user_by_email
-- For signing in.
SELECT * FROM users WHERE email = %(email)s

-- name: user
-- One account.
SELECT * FROM users WHERE id = %(id)s

-- name: add_session
-- A new family of refresh tokens.
INSERT INTO sessions (id, user_id, token_hash, expires_at)
VALUES (%(id)s, %(user_id)s, %(token_hash)s, %(expires_at)s)

-- name: rotate
-- The newest token of a live session is replaced by its successor.
UPDATE sessions
SET token_hash = %(successor)s, previous_hash = token_hash, used_at = %(now)s
WHERE id = %(id)s AND token_hash = %(token_hash)s AND revoked_at IS NULL AND expires_at > %(now)s
RETURNING user_id

-- name: just_rotated
-- The token before the newest, moments after it was replaced: another tab of the same browser.
SELECT user_id FROM sessions
WHERE id = %(id)s AND previous_hash = %(token_hash)s AND used_at > %(since)s
  AND revoked_at IS NULL AND expires_at > %(now)s

-- name: revoke
-- The end of one session.
UPDATE sessions SET revoked_at = now(), revoke_reason = %(reason)s
WHERE id = %(id)s AND revoked_at IS NULL

-- name: revoke_all
-- The end of all sessions of a user.
UPDATE sessions SET revoked_at = now(), revoke_reason = %(reason)s
WHERE user_id = %(user_id)s AND revoked_at IS NULL

-- name: live
-- Whether a session goes on.
SELECT 1 AS live FROM sessions
WHERE id = %(id)s AND user_id = %(user_id)s AND revoked_at IS NULL AND expires_at > %(now)s
