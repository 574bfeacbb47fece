//! In which session of its viewer an event happened, and how much they watched since the event before.
//!
//! A session ends where half an hour passes without an event, as Google Analytics has it by default.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use diesel::QueryResult;
use uuid::Uuid;

use super::Outgoing;
use crate::db::Connection;
use crate::models::telemetry_delivery::{PendingEvent, Viewing, viewed_before};

/// A pause this long ends a session.
const GAP: TimeDelta = TimeDelta::minutes(30);

/// So many viewers are kept in mind.
const MAX_TRACKED_VIEWERS: usize = 50_000;

/// The session of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Time watched since the viewer's event before, in milliseconds; at least 1.
    pub engagement_ms: i64,
}

/// A viewer's session as far as it has come.
#[derive(Clone, Copy, Debug)]
struct OpenSession {
    started_at: DateTime<Utc>,
    last: Viewing,
}

/// The sessions of viewers whose events go by in order.
#[derive(Debug, Default)]
pub struct SessionTracker(HashMap<i64, OpenSession>);

impl SessionTracker {
    /// Gives each event its session. What the viewers did before is read from the database once.
    pub async fn assign(
        &mut self,
        conn: &mut Connection,
        installation: Uuid,
        events: Vec<PendingEvent>,
    ) -> QueryResult<Vec<Outgoing>> {
        let mut strangers: HashMap<i64, DateTime<Utc>> = HashMap::new();
        for event in &events {
            let Some(user) = event.user_id else { continue };
            let known =
                self.0.get(&user).is_some_and(|session| session.last.recorded_at <= event.recorded_at);
            if !known {
                let first = strangers.entry(user).or_insert(event.recorded_at);
                *first = event.recorded_at.min(*first);
            }
        }
        if !strangers.is_empty() {
            let strangers: Vec<_> = strangers.into_iter().collect();
            if self.0.len() + strangers.len() > MAX_TRACKED_VIEWERS {
                self.0.clear();
            }
            for (user, _) in &strangers {
                self.0.remove(user);
            }
            for viewing in viewed_before(conn, &strangers).await? {
                self.go_on(viewing);
            }
        }
        Ok(events.into_iter().map(|event| self.in_session(installation, event)).collect())
    }

    fn in_session(&mut self, installation: Uuid, event: PendingEvent) -> Outgoing {
        let session = match event.user_id {
            Some(user_id) => self.go_on(Viewing {
                user_id,
                recorded_at: event.recorded_at,
                lesson_id: event.lesson_id,
                playback_seconds: event.playback_seconds,
            }),
            // A guest's events have nothing in common.
            None => Session {
                started_at: event.recorded_at.duration_trunc(GAP).unwrap_or(event.recorded_at),
                engagement_ms: 1,
            },
        };
        Outgoing { session: Some(session), ..outgoing(installation, event) }
    }

    /// The session of a viewer's next event.
    fn go_on(&mut self, next: Viewing) -> Session {
        let session =
            self.0.entry(next.user_id).or_insert(OpenSession { started_at: next.recorded_at, last: next });
        if next.recorded_at - session.last.recorded_at > GAP {
            *session = OpenSession { started_at: next.recorded_at, last: next };
        }
        let engagement_ms = watched_ms(&session.last, &next);
        session.last = next;
        Session { started_at: session.started_at, engagement_ms }
    }
}

/// An event that is told without a session.
pub fn outgoing(installation: Uuid, event: PendingEvent) -> Outgoing {
    let uid = Uuid::new_v5(&installation, format!("video_player_events:{}", event.id).as_bytes());
    Outgoing { event, session: None, uid }
}

/// What was watched from one event to the next: no more than the time between them, and nothing where the position did
/// not move on in the same lesson.
fn watched_ms(last: &Viewing, next: &Viewing) -> i64 {
    let passed = (next.recorded_at - last.recorded_at).num_milliseconds();
    let watched = i64::from(next.playback_seconds - last.playback_seconds) * 1000;
    if last.lesson_id == next.lesson_id { watched.min(passed).max(1) } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64, playback_seconds: i32) -> Viewing {
        let recorded_at = DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap();
        Viewing { user_id: 7, recorded_at, lesson_id: Some(1), playback_seconds }
    }

    #[test]
    fn a_session_goes_on_until_half_an_hour_passes_without_an_event() {
        let mut book = SessionTracker::default();
        let sessions = [0, 20, 50, 81].map(|minute| book.go_on(at(minute, 0)).started_at);
        assert_eq!(sessions, [0, 0, 0, 81].map(|minute| at(minute, 0).recorded_at));
    }

    #[test]
    fn only_what_can_have_been_watched_counts() {
        let watched = |last, next| watched_ms(&last, &next);
        assert_eq!(watched(at(0, 10), at(1, 25)), 15_000);
        assert_eq!(watched(at(0, 10), at(1, 900)), 60_000, "they jumped ahead");
        assert_eq!(watched(at(0, 900), at(1, 10)), 1, "they jumped back");
        assert_eq!(watched(at(0, 10), Viewing { lesson_id: Some(2), ..at(1, 25) }), 1);
    }
}
