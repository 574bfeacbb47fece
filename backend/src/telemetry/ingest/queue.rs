//! The queue of events to be recorded, and the slots of the workers that record them.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::{Accepted, NotRecorded};
use crate::models::player_event::record::PlayerEvent;

/// Maximum events in a group, unless a single job has more.
const MAX_GROUP_SIZE: usize = 1000;

/// Events in the queue at which another worker starts. Smaller groups cost the database more than they save
/// in time.
const EXTRA_WORKER_THRESHOLD: usize = 100;

/// The valid events of one request.
pub struct Job {
    /// At least one.
    pub events: Vec<PlayerEvent>,
    /// Receives a result for each event, in order, or an error for all of them.
    pub results: oneshot::Sender<crate::error::Result<Vec<Result<Accepted, NotRecorded>>>>,
}

/// A first-in, first-out queue of jobs.
pub struct Queue {
    /// Maximum events in the queue.
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// The number of events in `jobs`.
    events: usize,
    workers: usize,
}

/// The queue is full.
#[derive(Debug)]
pub struct Full;

/// A worker's slot. It is released when the worker runs out of work, and on drop.
pub struct WorkerSlot {
    queue: Arc<Queue>,
    is_occupied: bool,
}

impl Queue {
    /// Creates an empty queue for `capacity` events.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    /// Adds a job, if all of its events fit.
    pub fn push(&self, job: Job) -> Result<(), Full> {
        let mut state = self.state();
        let events = state.events + job.events.len();
        // An empty queue accepts any job. Otherwise a job larger than the queue would be rejected forever.
        if events > self.capacity && !state.jobs.is_empty() {
            return Err(Full);
        }
        state.events = events;
        state.jobs.push_back(job);
        Ok(())
    }

    /// Acquires a slot for another worker, if there is enough work and fewer than `max_workers` are running.
    pub fn acquire_slot(queue: &Arc<Self>, max_workers: usize) -> Option<WorkerSlot> {
        let mut state = queue.state();
        if state.workers >= max_workers || !state.has_work_for_another(state.workers) {
            return None;
        }
        state.workers += 1;
        Some(WorkerSlot { queue: Arc::clone(queue), is_occupied: true })
    }

    /// The number of events in the queue.
    pub fn events(&self) -> usize {
        self.state().events
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Whether there is enough work to add a worker to `workers` running ones.
    fn has_work_for_another(&self, workers: usize) -> bool {
        let min_events = if workers == 0 { 1 } else { EXTRA_WORKER_THRESHOLD };
        self.events >= min_events
    }
}

impl WorkerSlot {
    /// Takes the next group of jobs. If there is not enough work for this worker, returns an empty group and
    /// releases the slot under the same lock, so that the next job can start a worker.
    pub fn next_group(&mut self) -> Vec<Job> {
        let mut state = self.queue.state();
        let mut group = Vec::new();
        let mut events = 0;
        let has_enough_work = self.is_occupied && state.has_work_for_another(state.workers - 1);
        while let Some(job) = state.jobs.front().filter(|_| has_enough_work) {
            if !group.is_empty() && events + job.events.len() > MAX_GROUP_SIZE {
                break;
            }
            events += job.events.len();
            group.extend(state.jobs.pop_front());
        }
        state.events -= events;
        if group.is_empty() && self.is_occupied {
            state.workers -= 1;
            self.is_occupied = false;
        }
        group
    }
}

impl Drop for WorkerSlot {
    fn drop(&mut self) {
        if self.is_occupied {
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
    fn a_job_that_does_not_fit_is_rejected_as_a_whole() {
        let queue = Arc::new(Queue::new(10));
        assert!(queue.push(job(6)).is_ok());
        assert!(queue.push(job(5)).is_err());
        assert!(queue.push(job(4)).is_ok());
        assert!(queue.push(job(1)).is_err());
        let mut slot = Queue::acquire_slot(&queue, 1).unwrap();
        assert_eq!(slot.next_group().len(), 2);
        assert!(queue.push(job(500)).is_ok(), "an empty queue accepts any job");
    }

    #[test]
    fn a_group_is_limited_in_size() {
        let queue = Arc::new(Queue::new(10_000));
        for events in [400, 500, 101, 999, 1, 1] {
            queue.push(job(events)).unwrap();
        }
        let mut slot = Queue::acquire_slot(&queue, 1).unwrap();
        let mut sizes = || slot.next_group().iter().map(|job| job.events.len()).collect::<Vec<_>>();
        assert_eq!([sizes(), sizes(), sizes(), sizes()], [vec![400, 500], vec![101], vec![999, 1], vec![1]]);
    }

    #[test]
    fn workers_are_limited_and_start_only_if_there_is_enough_work() {
        let queue = Arc::new(Queue::new(1000));
        assert!(Queue::acquire_slot(&queue, 2).is_none());
        queue.push(job(1)).unwrap();
        let only = Queue::acquire_slot(&queue, 2);
        assert!(only.is_some() && Queue::acquire_slot(&queue, 2).is_none(), "one event needs one worker");
        drop(only);
        queue.push(job(400)).unwrap();
        let slots = [Queue::acquire_slot(&queue, 2), Queue::acquire_slot(&queue, 2)];
        assert!(slots.iter().all(Option::is_some));
        assert!(Queue::acquire_slot(&queue, 2).is_none());
        let [first, second] = slots;
        drop(first);
        let mut third = Queue::acquire_slot(&queue, 2).unwrap();
        assert_eq!(third.next_group().len(), 2);
        queue.push(job(99)).unwrap();
        assert_eq!(third.next_group().len(), 0, "the second worker takes that job");
        queue.push(job(1)).unwrap();
        let fourth = Queue::acquire_slot(&queue, 2);
        assert!(fourth.is_some(), "the third worker released its slot before it was dropped");
        drop((second, third));
    }
}
