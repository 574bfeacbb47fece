CREATE TABLE alarms (
    name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 50),
    notified_at timestamptz NOT NULL,
    active_since timestamptz
);

COMMENT ON TABLE alarms IS 'Alarms that people were notified of. The server that advances notified_at sends the notifications, so that of several servers only one does.';
COMMENT ON COLUMN alarms.name IS 'What the alarm is about, such as telemetry_backlog.';
COMMENT ON COLUMN alarms.notified_at IS 'When people were last notified of the alarm.';
COMMENT ON COLUMN alarms.active_since IS 'When people were first notified of the alarm; null once they were notified of its end.';
