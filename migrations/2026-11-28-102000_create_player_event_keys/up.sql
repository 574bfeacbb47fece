-- A unique index of the partitioned events would have to contain recorded_at, which may differ in a retry. There are no
-- foreign keys, because users and lessons are looked up when the event is recorded.
CREATE TABLE player_event_keys (
    client_event_id uuid NOT NULL,
    user_id bigint NOT NULL,
    event_id bigint NOT NULL,
    progress_lesson_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_event_id, user_id)
);

-- Old keys are deleted.
CREATE INDEX player_event_keys_created_at_idx ON player_event_keys (created_at);

COMMENT ON TABLE player_event_keys IS 'Ids that video players generate for their events, kept for a month, so that a retry records no event twice. They are part of a user''s data. Distribution column: user_id.';
COMMENT ON COLUMN player_event_keys.client_event_id IS 'Id that the player generated.';
COMMENT ON COLUMN player_event_keys.user_id IS 'The viewer. Equal ids of two viewers are different keys.';
COMMENT ON COLUMN player_event_keys.event_id IS 'The recorded event.';
COMMENT ON COLUMN player_event_keys.progress_lesson_id IS 'Lesson whose progress the event updated; null if it was not a progress event.';
COMMENT ON COLUMN player_event_keys.created_at IS 'When the event was recorded.';
