CREATE TABLE alarms (
    name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 50),
    notified_at timestamptz NOT NULL,
    standing_since timestamptz
);

COMMENT ON TABLE alarms IS 'What people were told of alarms: whoever moves notified_at on tells them, so that of many servers one does.';
COMMENT ON COLUMN alarms.name IS 'What the alarm is about, such as telemetry_backlog.';
COMMENT ON COLUMN alarms.notified_at IS 'When people were last told that there is cause for it.';
COMMENT ON COLUMN alarms.standing_since IS 'Since when they know of cause that there still is; null once they were told that it is gone.';
