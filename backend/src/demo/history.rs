//! The player events of each student, in sessions spread over the past weeks, and their progress.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rand::Rng;
use uuid::Builder;

use super::calendar::Calendar;
use super::viewing::{Action, Student, Video};
use crate::db::Connection;
use crate::db::schema::video_progress;
use crate::models::player_event::bulk_insert::NewPlayerEvent;

/// The number of past days in which sessions take place.
const HISTORY_DAYS: i64 = 60;
/// Events older than this have been synced, each at the next full hour.
const SYNCED_AFTER: TimeDelta = TimeDelta::days(1);
/// The minimum time between two sessions of a student.
const MIN_BREAK: TimeDelta = TimeDelta::minutes(5);

/// The progress of a user in a lesson that the user has not watched before.
#[derive(Debug, Insertable)]
#[diesel(table_name = video_progress)]
pub struct NewVideoProgress {
    pub user_id: i64,
    pub lesson_id: i64,
    pub created_at: DateTime<Utc>,
    /// When the user last watched.
    pub updated_at: DateTime<Utc>,
    /// Playback speed. 1 is normal.
    pub playback_rate: f64,
    /// Current position, in seconds.
    pub last_second: i32,
    /// Furthest position so far, in seconds.
    pub furthest_second: i32,
    /// Total seconds watched.
    pub watched_seconds: i32,
    /// Length of the video, in seconds.
    pub duration: Option<i32>,
    /// Video provider.
    pub source: &'static str,
}

impl NewVideoProgress {
    /// Inserts the rows and returns their number.
    pub async fn insert(conn: &mut Connection, progress: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(video_progress::table).values(progress).execute(conn).await
    }
}

/// A student and the videos of their courses.
pub struct Watcher {
    pub user_id: i64,
    /// The videos, in the order in which they are watched.
    pub videos: Vec<Video>,
}

/// The player events and the progress of all students.
pub struct History {
    /// Ordered by time.
    pub events: Vec<NewPlayerEvent<'static>>,
    /// The progress of each student in each lesson.
    pub progress: Vec<NewVideoProgress>,
}

/// Generates this number of events for these students.
pub fn generate(rng: &mut impl Rng, calendar: Calendar, watchers: Vec<Watcher>, events: usize) -> History {
    let quotas = quotas(rng, watchers.len(), events);
    let mut history = History { events: Vec::with_capacity(events), progress: Vec::new() };
    for (watcher, quota) in watchers.into_iter().zip(quotas) {
        let rate = [75, 100, 100, 100, 100, 125, 125, 150, 200][rng.random_range(0..9)];
        let mut student = Student::new(watcher.videos, rate);
        let mut sessions = Vec::new();
        let mut left = quota;
        while left > 0 {
            let mut session = student.session(rng);
            session.truncate(left);
            if session.is_empty() {
                break;
            }
            left -= session.len();
            sessions.push(session);
        }
        let first = history.events.len();
        for (start, session) in session_starts(rng, calendar, &sessions).into_iter().zip(sessions) {
            let to_event =
                |action| player_event(rng, calendar, watcher.user_id, student.rate(), start, action);
            history.events.extend(session.into_iter().map(to_event));
        }
        history.progress.extend(progress(watcher.user_id, &history.events[first..]));
    }
    history.events.sort_by_key(|event| (event.recorded_at, event.user_id));
    history
}

/// The number of events of each student. Some study four times as much as others.
fn quotas(rng: &mut impl Rng, students: usize, events: usize) -> Vec<usize> {
    let weights: Vec<usize> = (0..students).map(|_| rng.random_range(10..40)).collect();
    let total = weights.iter().sum::<usize>().max(1);
    let (mut weight_so_far, mut events_so_far) = (0, 0);
    let quota = |weight: usize| {
        weight_so_far += weight;
        let quota = events * weight_so_far / total - events_so_far;
        events_so_far += quota;
        quota
    };
    weights.into_iter().map(quota).collect()
}

