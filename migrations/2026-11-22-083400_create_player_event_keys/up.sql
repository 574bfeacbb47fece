-- The events themselves cannot hold a player to one event per id: an index that is unique has to hold the partition's
-- key, and a retry without a time of its own would fall on another. No foreign keys: the event that is written with the
-- key has them, and each would be checked once more for every event.
CREATE TABLE player_event_keys (
    client_event_id uuid NOT NULL,
    user_id bigint NOT NULL,
    event_id bigint NOT NULL,
    tick_of_lesson_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_event_id, user_id)
);

-- To forget the oldest.
CREATE INDEX player_event_keys_created_at_idx ON player_event_keys (created_at);

COMMENT ON TABLE player_event_keys IS 'Ids that players made for their events, kept for a month so that a retry records nothing twice. Erasing a user''s data has to delete theirs.';
COMMENT ON COLUMN player_event_keys.client_event_id IS 'Id that the player made.';
COMMENT ON COLUMN player_event_keys.user_id IS 'The viewer: ids of two viewers are never taken for each other.';
COMMENT ON COLUMN player_event_keys.event_id IS 'The event that was recorded for it.';
COMMENT ON COLUMN player_event_keys.tick_of_lesson_id IS 'Lesson whose progress the event moved; null when it was no tick of one.';
COMMENT ON COLUMN player_event_keys.created_at IS 'When it was recorded.';
