CREATE TABLE platform_events (
    event_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN (
        'practice_reserved',
        'reservation_cancelled',
        'practice_package_purchased',
        'practice_session_consumed',
        'practice_request_escalated'
    )),
    applied_at timestamptz NOT NULL DEFAULT now(),
    snapshot_ids bigint[] NOT NULL DEFAULT '{}' CHECK (array_position(snapshot_ids, NULL) IS NULL)
);

COMMENT ON TABLE platform_events IS 'Domain events of the learning platform that were applied, so that none is applied twice.';
COMMENT ON COLUMN platform_events.event_id IS 'Id the platform gave it.';
COMMENT ON COLUMN platform_events.kind IS 'What happened.';
COMMENT ON COLUMN platform_events.applied_at IS 'When it was applied.';
COMMENT ON COLUMN platform_events.snapshot_ids IS 'Snapshots that came of it: of teachers when a request was escalated, else of students.';
