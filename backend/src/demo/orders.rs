//! Who bought which practice pack, and how many sessions of it are left.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::ids::Ids;
use super::people::People;
use crate::models::mirrored::practice_package_order::MirroredOrder;

/// How many days back the first order may be.
const DAYS: i64 = 75;

/// The academy's orders.
#[derive(Default)]
pub struct Orders {
    orders: Vec<Order>,
    /// Where the order of a student for a course is.
    places: HashMap<(i64, usize), Promise>,
}

/// A session of an order, promised to a reservation.
#[derive(Clone, Copy, Debug)]
pub struct Promise(usize);

struct Order {
    row: MirroredOrder,
    /// Sessions that are neither taken nor promised.
    free: i32,
}

impl Orders {
    /// About every second student buys a pack for one of their courses.
    pub fn place(
        rng: &mut impl Rng,
        calendar: Calendar,
        people: &People,
        catalog: &Catalog,
        ids: &mut Ids,
    ) -> Self {
        let mut placed = Self::default();
        for student in &people.students {
            for &course in &student.courses {
                if !rng.random_ratio(40, 100) {
                    continue;
                }
                let Some(package) = catalog.packages_of(course).choose(rng) else { continue };
                let created_at = calendar.study_time(rng, DAYS);
                let paid = created_at + TimeDelta::seconds(rng.random_range(40..900));
                let (status, paid_at) = match rng.random_range(0..100) {
                    0..8 => ("pending", None),
                    8..14 => ("cancelled", None),
                    _ => ("paid", Some(paid)),
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
                    paid_at,
                    payment_reference: paid_at.map(|_| format!("PAY-{reference:08X}")),
                    meta,
                    created_at,
                };
                let free = if paid_at.is_some() { package.sessions_count } else { 0 };
                placed.places.insert((student.id, course), Promise(placed.orders.len()));
                placed.orders.push(Order { row, free });
            }
        }
        placed
    }

    /// Promises a session, of this pack or of any, that the student has paid for by then.
    pub fn promise(
        &mut self,
        student: i64,
        course: usize,
        package: Option<i64>,
        at: DateTime<Utc>,
    ) -> Option<Promise> {
        let promise = *self.places.get(&(student, course))?;
        let order = &mut self.orders[promise.0];
        let fits = package.is_none_or(|package| package == order.row.practice_package_id);
        let paid = order.row.paid_at.is_some_and(|paid| paid < at);
        if !fits || !paid || order.free == 0 {
            return None;
        }
        order.free -= 1;
        Some(promise)
    }

    /// The order that a promise was made of.
    pub fn id(&self, promise: Promise) -> i64 {
        self.orders[promise.0].row.id
    }

    /// Gives a promised session back.
    pub fn release(&mut self, promise: Promise) {
        self.orders[promise.0].free += 1;
    }

    /// Takes a promised session, and answers with the order as it then is.
    pub fn consume(&mut self, promise: Promise) -> &MirroredOrder {
        let order = &mut self.orders[promise.0].row;
        order.sessions_remaining -= 1;
        if order.sessions_remaining == 0 {
            order.status = "completed".into();
        }
        order
    }

    /// The orders as they are stored.
    pub fn into_rows(self) -> Vec<MirroredOrder> {
        self.orders.into_iter().map(|order| order.row).collect()
    }

    /// The orders so far.
    pub fn rows(&self) -> impl Iterator<Item = &MirroredOrder> {
        self.orders.iter().map(|order| &order.row)
    }
}
