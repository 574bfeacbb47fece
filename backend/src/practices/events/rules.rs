//! The rules of each kind of event. A refused event changes nothing.

use chrono::{DateTime, Utc};
use domain::practice::{OrderStatus, PracticeStatus, ReservationStatus};

use super::event::{Escalate, Purchase, Reserve};
use super::refusal::{Reason, Refusal};
use super::state::{Seat, State};
use crate::models::dataset::student_activity_snapshot::NewStudentSnapshot;
use crate::models::dataset::teacher_activity_snapshot::NewTeacherSnapshot;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::order::Order;
use crate::models::practice::Practice;
use crate::models::reservation::Reservation;
use crate::practices::snapshots;

impl State {
    /// A student reserves a seat.
    pub(super) fn reserve(
        &mut self,
        reserve: &Reserve,
        at: DateTime<Utc>,
    ) -> Result<NewStudentSnapshot<'static>, Refusal> {
        let seat = (reserve.practice_id, reserve.user_id);
        let new_id = if reserve.reservation_id.is_none() { self.reservation_ids.next() } else { None };
        let practice = self.practice(reserve.practice_id)?;
        self.check_user(reserve.user_id, "userId")?;
        let has_ended = match practice.status {
            PracticeStatus::Cancelled => return Err(Refusal::of("practiceId", Reason::PracticeCancelled)),
            PracticeStatus::Scheduled => at >= practice.ends_at(),
            // The platform may have completed it early. A reservation that arrives late is still applied.
            PracticeStatus::Completed => at >= practice.start_at,
        };
        if has_ended {
            return Err(Refusal::of("practiceId", Reason::PracticeEnded));
        }
        let held = self.reservations.get(&seat).filter(|reservation| reservation.status.takes_seat());
        let holds_seat = held.is_some();
        let taken = self.seats_taken.get(&practice.id).copied().unwrap_or(0);
        match held.map(|held| (held.status, reserve.status)) {
            Some((ReservationStatus::Pending, ReservationStatus::Confirmed)) => {}
            Some(_) => return Err(Refusal::of("userId", Reason::AlreadyReserved)),
            None if taken >= i64::from(practice.capacity) => {
                return Err(Refusal::of("practiceId", Reason::PracticeFull));
            }
            None => {}
        }
        if let Some(id) = reserve.reservation_id
            && self.seats.get(&id).is_some_and(|other| *other != seat)
        {
            return Err(Refusal::of("reservationId", Reason::ReservationIdTaken));
        }
        // A pending reservation keeps the order that it has, whose session may be used already.
        let order_id = match (held, reserve.order_id) {
            (Some(held), None) => held.order_id,
            (Some(held), Some(_)) if held.order_id == reserve.order_id => held.order_id,
            _ => self.order_for(practice, reserve)?,
        };
        let lesson = self.lessons.get(&practice.lesson_id).ok_or(Refusal::of_event(Reason::Failed))?;
        // A reservation after a cancellation is a new one.
        let id = reserve.reservation_id.or_else(|| held.map(|reservation| reservation.id));
        let reservation = Reservation {
            id: id.or(new_id).ok_or(Refusal::of_event(Reason::Failed))?,
            practice_id: practice.id,
            user_id: reserve.user_id,
            status: reserve.status,
            order_id,
            reserved_at: at,
            cancelled_at: None,
            attended_at: None,
            outcome_recorded_at: None,
        };
        let snapshot = snapshots::reservation(&reservation, practice, lesson);
        if !holds_seat {
            *self.seats_taken.entry(reserve.practice_id).or_default() += 1;
        }
        self.add_reservation(reservation);
        self.changes.reservations.insert(seat);
        Ok(snapshot)
    }

    /// The order whose session pays for the seat. `None` if none is needed or named.
    fn order_for(&self, practice: &Practice, reserve: &Reserve) -> Result<Option<i64>, Refusal> {
        let is_of_pack =
            |order: &Order| practice.practice_package_id.is_none_or(|pack| pack == order.practice_package_id);
        let Some(id) = reserve.order_id else {
            if !practice.requires_package {
                return Ok(None);
            }
            let suitable = |order: &&Order| {
                order.user_id == reserve.user_id && order.has_sessions() && is_of_pack(order)
            };
            let orders = self.orders.values().filter(suitable);
            let order = orders.min_by_key(|order| (order.paid_at, order.id));
            return Ok(Some(order.ok_or(Refusal::of("practiceId", Reason::NoSessionsLeft))?.id));
        };
        let order = self.orders.get(&id).ok_or(Refusal::of("orderId", Reason::UnknownOrder))?;
        if order.user_id != reserve.user_id {
            return Err(Refusal::of("orderId", Reason::OrderOfAnotherUser));
        }
        if practice.requires_package {
            if !is_of_pack(order) {
                return Err(Refusal::of("orderId", Reason::OrderOfAnotherPackage));
            }
            check_sessions(order)?;
        }
        Ok(Some(id))
    }

    /// A student gives a seat back.
    pub(super) fn cancel(&mut self, seat: Seat, at: DateTime<Utc>) -> Result<(), Refusal> {
        self.practice(seat.0)?;
        let reservation =
            self.reservations.get_mut(&seat).ok_or(Refusal::of("userId", Reason::NoReservation))?;
        match reservation.status {
            ReservationStatus::Pending | ReservationStatus::Confirmed => {}
            ReservationStatus::Attended => return Err(Refusal::of("userId", Reason::AlreadyAttended)),
            ReservationStatus::Cancelled => return Err(Refusal::of("userId", Reason::AlreadyCancelled)),
        }
        reservation.status = ReservationStatus::Cancelled;
        reservation.cancelled_at = Some(at);
        *self.seats_taken.entry(seat.0).or_default() -= 1;
        self.changes.reservations.insert(seat);
        Ok(())
    }

    /// A student buys a pack.
    pub(super) fn purchase(
        &mut self,
        purchase: &Purchase,
        at: DateTime<Utc>,
    ) -> Result<NewStudentSnapshot<'static>, Refusal> {
        let new_id = if purchase.order_id.is_none() { self.order_ids.next() } else { None };
        let package = self
            .packages
            .get(&purchase.practice_package_id)
            .ok_or(Refusal::of("practicePackageId", Reason::UnknownPackage))?;
        self.check_user(purchase.user_id, "userId")?;
        let known = purchase.order_id.and_then(|id| self.orders.get(&id)).cloned();
        let order = match known {
            Some(order) => pay(order, purchase, package, at)?,
            None => Order {
                id: purchase.order_id.or(new_id).ok_or(Refusal::of_event(Reason::Failed))?,
                practice_package_id: package.id,
                user_id: purchase.user_id,
                status: OrderStatus::Paid,
                sessions_remaining: package.sessions_count,
                paid_at: Some(at),
                payment_reference: purchase.payment_reference.clone(),
                meta: purchase.meta.clone(),
                created_at: at,
                purchase_recorded_at: None,
            },
        };
        let order = Order { purchase_recorded_at: Some(self.now), ..order };
        let lesson = package.lesson_id.and_then(|id| self.lessons.get(&id));
        let snapshot = snapshots::purchase(&order, package, lesson, at);
        self.changes.orders.insert(order.id);
        if !self.orders.contains_key(&order.id) {
            self.changes.new_orders.insert(order.id);
        }
        self.orders.insert(order.id, order);
        Ok(snapshot)
    }

    /// A session is used.
    pub(super) fn consume(
        &mut self,
        order_id: i64,
        at: DateTime<Utc>,
    ) -> Result<NewStudentSnapshot<'static>, Refusal> {
        let order = self.orders.get_mut(&order_id).ok_or(Refusal::of("orderId", Reason::UnknownOrder))?;
        if !self.users.contains(&order.user_id) {
            return Err(Refusal::of("orderId", Reason::UnknownUser));
        }
        check_sessions(order)?;
        let package =
            self.packages.get(&order.practice_package_id).ok_or(Refusal::of_event(Reason::Failed))?;
        order.sessions_remaining -= 1;
        if order.sessions_remaining == 0 {
            order.status = OrderStatus::Completed;
        }
        self.changes.orders.insert(order_id);
        let lesson = package.lesson_id.and_then(|id| self.lessons.get(&id));
        Ok(snapshots::consumption(order, package, lesson, at))
    }

    /// Requests for a practice are escalated.
    pub(super) fn escalate(
        &mut self,
        escalate: &Escalate,
        at: DateTime<Utc>,
    ) -> Result<Vec<NewTeacherSnapshot<'static>>, Refusal> {
        let Escalate { lesson_id, practice_id, pending_requests, recipient_ids } = escalate;
        let lesson = self.lessons.get(lesson_id).ok_or(Refusal::of("lessonId", Reason::UnknownLesson))?;
        if let Some(id) = practice_id {
            self.practice(*id)?;
        }
        for id in recipient_ids {
            self.check_user(*id, "recipientIds")?;
        }
        let snapshots = snapshots::escalations(lesson, *pending_requests, recipient_ids, at).collect();
        let first = self.changes.escalations.entry(*lesson_id).or_insert(at);
        *first = at.min(*first);
        Ok(snapshots)
    }

    fn practice(&self, id: i64) -> Result<&Practice, Refusal> {
        self.practices.get(&id).ok_or(Refusal::of("practiceId", Reason::UnknownPractice))
    }

    fn check_user(&self, id: i64, field: &'static str) -> Result<(), Refusal> {
        if self.users.contains(&id) { Ok(()) } else { Err(Refusal::of(field, Reason::UnknownUser)) }
    }
}

