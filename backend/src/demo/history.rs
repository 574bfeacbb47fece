//! What the player reported of each student: their sessions spread over the past weeks, and how far they came.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use rand::Rng;
use uuid::Builder;

use super::calendar::Calendar;
use super::viewing::{Moment, Student, Video};
use crate::models::video_progress::NewVideoProgress;
use crate::telemetry::recorder::player_events::NewPlayerEvent;

/// How many days back the first session may be.
const DAYS: i64 = 60;
/// What is older than this went to the analytics services at the next full hour.
const SYNCED_AFTER: TimeDelta = TimeDelta::days(1);
/// The least time between two sessions of one student.
const BREAK: TimeDelta = TimeDelta::minutes(5);

/// A student and the videos of their courses.
pub struct Watcher {
    /// The student.
    pub user_id: i64,
    /// Their videos in order.
    pub videos: Vec<Video>,
}

/// Everything that the player reported.
pub struct History {
    /// In the order in which it happened.
    pub events: Vec<NewPlayerEvent<'static>>,
    /// How far each student is in each lesson.
    pub progress: Vec<NewVideoProgress>,
}

/// So many events of these students.
pub fn write(rng: &mut impl Rng, calendar: Calendar, watchers: Vec<Watcher>, events: usize) -> History {
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
        let begun = history.events.len();
        for (start, session) in begin(rng, calendar, &sessions).into_iter().zip(sessions) {
            let report = |moment| report(rng, calendar, watcher.user_id, student.rate(), start, moment);
            history.events.extend(session.into_iter().map(report));
        }
        history.progress.extend(progress(watcher.user_id, &history.events[begun..]));
    }
    history.events.sort_by_key(|event| (event.recorded_at, event.user_id));
    history
}

/// How many of the events each student leaves: some study four times as much as others.
fn quotas(rng: &mut impl Rng, students: usize, events: usize) -> Vec<usize> {
    let weights: Vec<usize> = (0..students).map(|_| rng.random_range(10..40)).collect();
    let total = weights.iter().sum::<usize>().max(1);
    let (mut weighed, mut given) = (0, 0);
    let quota = |weight: usize| {
        weighed += weight;
        let quota = events * weighed / total - given;
        given += quota;
        quota
    };
    weights.into_iter().map(quota).collect()
}

/// When each session begins: at a time for study, after the one before, and over by now.
fn begin(rng: &mut impl Rng, calendar: Calendar, sessions: &[Vec<Moment>]) -> Vec<DateTime<Utc>> {
    let length = |session: &Vec<Moment>| {
        TimeDelta::milliseconds(session.last().map_or(0, |moment| moment.after)) + BREAK
    };
    let mut starts: Vec<_> = sessions.iter().map(|_| calendar.study_time(rng, DAYS)).collect();
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

fn report(
    rng: &mut impl Rng,
    calendar: Calendar,
    user_id: i64,
    rate: f64,
    start: DateTime<Utc>,
    moment: Moment,
) -> NewPlayerEvent<'static> {
    let Moment { after, event, video, position, watched, context, details } = moment;
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

/// How far one student is, by what the player reported of them.
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
    fn a_students_position_moves_no_faster_than_the_clock() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let calendar = Calendar { now, zone: chrono_tz::Tz::Europe__Madrid };
        let video = |lesson_id| Video { lesson_id, course_id: 1, duration: 600, provider: "vimeo" };
        let watchers = vec![Watcher { user_id: 1, videos: (1..=10).map(video).collect() }];
        let history = write(&mut rng, calendar, watchers, 3_000);
        assert_eq!(history.events.len(), 3_000);
        assert!(history.events.iter().all(|event| event.recorded_at <= now));
        for pair in history.events.windows(2) {
            let [before, after] = pair else { panic!("windows of two") };
            if after.event == "progress_tick" {
                let clock = (after.recorded_at - before.recorded_at).as_seconds_f64();
                let moved = f64::from(after.playback_seconds - before.playback_seconds);
                assert!((moved - clock * after.playback_rate).abs() < 0.01, "{moved} in {clock} s");
                assert_eq!(after.lesson_id, before.lesson_id);
            }
        }
    }
}
