//! Player events as they are recorded. [`super::dataset::video_player_event`] has the rows that are read.

pub mod bulk_insert;
pub mod record;

/// The columns that are inserted as they are, however an event is recorded.
const RECORDED_COLUMNS: &str = "user_id, course_id, lesson_id, event, provider, playback_seconds, watched_seconds, \
    video_duration, playback_rate, context_tag, metadata, client_event_id";