/// Checks that a session of the order can be used.
fn check_sessions(order: &Order) -> Result<(), Refusal> {
    match order.status {
        OrderStatus::Pending | OrderStatus::Cancelled => Err(Refusal::of("orderId", Reason::OrderNotPaid)),
        OrderStatus::Completed => Err(Refusal::of("orderId", Reason::NoSessionsLeft)),
        OrderStatus::Paid if order.sessions_remaining == 0 => {
            Err(Refusal::of("orderId", Reason::NoSessionsLeft))
        }
        OrderStatus::Paid => Ok(()),
    }
}

/// The purchase of an order that the platform mirrored before.
fn pay(
    order: Order,
    purchase: &Purchase,
    package: &MirroredPackage,
    at: DateTime<Utc>,
) -> Result<Order, Refusal> {
    if order.user_id != purchase.user_id {
        return Err(Refusal::of("orderId", Reason::OrderOfAnotherUser));
    }
    if order.practice_package_id != package.id {
        return Err(Refusal::of("orderId", Reason::OrderOfAnotherPackage));
    }
    if order.purchase_recorded_at.is_some() {
        return Err(Refusal::of("orderId", Reason::AlreadyPurchased));
    }
    let sessions_remaining = match order.status {
        OrderStatus::Cancelled => return Err(Refusal::of("orderId", Reason::OrderCancelled)),
        OrderStatus::Pending => package.sessions_count,
        // It was mirrored after the purchase.
        OrderStatus::Paid | OrderStatus::Completed => order.sessions_remaining,
    };
    let status = if order.status == OrderStatus::Completed { order.status } else { OrderStatus::Paid };
    Ok(Order {
        status,
        sessions_remaining,
        paid_at: order.paid_at.or(Some(at)),
        payment_reference: purchase.payment_reference.clone().or(order.payment_reference),
        meta: purchase.meta.clone().or(order.meta),
        ..order
    })
}
