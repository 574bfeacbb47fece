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

-- Reuse of a rotated token revokes its family; deactivating a user revokes all of theirs.
CREATE INDEX sessions_family_id_idx ON sessions (family_id);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
-- Expired tokens are swept.
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

COMMENT ON TABLE sessions IS 'Refresh tokens: one row per token, one family per sign-in.';
COMMENT ON COLUMN sessions.id IS 'Id of the token, not a secret.';
COMMENT ON COLUMN sessions.family_id IS 'Shared by all tokens that descend from one sign-in.';
COMMENT ON COLUMN sessions.user_id IS 'Whose session it is; goes with the user.';
COMMENT ON COLUMN sessions.token_hash IS 'SHA-256 of the token; the token itself is stored nowhere.';
COMMENT ON COLUMN sessions.created_at IS 'When the token was issued.';
COMMENT ON COLUMN sessions.expires_at IS 'After this the token is refused.';
COMMENT ON COLUMN sessions.rotated_at IS 'When the token was exchanged for its successor; using it again ends the family.';
COMMENT ON COLUMN sessions.revoked_at IS 'When the token was revoked by a sign-out or a detected reuse.';
COMMENT ON COLUMN sessions.address IS 'Network address the token was issued to.';
COMMENT ON COLUMN sessions.user_agent IS 'Browser the token was issued to, as it names itself.';
