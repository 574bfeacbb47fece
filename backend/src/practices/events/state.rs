//! Judges events in memory, on the rows that they need.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::vec;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::event::{Action, PlatformEvent};
use super::refusal::Refusal;
use crate::models::course::LessonRow;
use crate::models::dataset::student_activity_snapshot::NewStudentSnapshot;
use crate::models::dataset::teacher_activity_snapshot::NewTeacherSnapshot;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::order::Order;
use crate::models::platform_event::AppliedEvent;
use crate::models::practice::Practice;
use crate::models::reservation::Reservation;

/// A practice and a user, who have at most one reservation.
pub(super) type Seat = (i64, i64);

/// The snapshots of one event.
type NewSnapshots = (Option<NewStudentSnapshot<'static>>, Vec<NewTeacherSnapshot<'static>>);

/// The rows that the events of a call need, and what the events change.
pub(super) struct State {
    pub now: DateTime<Utc>,
    pub practices: HashMap<i64, Practice>,
    /// The number of seats that are taken in each practice.
    pub seats_taken: HashMap<i64, i64>,
    pub reservations: HashMap<Seat, Reservation>,
    /// The known reservations by their ids.
    pub seats: HashMap<i64, Seat>,
    pub orders: BTreeMap<i64, Order>,
    pub packages: HashMap<i64, MirroredPackage>,
    pub lessons: HashMap<i64, LessonRow>,
    pub users: HashSet<i64>,
    /// The events that earlier calls have applied, with their snapshots.
    pub applied: HashMap<Uuid, Vec<i64>>,
    /// New ids of reservations.
    pub reservation_ids: vec::IntoIter<i64>,
    /// New ids of orders.
    pub order_ids: vec::IntoIter<i64>,
    pub changes: Changes,
}

/// What the events change.
#[derive(Default)]
pub(super) struct Changes {
    pub reservations: BTreeSet<Seat>,
    pub orders: BTreeSet<i64>,
    /// Those of the orders that are new.
    pub new_orders: BTreeSet<i64>,
    /// The lessons whose requests are escalated, and when first.
    pub escalations: BTreeMap<i64, DateTime<Utc>>,
    /// The applied events. The ids of their snapshots are not known yet.
    pub events: Vec<AppliedEvent>,
    /// The positions of the applied events in `events`.
    positions: HashMap<Uuid, usize>,
    /// New snapshots, with the positions of their events.
    pub students: Vec<(usize, NewStudentSnapshot<'static>)>,
    /// New snapshots, with the positions of their events.
    pub teachers: Vec<(usize, NewTeacherSnapshot<'static>)>,
}

/// How an event was judged.
pub(super) enum Judgement {
    /// It is applied, as the event at this position of [`Changes::events`].
    Applied(usize),
    /// It was applied by the event at this position of [`Changes::events`].
    Repeated(usize),
    /// An earlier call applied it and recorded these snapshots.
    AppliedBefore(Vec<i64>),
    /// It is refused.
    Refused(Refusal),
}

impl State {
    /// A state without rows.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            practices: HashMap::new(),
            seats_taken: HashMap::new(),
            reservations: HashMap::new(),
            seats: HashMap::new(),
            orders: BTreeMap::new(),
            packages: HashMap::new(),
            lessons: HashMap::new(),
            users: HashSet::new(),
            applied: HashMap::new(),
            reservation_ids: Vec::new().into_iter(),
            order_ids: Vec::new().into_iter(),
            changes: Changes::default(),
        }
    }

    /// Adds or replaces a reservation.
    pub fn add_reservation(&mut self, reservation: Reservation) {
        let seat = (reservation.practice_id, reservation.user_id);
        self.seats.insert(reservation.id, seat);
        if let Some(before) = self.reservations.insert(seat, reservation)
            && self.reservations[&seat].id != before.id
        {
            self.seats.remove(&before.id);
        }
    }

    /// Judges an event and, unless it is refused, applies it.
    pub fn judge(&mut self, event: &PlatformEvent) -> Judgement {
        if let Some(snapshots) = self.applied.get(&event.id) {
            return Judgement::AppliedBefore(snapshots.clone());
        }
        if let Some(position) = self.changes.positions.get(&event.id) {
            return Judgement::Repeated(*position);
        }
        let (student, teachers) = match self.apply(event) {
            Ok(snapshots) => snapshots,
            Err(refusal) => return Judgement::Refused(refusal),
        };
        let position = self.changes.events.len();
        self.changes.students.extend(student.map(|snapshot| (position, snapshot)));
        self.changes.teachers.extend(teachers.into_iter().map(|snapshot| (position, snapshot)));
        self.changes.positions.insert(event.id, position);
        self.changes.events.push(AppliedEvent {
            event_id: event.id,
            kind: event.kind().key(),
            applied_at: self.now,
            snapshot_ids: Vec::new(),
        });
        Judgement::Applied(position)
    }

    /// Applies an event to the rows. Returns its snapshots.
    fn apply(&mut self, event: &PlatformEvent) -> Result<NewSnapshots, Refusal> {
        Ok(match &event.action {
            Action::Reserve(reserve) => (Some(self.reserve(reserve, event.at)?), Vec::new()),
            Action::Cancel { practice_id, user_id } => {
                self.cancel((*practice_id, *user_id), event.at)?;
                (None, Vec::new())
            }
            Action::Purchase(purchase) => (Some(self.purchase(purchase, event.at)?), Vec::new()),
            Action::Consume { order_id } => (Some(self.consume(*order_id, event.at)?), Vec::new()),
            Action::Escalate(escalate) => (None, self.escalate(escalate, event.at)?),
        })
    }
}
