//! Locks and reads the rows that events need, with one statement for each table.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use chrono::{DateTime, Utc};
use domain::access::CourseScope;

use super::event::{Action, Escalate, PlatformEvent, Purchase, Reserve};
use super::state::State;
use crate::db::Connection;
use crate::models::course::LessonRow;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::order::Order;
use crate::models::platform_event::AppliedEvent;
use crate::models::practice::Practice;
use crate::models::reference::ReferencedTable;
use crate::models::reservation::Reservation;
use crate::models::{QueryResult, seeding};

/// The ids that events name. They are sorted, so that all calls lock rows in the same order.
#[derive(Default)]
struct Named {
    practices: BTreeSet<i64>,
    users: BTreeSet<i64>,
    reservations: BTreeSet<i64>,
    orders: BTreeSet<i64>,
    packages: BTreeSet<i64>,
    lessons: BTreeSet<i64>,
    /// The reservations without an order, by practice and user.
    without_order: Vec<(i64, i64)>,
    /// The number of reservations that may need an id of the hub.
    new_reservations: usize,
    /// The number of orders that need an id of the hub.
    new_orders: usize,
}

impl Named {
    fn of(events: &[PlatformEvent]) -> Self {
        let mut named = Self::default();
        for event in events {
            named.add(&event.action);
        }
        named
    }

    fn add(&mut self, action: &Action) {
        match action {
            Action::Reserve(Reserve { practice_id, user_id, reservation_id, status: _, order_id }) => {
                self.practices.insert(*practice_id);
                self.users.insert(*user_id);
                self.reservations.extend(*reservation_id);
                self.orders.extend(*order_id);
                if order_id.is_none() {
                    self.without_order.push((*practice_id, *user_id));
                }
                self.new_reservations += usize::from(reservation_id.is_none());
            }
            Action::Cancel { practice_id, user_id } => {
                self.practices.insert(*practice_id);
                self.users.insert(*user_id);
            }
            Action::Purchase(Purchase { practice_package_id, user_id, order_id, .. }) => {
                self.packages.insert(*practice_package_id);
                self.users.insert(*user_id);
                self.orders.extend(*order_id);
                self.new_orders += usize::from(order_id.is_none());
            }
            Action::Consume { order_id } => {
                self.orders.insert(*order_id);
            }
            Action::Escalate(Escalate { lesson_id, practice_id, recipient_ids, .. }) => {
                self.lessons.insert(*lesson_id);
                self.practices.extend(*practice_id);
                self.users.extend(recipient_ids);
            }
        }
    }
}

impl State {
    /// Locks the practices and orders that these events change, and reads everything that the events need.
    pub(super) async fn load(
        conn: &mut Connection,
        events: &[PlatformEvent],
        now: DateTime<Utc>,
    ) -> QueryResult<Self> {
        let mut named = Named::of(events);
        let mut state = Self::new(now);
        let practice_ids = list(&named.practices);
        if !practice_ids.is_empty() {
            state.practices = by_key(Practice::lock(conn, &practice_ids).await?, |practice| practice.id);
        }
        let needs_order = |(practice, _): &&(i64, i64)| {
            state.practices.get(practice).is_some_and(|practice| practice.requires_package)
        };
        let buyers: BTreeSet<i64> =
            named.without_order.iter().filter(needs_order).map(|(_, user)| *user).collect();
        if !named.orders.is_empty() || !buyers.is_empty() {
            let orders = Order::lock(conn, &list(&named.orders), &list(&buyers)).await?;
            state.orders = orders.into_iter().map(|order| (order.id, order)).collect();
        }
        named.users.extend(state.orders.values().map(|order| order.user_id));
        let user_ids = list(&named.users);
        // What follows is read after the locks are held, so it is what the calls before this one have left.
        let event_ids: Vec<_> = events.iter().map(|event| event.id).collect();
        state.applied = AppliedEvent::find(conn, &event_ids).await?.into_iter().collect();
        if !practice_ids.is_empty() {
            let ids = list(&named.reservations);
            for reservation in Reservation::find(conn, &practice_ids, &user_ids, &ids).await? {
                state.add_reservation(reservation);
            }
            state.seats_taken = Reservation::seats_taken(conn, &practice_ids).await?.into_iter().collect();
        }
        if !user_ids.is_empty() {
            let known = ReferencedTable::User.existing_in_courses(conn, &user_ids, &CourseScope::Any).await?;
            state.users = HashSet::from_iter(known);
        }
        named.packages.extend(state.orders.values().map(|order| order.practice_package_id));
        if !named.packages.is_empty() {
            let packages = MirroredPackage::stored(conn, &list(&named.packages)).await?;
            state.packages = by_key(packages, |package| package.id);
        }
        named.lessons.extend(state.practices.values().map(|practice| practice.lesson_id));
        named.lessons.extend(state.packages.values().filter_map(|package| package.lesson_id));
        if !named.lessons.is_empty() {
            let lessons = LessonRow::find(conn, &list(&named.lessons)).await?;
            state.lessons = by_key(lessons, |lesson| lesson.id.0);
        }
        if named.new_reservations > 0 {
            let ids =
                seeding::next_ids(conn, "discord_practice_reservations", named.new_reservations).await?;
            state.reservation_ids = ids.into_iter();
        }
        if named.new_orders > 0 {
            let ids = seeding::next_ids(conn, "practice_package_orders", named.new_orders).await?;
            state.order_ids = ids.into_iter();
        }
        Ok(state)
    }
}

fn list(ids: &BTreeSet<i64>) -> Vec<i64> {
    ids.iter().copied().collect()
}

fn by_key<K: Eq + Hash, T>(rows: Vec<T>, key: impl Fn(&T) -> K) -> HashMap<K, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}