/// The start of each session: at a likely time for study, after the previous session, and long enough ago.
fn session_starts(rng: &mut impl Rng, calendar: Calendar, sessions: &[Vec<Action>]) -> Vec<DateTime<Utc>> {
    let length = |session: &Vec<Action>| {
        TimeDelta::milliseconds(session.last().map_or(0, |action| action.after)) + MIN_BREAK
    };
    let mut starts: Vec<_> = sessions.iter().map(|_| calendar.study_time(rng, HISTORY_DAYS)).collect();
    starts.sort();
    for next in 1..starts.len() {
        starts[next] = starts[next].max(starts[next - 1] + length(&sessions[next - 1]));
    }
    let mut end = calendar.now;
    for (start, session) in starts.iter_mut().zip(sessions).rev() {
        *start = (*start).min(end - length(session));
        end = *start;
    }
    starts
}

fn player_event(
    rng: &mut impl Rng,
    calendar: Calendar,
    user_id: i64,
    rate: f64,
    start: DateTime<Utc>,
    action: Action,
) -> NewPlayerEvent<'static> {
    let Action { after, event, video, position, watched, context, details } = action;
    let recorded_at = start + TimeDelta::milliseconds(after);
    let synced_at = (recorded_at < calendar.now - SYNCED_AFTER)
        .then(|| recorded_at.duration_trunc(TimeDelta::hours(1)).ok())
        .flatten()
        .map(|hour| hour + TimeDelta::minutes(60) + TimeDelta::seconds(7));
    NewPlayerEvent {
        recorded_at,
        synced_at,
        user_id: Some(user_id),
        course_id: Some(video.course_id),
        lesson_id: Some(video.lesson_id),
        event,
        provider: Some(video.provider),
        playback_seconds: position,
        watched_seconds: watched,
        video_duration: Some(video.duration),
        playback_rate: rate,
        context_tag: context,
        metadata: details,
        client_event_id: Some(Builder::from_random_bytes(rng.random()).into_uuid()),
    }
}

/// The progress of a student, derived from their events.
fn progress(user_id: i64, events: &[NewPlayerEvent<'static>]) -> Vec<NewVideoProgress> {
    let mut lessons: BTreeMap<i64, NewVideoProgress> = BTreeMap::new();
    for event in events {
        let (Some(lesson_id), Some(source)) = (event.lesson_id, event.provider) else { continue };
        let lesson = lessons.entry(lesson_id).or_insert(NewVideoProgress {
            user_id,
            lesson_id,
            created_at: event.recorded_at,
            updated_at: event.recorded_at,
            playback_rate: event.playback_rate,
            last_second: 0,
            furthest_second: 0,
            watched_seconds: 0,
            duration: event.video_duration,
            source,
        });
        lesson.updated_at = event.recorded_at;
        lesson.last_second = event.playback_seconds;
        lesson.furthest_second = lesson.furthest_second.max(event.playback_seconds);
        lesson.watched_seconds = event.watched_seconds;
    }
    lessons.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_playback_position_moves_with_the_clock() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let calendar = Calendar { now, zone: chrono_tz::Tz::Europe__Madrid };
        let video = |lesson_id| Video { lesson_id, course_id: 1, duration: 600, provider: "vimeo" };
        let watchers = vec![Watcher { user_id: 1, videos: (1..=10).map(video).collect() }];
        let history = generate(&mut rng, calendar, watchers, 3_000);
        assert_eq!(history.events.len(), 3_000);
        assert!(history.events.iter().all(|event| event.recorded_at <= now));
        for pair in history.events.windows(2) {
            let [before, after] = pair else { panic!("windows(2) yields pairs") };
            if after.event == "progress_tick" {
                let clock = (after.recorded_at - before.recorded_at).as_seconds_f64();
                let moved = f64::from(after.playback_seconds - before.playback_seconds);
                assert!((moved - clock * after.playback_rate).abs() < 0.01, "{moved} in {clock} s");
                assert_eq!(after.lesson_id, before.lesson_id);
            }
        }
    }
}
