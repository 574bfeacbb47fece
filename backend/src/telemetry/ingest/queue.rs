//! What waits to be recorded, and who works at it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use super::{Accepted, NotRecorded};
use crate::telemetry::player_event::PlayerEvent;
use crate::unpoisoned;

/// The most events of a group, unless one job alone has more.
const GROUP: usize = 1000;

/// So many events must wait before one worker more is worth it: groups that are too small cost the database more than
/// they save in time.
const WORTH_A_WORKER: usize = 100;

/// Good events of one sender.
pub struct Job {
    /// At least one.
    pub events: Vec<PlayerEvent>,
    /// Where the answers go, one per event in order, or why there are none.
    pub results: oneshot::Sender<crate::error::Result<Vec<Result<Accepted, NotRecorded>>>>,
}

/// Jobs in the order in which they came.
pub struct Queue {
    most_events: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Of all jobs that wait.
    events: usize,
    workers: usize,
}

/// No more events fit in.
#[derive(Debug)]
pub struct Full;

/// A worker's place, given up when there is no more work, or when it is dropped, however that came.
pub struct Place {
    queue: Arc<Queue>,
    is_held: bool,
}

impl Queue {
    /// An empty queue for so many events.
    pub fn new(most_events: usize) -> Self {
        Self { most_events, state: Mutex::default() }
    }

    /// Takes a job in, whole or not at all.
    pub fn put(&self, job: Job) -> Result<(), Full> {
        let mut state = self.state();
        let events = state.events + job.events.len();
        // A queue that is empty takes anything, or a job larger than the queue would never be taken.
        if events > self.most_events && !state.jobs.is_empty() {
            return Err(Full);
        }
        state.events = events;
        state.jobs.push_back(job);
        Ok(())
    }

    /// A place for one worker more, if there is work for them and fewer than `most` are at it.
    pub fn place_for_worker(queue: &Arc<Self>, most: usize) -> Option<Place> {
        let mut state = queue.state();
        if state.workers >= most || !state.has_work_beside(state.workers) {
            return None;
        }
        state.workers += 1;
        Some(Place { queue: Arc::clone(queue), is_held: true })
    }

    /// How many events wait.
    pub fn events(&self) -> usize {
        self.state().events
    }

    fn state(&self) -> MutexGuard<'_, State> {
        unpoisoned::lock(&self.state)
    }
}

impl State {
    /// Whether there is work for one more than so many workers.
    fn has_work_beside(&self, workers: usize) -> bool {
        let enough = if workers == 0 { 1 } else { WORTH_A_WORKER };
        self.events >= enough
    }
}

impl Place {
    /// The next group of jobs. Where there is none, or not enough to share, the place is given up in the same moment, so that whoever comes
    /// next finds it free.
    pub fn next_group(&mut self) -> Vec<Job> {
        let mut state = self.queue.state();
        let mut group = Vec::new();
        let mut events = 0;
        let is_worth_it = self.is_held && state.has_work_beside(state.workers - 1);
        while let Some(job) = state.jobs.front().filter(|_| is_worth_it) {
            if !group.is_empty() && events + job.events.len() > GROUP {
                break;
            }
            events += job.events.len();
            group.extend(state.jobs.pop_front());
        }
        state.events -= events;
        if group.is_empty() && self.is_held {
            state.workers -= 1;
            self.is_held = false;
        }
        group
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_held {
            self.queue.state().workers -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn job(events: usize) -> Job {
        let event = PlayerEvent {
            client_event_id: None,
            recorded_at: DateTime::UNIX_EPOCH,
            user_id: 1,
            needs_active_user: false,
            lesson_id: None,
            event: "play".to_owned(),
            provider: None,
            playback_seconds: 0,
            watched_seconds: 0,
            video_duration: None,
            playback_rate: 1.0,
            context_tag: "player".to_owned(),
            metadata: None,
        };
        Job { events: vec![event; events], results: oneshot::channel().0 }
    }

    #[test]
    fn what_does_not_fit_is_refused_whole() {
        let queue = Arc::new(Queue::new(10));
        assert!(queue.put(job(6)).is_ok());
        assert!(queue.put(job(5)).is_err());
        assert!(queue.put(job(4)).is_ok());
        assert!(queue.put(job(1)).is_err());
        let mut place = Queue::place_for_worker(&queue, 1).unwrap();
        assert_eq!(place.next_group().len(), 2);
        assert!(queue.put(job(500)).is_ok(), "an empty queue takes any job");
    }

    #[test]
    fn a_group_ends_before_it_is_too_large() {
        let queue = Arc::new(Queue::new(10_000));
        for events in [400, 500, 101, 999, 1, 1] {
            queue.put(job(events)).unwrap();
        }
        let mut place = Queue::place_for_worker(&queue, 1).unwrap();
        let mut sizes = || place.next_group().iter().map(|job| job.events.len()).collect::<Vec<_>>();
        assert_eq!([sizes(), sizes(), sizes(), sizes()], [vec![400, 500], vec![101], vec![999, 1], vec![1]]);
    }

    #[test]
    fn there_are_only_so_many_workers_and_none_without_work() {
        let queue = Arc::new(Queue::new(1000));
        assert!(Queue::place_for_worker(&queue, 2).is_none());
        queue.put(job(1)).unwrap();
        let alone = Queue::place_for_worker(&queue, 2);
        assert!(alone.is_some() && Queue::place_for_worker(&queue, 2).is_none(), "one event is work for one");
        drop(alone);
        queue.put(job(400)).unwrap();
        let places = [Queue::place_for_worker(&queue, 2), Queue::place_for_worker(&queue, 2)];
        assert!(places.iter().all(Option::is_some));
        assert!(Queue::place_for_worker(&queue, 2).is_none());
        let [first, second] = places;
        drop(first);
        let mut third = Queue::place_for_worker(&queue, 2).unwrap();
        assert_eq!(third.next_group().len(), 2);
        queue.put(job(99)).unwrap();
        assert_eq!(third.next_group().len(), 0, "the second will do that");
        queue.put(job(1)).unwrap();
        let fourth = Queue::place_for_worker(&queue, 2);
        assert!(fourth.is_some(), "the third has given up its place, though it is there");
        drop((second, third));
    }
}
