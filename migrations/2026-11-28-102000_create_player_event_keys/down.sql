DROP TABLE player_event_keys;
