//! How students watch videos. A session continues one lesson, with pauses, seeks and clicks.
//!
//! The position moves with the clock and the playback rate. The number of watched seconds only grows.

use std::collections::HashMap;

use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

/// Seconds of video between two progress ticks.
const TICK_SECONDS: i32 = 30;

/// A lesson's video.
#[derive(Clone, Copy, Debug)]
pub struct Video {
    pub lesson_id: i64,
    pub course_id: i64,
    /// In seconds.
    pub duration: i32,
    pub provider: &'static str,
}

/// An action of a student in a session.
#[derive(Debug)]
pub struct Action {
    /// Milliseconds since the start of the session.
    pub after: i64,
    pub event: &'static str,
    pub video: Video,
    /// The position in the video, in seconds.
    pub position: i32,
    /// The total number of seconds of the video that the student has watched.
    pub watched: i32,
    /// The part of the page.
    pub context: &'static str,
    pub details: Option<Value>,
}

/// A student who watches videos.
pub struct Student {
    videos: Vec<Video>,
    /// The playback rate, in hundredths.
    rate: i32,
    progress: HashMap<i64, Progress>,
    next: usize,
}

#[derive(Clone, Copy, Default)]
struct Progress {
    position: i32,
    watched: i32,
}

struct Session {
    actions: Vec<Action>,
    video: Video,
    progress: Progress,
    /// Milliseconds since the start of the session.
    clock: i64,
}

impl Student {
    /// A student who watches these videos in order, at this playback rate in hundredths.
    pub fn new(videos: Vec<Video>, rate: i32) -> Self {
        Self { videos, rate, progress: HashMap::new(), next: 0 }
    }

    /// The playback rate.
    pub fn rate(&self) -> f64 {
        f64::from(self.rate) / 100.0
    }

    /// The actions of the next session, from the first play to the last pause.
    pub fn session(&mut self, rng: &mut impl Rng) -> Vec<Action> {
        let Some(video) = self.choose_video(rng) else { return Vec::new() };
        let mut progress = self.progress.get(&video.lesson_id).copied().unwrap_or_default();
        if progress.position >= video.duration {
            progress.position = 0;
        }
        let mut session = Session { actions: Vec::new(), video, progress, clock: 0 };
        session.record("play", "player", None);
        session.maybe_view_banner(rng);
        session.watch(rng, self.rate);
        if session.progress.position >= video.duration
            && self.videos.get(self.next).is_some_and(|next| next.lesson_id == video.lesson_id)
        {
            self.next += 1;
        }
        self.progress.insert(video.lesson_id, session.progress);
        session.actions
    }

    /// Usually the next video, sometimes an earlier one. Any video once all are watched.
    fn choose_video(&self, rng: &mut impl Rng) -> Option<Video> {
        match self.videos.get(self.next) {
            Some(next) if !rng.random_ratio(1, 10) => Some(*next),
            Some(_) => self.videos[..=self.next].choose(rng).copied(),
            None => self.videos.choose(rng).copied(),
        }
    }
}

impl Session {
    fn record(&mut self, event: &'static str, context: &'static str, details: Option<Value>) {
        let Self { video, progress, clock, .. } = *self;
        let Progress { position, watched } = progress;
        self.actions.push(Action { after: clock, event, video, position, watched, context, details });
    }

    fn wait(&mut self, rng: &mut impl Rng, from_ms: i64, to_ms: i64) {
        self.clock += rng.random_range(from_ms..to_ms);
    }

    fn maybe_view_banner(&mut self, rng: &mut impl Rng) {
        if !rng.random_ratio(18, 100) {
            return;
        }
        let details = json!({ "banner": "practica-en-vivo", "text": "¿Practicamos? «Hoy, 19:00» 🎧" });
        self.wait(rng, 600, 1_800);
        self.record("banner_view", "banner", Some(details.clone()));
        if rng.random_ratio(15, 100) {
            self.wait(rng, 900, 6_000);
            self.record("banner_click", "banner", Some(details));
        }
    }

    /// Watches until the video ends or the student stops.
    fn watch(&mut self, rng: &mut impl Rng, rate: i32) {
        let remaining = self.video.duration - self.progress.position;
        let stop = self.progress.position + (remaining * rng.random_range(35..130) / 100).max(TICK_SECONDS);
        let end = stop.min(self.video.duration);
        let mut offered = false;
        while self.progress.position < end {
            let watched = TICK_SECONDS.min(end - self.progress.position);
            self.progress.position += watched;
            self.progress.watched += watched;
            self.clock += i64::from(watched) * 100_000 / i64::from(rate);
            self.record("progress_tick", "player", None);
            if !offered && self.progress.position * 100 > self.video.duration * 85 {
                offered = true;
                self.maybe_view_offer(rng);
            }
            match rng.random_range(0..1000) {
                0..55 => {
                    self.record("pause", "player", None);
                    self.wait(rng, 4_000, 240_000);
                    self.record("play", "player", None);
                }
                55..90 => self.seek(rng),
                90..102 => {
                    self.wait(rng, 500, 4_000);
                    let details = json!({ "resource": "apuntes, tema a tema.pdf" });
                    self.record("resource_click", "lesson", Some(details));
                }
                _ => {}
            }
        }
        self.record("pause", "player", None);
    }

    fn maybe_view_offer(&mut self, rng: &mut impl Rng) {
        if !rng.random_ratio(60, 100) {
            return;
        }
        let details = json!({ "label": "Reserva tu práctica, con \"pack\" o sin él" });
        self.wait(rng, 300, 1_500);
        self.record("cta_view", "cta", Some(details.clone()));
        if rng.random_ratio(20, 100) {
            self.wait(rng, 1_500, 9_000);
            self.record("cta_click", "cta", Some(details));
        }
    }

    fn seek(&mut self, rng: &mut impl Rng) {
        let from = self.progress.position;
        let by = if rng.random_ratio(65, 100) { -rng.random_range(10..60) } else { rng.random_range(10..90) };
        self.wait(rng, 300, 2_000);
        self.progress.position = (from + by).clamp(0, self.video.duration);
        self.record("seek", "player", Some(json!({ "from": from, "to": self.progress.position })));
    }
}
