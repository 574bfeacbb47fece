//! Assigns events to their viewers' sessions, and computes how long a viewer watched since the previous
//! event.
//!
//! A session ends after half an hour without an event, which is the default of Google Analytics.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use diesel::QueryResult;
use uuid::Uuid;

use super::OutgoingEvent;
use crate::db::Connection;
use crate::models::telemetry_delivery::{PendingEvent, ViewedEvent, viewer_history};

/// Time without an event after which a session ends.
const SESSION_TIMEOUT: TimeDelta = TimeDelta::minutes(30);

/// Maximum number of viewers whose sessions are kept in memory.
const MAX_TRACKED_VIEWERS: usize = 50_000;

/// The session of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub started_at: DateTime<Utc>,
    /// Time watched since the viewer's previous event, in milliseconds. At least 1.
    pub engagement_ms: i64,
}

/// A viewer's current session.
#[derive(Clone, Copy, Debug)]
struct OpenSession {
    started_at: DateTime<Utc>,
    last: ViewedEvent,
}

/// Tracks the sessions of viewers. Each viewer's events must come in order.
#[derive(Debug, Default)]
pub struct SessionTracker(HashMap<i64, OpenSession>);

impl SessionTracker {
    /// Assigns each event to a session. A viewer's earlier events are read from the database once.
    pub async fn assign(
        &mut self,
        conn: &mut Connection,
        installation_id: Uuid,
        events: Vec<PendingEvent>,
    ) -> QueryResult<Vec<OutgoingEvent>> {
        let mut unknown: HashMap<i64, DateTime<Utc>> = HashMap::new();
        for event in &events {
            let Some(user) = event.user_id else { continue };
            let is_known =
                self.0.get(&user).is_some_and(|session| session.last.recorded_at <= event.recorded_at);
            if !is_known {
                let first = unknown.entry(user).or_insert(event.recorded_at);
                *first = event.recorded_at.min(*first);
            }
        }
        if !unknown.is_empty() {
            let unknown: Vec<_> = unknown.into_iter().collect();
            if self.0.len() + unknown.len() > MAX_TRACKED_VIEWERS {
                self.0.clear();
            }
            for (user, _) in &unknown {
                self.0.remove(user);
            }
            for earlier in viewer_history(conn, &unknown).await? {
                self.advance(earlier);
            }
        }
        Ok(events.into_iter().map(|event| self.with_session(installation_id, event)).collect())
    }

    fn with_session(&mut self, installation_id: Uuid, event: PendingEvent) -> OutgoingEvent {
        let session = match event.user_id {
            Some(user_id) => self.advance(ViewedEvent {
                user_id,
                recorded_at: event.recorded_at,
                lesson_id: event.lesson_id,
                playback_seconds: event.playback_seconds,
            }),
            // The events of a guest cannot be linked to each other.
            None => Session {
                started_at: event.recorded_at.duration_trunc(SESSION_TIMEOUT).unwrap_or(event.recorded_at),
                engagement_ms: 1,
            },
        };
        OutgoingEvent { session: Some(session), ..without_session(installation_id, event) }
    }

    /// Adds a viewer's next event, and returns its session.
    fn advance(&mut self, next: ViewedEvent) -> Session {
        let session =
            self.0.entry(next.user_id).or_insert(OpenSession { started_at: next.recorded_at, last: next });
        if next.recorded_at - session.last.recorded_at > SESSION_TIMEOUT {
            *session = OpenSession { started_at: next.recorded_at, last: next };
        }
        let engagement_ms = watched_ms(&session.last, &next);
        session.last = next;
        Session { started_at: session.started_at, engagement_ms }
    }
}

/// An event that is sent without a session.
pub fn without_session(installation_id: Uuid, event: PendingEvent) -> OutgoingEvent {
    let idempotency_key =
        Uuid::new_v5(&installation_id, format!("video_player_events:{}", event.id).as_bytes());
    OutgoingEvent { event, session: None, idempotency_key }
}

/// The time watched between two events, in milliseconds. At most the time between them, and 1 unless the
/// position moved forward in the same lesson.
fn watched_ms(last: &ViewedEvent, next: &ViewedEvent) -> i64 {
    let elapsed = (next.recorded_at - last.recorded_at).num_milliseconds();
    let watched = i64::from(next.playback_seconds - last.playback_seconds) * 1000;
    if last.lesson_id == next.lesson_id { watched.min(elapsed).max(1) } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64, playback_seconds: i32) -> ViewedEvent {
        let recorded_at = DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap();
        ViewedEvent { user_id: 7, recorded_at, lesson_id: Some(1), playback_seconds }
    }

    #[test]
    fn a_session_ends_after_half_an_hour_without_an_event() {
        let mut tracker = SessionTracker::default();
        let sessions = [0, 20, 50, 81].map(|minute| tracker.advance(at(minute, 0)).started_at);
        assert_eq!(sessions, [0, 0, 0, 81].map(|minute| at(minute, 0).recorded_at));
    }

    #[test]
    fn only_time_that_can_have_been_watched_counts() {
        let watched = |last, next| watched_ms(&last, &next);
        assert_eq!(watched(at(0, 10), at(1, 25)), 15_000);
        assert_eq!(watched(at(0, 10), at(1, 900)), 60_000, "a jump forward");
        assert_eq!(watched(at(0, 900), at(1, 10)), 1, "a jump back");
        assert_eq!(watched(at(0, 10), ViewedEvent { lesson_id: Some(2), ..at(1, 25) }), 1);
    }
}
