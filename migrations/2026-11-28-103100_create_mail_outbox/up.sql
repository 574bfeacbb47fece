-- There is no address and no text: both come from the notification and its user when the mail is sent.
CREATE TABLE mail_outbox (
    notification_id bigint PRIMARY KEY REFERENCES notifications ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    sent_at timestamptz,
    failed_at timestamptz,
    last_error text CHECK (char_length(last_error) BETWEEN 1 AND 500),
    CHECK (sent_at IS NULL OR failed_at IS NULL)
);

-- The mails to send, in their order.
CREATE INDEX mail_outbox_next_attempt_at_idx ON mail_outbox (next_attempt_at, notification_id)
    WHERE sent_at IS NULL AND failed_at IS NULL;

COMMENT ON TABLE mail_outbox IS 'Mails to send, one row for each notification that is also sent by mail.';
COMMENT ON COLUMN mail_outbox.notification_id IS 'The notification to send to its user; the row is deleted with it.';
COMMENT ON COLUMN mail_outbox.created_at IS 'When it was queued.';
COMMENT ON COLUMN mail_outbox.next_attempt_at IS 'Time of the next attempt. During an attempt, the time after which the process that sends it counts as dead.';
COMMENT ON COLUMN mail_outbox.attempts IS 'Number of attempts that were started.';
COMMENT ON COLUMN mail_outbox.sent_at IS 'When the mail server accepted it; null until then.';
COMMENT ON COLUMN mail_outbox.failed_at IS 'When its last attempt failed, or when a newer mail replaced it; null for a mail that is sent or to be sent.';
COMMENT ON COLUMN mail_outbox.last_error IS 'Why the last attempt failed; never contains a secret.';
