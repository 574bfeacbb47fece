-- No address and no text: both are taken from the notification and its user when the mail is sent.
CREATE TABLE mail_outbox (
    notification_id bigint PRIMARY KEY REFERENCES notifications ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    sent_at timestamptz,
    given_up_at timestamptz,
    last_error text CHECK (char_length(last_error) BETWEEN 1 AND 500),
    CHECK (sent_at IS NULL OR given_up_at IS NULL)
);

-- What is still to be sent, in its order.
CREATE INDEX mail_outbox_next_attempt_at_idx ON mail_outbox (next_attempt_at, notification_id)
    WHERE sent_at IS NULL AND given_up_at IS NULL;

COMMENT ON TABLE mail_outbox IS 'Mail on its way: one row per notification that also goes out by mail.';
COMMENT ON COLUMN mail_outbox.notification_id IS 'The notification that is mailed to its user; goes with it.';
COMMENT ON COLUMN mail_outbox.created_at IS 'When it was posted.';
COMMENT ON COLUMN mail_outbox.next_attempt_at IS 'When it is tried next; while somebody tries it, when they count as dead.';
COMMENT ON COLUMN mail_outbox.attempts IS 'How often somebody began to send it.';
COMMENT ON COLUMN mail_outbox.sent_at IS 'When the mail server took it; null until then.';
COMMENT ON COLUMN mail_outbox.given_up_at IS 'When it was given up; null unless it was.';
COMMENT ON COLUMN mail_outbox.last_error IS 'Why it could not be sent the last time; holds no secret.';
