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
COMMENT ON COLUMN platform_events.event_id IS 'Id that the platform assigned.';
COMMENT ON COLUMN platform_events.kind IS 'Kind of the event.';
COMMENT ON COLUMN platform_events.applied_at IS 'When it was applied.';
COMMENT ON COLUMN platform_events.snapshot_ids IS 'Snapshots that it created: of teachers for an escalated request, of students for all others.';
