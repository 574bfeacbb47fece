//! Orders of practice packs, and how many sessions are left of each.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::events::Events;
use super::ids::Ids;
use super::people::People;
use crate::models::mirrored::practice_package_order::MirroredOrder;

/// The number of past days in which orders are placed.
const HISTORY_DAYS: i64 = 75;

/// The academy's orders.
#[derive(Default)]
pub struct Orders {
    orders: Vec<Order>,
    /// The order of each student and course.
    by_student_and_course: HashMap<(i64, usize), AllocatedSession>,
}

/// A session that is allocated to a reservation, by the index of its order.
#[derive(Clone, Copy, Debug)]
pub struct AllocatedSession(usize);

struct Order {
    row: MirroredOrder,
    paid_at: Option<DateTime<Utc>>,
    /// Sessions that are neither used nor allocated.
    free: i32,
}

impl Orders {
    /// Generates orders, and the events of their purchases. About every second student buys a pack for one of their courses.
    pub fn generate<R: Rng>(
        rng: &mut impl Rng,
        calendar: Calendar,
        people: &People,
        catalog: &Catalog,
        ids: &mut Ids,
        events: &mut Events<R>,
    ) -> Self {
        let mut generated = Self::default();
        for student in &people.students {
            for &course in &student.courses {
                if !rng.random_ratio(40, 100) {
                    continue;
                }
                let Some(package) = catalog.packages_of(course).choose(rng) else { continue };
                let created_at = calendar.study_time(rng, HISTORY_DAYS);
                let paid = created_at + TimeDelta::seconds(rng.random_range(40..900));
                // A paid order is mirrored as a pending one, until its purchase is published.
                let (status, paid_at) = match rng.random_range(0..100) {
                    0..8 => ("pending", None),
                    8..14 => ("cancelled", None),
                    _ => ("pending", Some(paid)),
                };
                let reference: u32 = rng.random();
                let meta = match rng.random_range(0..4) {
                    0 => Some(json!({ "channel": "web", "coupon": "BIENVENIDA" })),
                    1 => Some(json!({ "channel": "app", "note": "regalo de «Año Nuevo», pagó su mamá 🎁" })),
                    _ => None,
                };
                let row = MirroredOrder {
                    id: ids.take(),
                    practice_package_id: package.id,
                    user_id: student.id,
                    status: status.into(),
                    sessions_remaining: package.sessions_count,
                    paid_at: None,
                    payment_reference: None,
                    meta,
                    created_at,
                };
                if let Some(paid_at) = paid_at {
                    events.add_purchase(&row, paid_at, format!("PAY-{reference:08X}"));
                }
                let free = if paid_at.is_some() { package.sessions_count } else { 0 };
                generated
                    .by_student_and_course
                    .insert((student.id, course), AllocatedSession(generated.orders.len()));
                generated.orders.push(Order { row, paid_at, free });
            }
        }
        generated
    }

    /// Allocates a session of this pack, or of any pack, if the student has paid for one before this time.
    pub fn allocate(
        &mut self,
        student: i64,
        course: usize,
        package: Option<i64>,
        at: DateTime<Utc>,
    ) -> Option<AllocatedSession> {
        let session = *self.by_student_and_course.get(&(student, course))?;
        let order = &mut self.orders[session.0];
        let fits = package.is_none_or(|package| package == order.row.practice_package_id);
        let paid = order.paid_at.is_some_and(|paid| paid < at);
        if !fits || !paid || order.free == 0 {
            return None;
        }
        order.free -= 1;
        Some(session)
    }

    /// The id of a session's order.
    pub fn order_id(&self, session: AllocatedSession) -> i64 {
        self.orders[session.0].row.id
    }

    /// Releases an allocated session.
    pub fn release(&mut self, session: AllocatedSession) {
        self.orders[session.0].free += 1;
    }

    /// All orders, as they are mirrored.
    pub fn into_rows(self) -> Vec<MirroredOrder> {
        self.orders.into_iter().map(|order| order.row).collect()
    }
}
