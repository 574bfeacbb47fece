//! How students watch: a session is one lesson from where they left it, with pauses, jumps and what they click on.
//!
//! The position moves with the clock and the playback rate, and the seconds watched only grow.

use std::collections::HashMap;

use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

/// Seconds of video between two ticks.
const TICK: i32 = 30;

/// A lesson's video.
#[derive(Clone, Copy, Debug)]
pub struct Video {
    /// The lesson.
    pub lesson_id: i64,
    /// Its course.
    pub course_id: i64,
    /// How long it is, in seconds.
    pub duration: i32,
    /// Who plays it.
    pub provider: &'static str,
}

/// Something that happened in a session.
#[derive(Debug)]
pub struct Moment {
    /// Milliseconds from the session's start.
    pub after: i64,
    /// What happened.
    pub event: &'static str,
    /// The video.
    pub video: Video,
    /// Where in it, in seconds.
    pub position: i32,
    /// Seconds of it that the student has watched in all.
    pub watched: i32,
    /// The part of the page.
    pub context: &'static str,
    /// Details.
    pub details: Option<Value>,
}

/// A student in front of their videos.
pub struct Student {
    videos: Vec<Video>,
    /// The playback rate, in hundredths.
    rate: i32,
    places: HashMap<i64, Place>,
    next: usize,
}

#[derive(Clone, Copy, Default)]
struct Place {
    position: i32,
    watched: i32,
}

struct Session {
    moments: Vec<Moment>,
    video: Video,
    place: Place,
    clock: i64,
}

impl Student {
    /// A student who has these videos to watch, in this order, at this rate in hundredths.
    pub fn new(videos: Vec<Video>, rate: i32) -> Self {
        Self { videos, rate, places: HashMap::new(), next: 0 }
    }

    /// The rate at which they watch.
    pub fn rate(&self) -> f64 {
        f64::from(self.rate) / 100.0
    }

    /// The next session, from pressing play to leaving.
    pub fn session(&mut self, rng: &mut impl Rng) -> Vec<Moment> {
        let Some(video) = self.choose(rng) else { return Vec::new() };
        let mut place = self.places.get(&video.lesson_id).copied().unwrap_or_default();
        if place.position >= video.duration {
            place.position = 0;
        }
        let mut session = Session { moments: Vec::new(), video, place, clock: 0 };
        session.note("play", "player", None);
        session.look_at_banner(rng);
        session.watch(rng, self.rate);
        if session.place.position >= video.duration
            && self.videos.get(self.next).is_some_and(|next| next.lesson_id == video.lesson_id)
        {
            self.next += 1;
        }
        self.places.insert(video.lesson_id, session.place);
        session.moments
    }

    /// Mostly the next lesson; now and then one from before, and any when all are done.
    fn choose(&self, rng: &mut impl Rng) -> Option<Video> {
        match self.videos.get(self.next) {
            Some(next) if !rng.random_ratio(1, 10) => Some(*next),
            Some(_) => self.videos[..=self.next].choose(rng).copied(),
            None => self.videos.choose(rng).copied(),
        }
    }
}

impl Session {
    fn note(&mut self, event: &'static str, context: &'static str, details: Option<Value>) {
        let Self { video, place, clock, .. } = *self;
        let Place { position, watched } = place;
        self.moments.push(Moment { after: clock, event, video, position, watched, context, details });
    }

    fn wait(&mut self, rng: &mut impl Rng, from_ms: i64, to_ms: i64) {
        self.clock += rng.random_range(from_ms..to_ms);
    }

    fn look_at_banner(&mut self, rng: &mut impl Rng) {
        if !rng.random_ratio(18, 100) {
            return;
        }
        let details = json!({ "banner": "practica-en-vivo", "text": "¿Practicamos? «Hoy, 19:00» 🎧" });
        self.wait(rng, 600, 1_800);
        self.note("banner_view", "banner", Some(details.clone()));
        if rng.random_ratio(15, 100) {
            self.wait(rng, 900, 6_000);
            self.note("banner_click", "banner", Some(details));
        }
    }

    /// Watches until the video ends or the student has had enough.
    fn watch(&mut self, rng: &mut impl Rng, rate: i32) {
        let left = self.video.duration - self.place.position;
        let enough = self.place.position + (left * rng.random_range(35..130) / 100).max(TICK);
        let end = enough.min(self.video.duration);
        let mut offered = false;
        while self.place.position < end {
            let step = TICK.min(end - self.place.position);
            self.place.position += step;
            self.place.watched += step;
            self.clock += i64::from(step) * 100_000 / i64::from(rate);
            self.note("progress_tick", "player", None);
            if !offered && self.place.position * 100 > self.video.duration * 85 {
                offered = true;
                self.consider_offer(rng);
            }
            match rng.random_range(0..1000) {
                0..55 => {
                    self.note("pause", "player", None);
                    self.wait(rng, 4_000, 240_000);
                    self.note("play", "player", None);
                }
                55..90 => self.jump(rng),
                90..102 => {
                    self.wait(rng, 500, 4_000);
                    let details = json!({ "resource": "apuntes, tema a tema.pdf" });
                    self.note("resource_click", "lesson", Some(details));
                }
                _ => {}
            }
        }
        self.note("pause", "player", None);
    }

    fn consider_offer(&mut self, rng: &mut impl Rng) {
        if !rng.random_ratio(60, 100) {
            return;
        }
        let details = json!({ "label": "Reserva tu práctica, con \"pack\" o sin él" });
        self.wait(rng, 300, 1_500);
        self.note("cta_view", "cta", Some(details.clone()));
        if rng.random_ratio(20, 100) {
            self.wait(rng, 1_500, 9_000);
            self.note("cta_click", "cta", Some(details));
        }
    }

    fn jump(&mut self, rng: &mut impl Rng) {
        let from = self.place.position;
        let by = if rng.random_ratio(65, 100) { -rng.random_range(10..60) } else { rng.random_range(10..90) };
        self.wait(rng, 300, 2_000);
        self.place.position = (from + by).clamp(0, self.video.duration);
        self.note("seek", "player", Some(json!({ "from": from, "to": self.place.position })));
    }
}
