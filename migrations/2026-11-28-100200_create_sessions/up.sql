CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    family_id uuid NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz,
    revoked_at timestamptz,
    address inet,
    user_agent text
);

-- Reuse of a rotated token revokes its family. Deactivating a user revokes all of their tokens.
CREATE INDEX sessions_family_id_idx ON sessions (family_id);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
-- Expired tokens are deleted.
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

COMMENT ON TABLE sessions IS 'Refresh tokens: one row per token, one family per sign-in.';
COMMENT ON COLUMN sessions.id IS 'Id of the token; not a secret.';
COMMENT ON COLUMN sessions.family_id IS 'Shared by all tokens of one sign-in.';
COMMENT ON COLUMN sessions.user_id IS 'The user who signed in; the row is deleted with the user.';
COMMENT ON COLUMN sessions.token_hash IS 'SHA-256 of the token. The token itself is not stored.';
COMMENT ON COLUMN sessions.created_at IS 'When the token was issued.';
COMMENT ON COLUMN sessions.expires_at IS 'When the token expires.';
COMMENT ON COLUMN sessions.rotated_at IS 'When the token was replaced by its successor. Using it after that ends the family.';
COMMENT ON COLUMN sessions.revoked_at IS 'When the token was revoked, by a sign-out or because a token was reused.';
COMMENT ON COLUMN sessions.address IS 'Network address that the token was issued to.';
COMMENT ON COLUMN sessions.user_agent IS 'User agent that the token was issued to.';
