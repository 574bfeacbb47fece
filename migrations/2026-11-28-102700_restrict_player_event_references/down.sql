DROP TRIGGER restrict_truncation ON lessons;
DROP TRIGGER restrict_truncation ON courses;
DROP TRIGGER restrict_truncation ON users;
DROP TRIGGER restrict_player_event_references ON lessons;
DROP TRIGGER restrict_player_event_references ON courses;
DROP TRIGGER restrict_player_event_references ON users;
DROP FUNCTION restrict_player_event_references();
