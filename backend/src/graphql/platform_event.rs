//! Publishes events of the learning platform.

use async_graphql::{Context, InputObject, Object, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Locale;
use domain::access::Act;
use serde_json::Value;

use super::context::ContextExt as _;
use super::event_id::EventId;
use super::lenient::{self, Lenient};
use crate::error::{Error, Result};
use crate::field::Field;
use crate::id::Id;
use crate::practices::events::event::EventKind;
use crate::practices::events::incoming::IncomingEvent;
use crate::practices::events::{self, EventReport, Outcome};
use crate::refusal::{InputError, MAX_EVENTS, TOO_MANY_EVENTS};

/// Publishes events of the learning platform.
#[derive(Default)]
pub struct PlatformEventMutation;

#[Object]
impl PlatformEventMutation {
    /// Applies up to 500 events of the learning platform, in order. Each changes its reservation, order or requests, and
    /// records the snapshots that follow from it, or is refused and changes nothing. Refused events do not prevent others
    /// from being applied. Returns one result per event, in order, when all are committed.
    ///
    /// An event is applied at most once: repeating an applied event with the same `eventId` changes nothing. A refused
    /// event may be sent again with the same `eventId`.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN; BAD_USER_INPUT for more than 500 events; RATE_LIMITED if others change the same
    /// practices or orders (nothing was applied; send them again).
    async fn publish_platform_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The events. Events of the same practice, order or user in the order in which they occurred."
        )]
        events: Vec<PlatformEventInput>,
    ) -> Result<Vec<PlatformEventResult>> {
        ctx.viewer_who_may(Act::Mirror)?;
        if events.len() > MAX_EVENTS {
            return Err(Error::invalid("events", TOO_MANY_EVENTS));
        }
        let (ids, incoming): (Vec<_>, Vec<_>) = events.into_iter().map(PlatformEventInput::read).unzip();
        let outcomes = events::publish(ctx.app(), incoming.into_iter().map(Ok).collect()).await?;
        let locale = ctx.request().locale;
        let results = ids.into_iter().zip(outcomes);
        Ok(results.map(|(id, outcome)| PlatformEventResult::new(id, outcome, locale)).collect())
    }
}

/// An event of the learning platform. Exactly one field is set.
#[derive(OneofObject)]
pub enum PlatformEventInput {
    /// A student reserved a seat in a practice. Recorded as a student's snapshot `practice_reservation`.
    PracticeReserved(PracticeReservedInput),
    /// A student gave a seat back. `practices:sync-attendance` records the snapshot, after the practice.
    ReservationCancelled(ReservationCancelledInput),
    /// A student bought a practice pack. Recorded as a student's snapshot `practice_pack_purchase`.
    PracticePackagePurchased(PracticePackagePurchasedInput),
    /// A session of a pack was used. Recorded as a student's snapshot `practice_pack_consumption`.
    PracticeSessionConsumed(PracticeSessionConsumedInput),
    /// Teachers were notified that students ask for a practice. Recorded as a teacher's snapshot
    /// `practice_request_escalated` for each recipient.
    PracticeRequestEscalated(PracticeRequestEscalatedInput),
}

/// A reservation of a seat. Refused for a cancelled, ended or full practice, if the student has a seat already, and if the
/// practice requires a pack and the student has no paid order with sessions left. After a cancellation, the student may
/// reserve again.
#[derive(InputObject)]
pub struct PracticeReservedInput {
    /// ID of this event, made by the platform.
    event_id: EventId,
    /// ID of the practice.
    practice_id: Lenient<Id>,
    /// ID of the student.
    user_id: Lenient<Id>,
    /// ID of the reservation on the platform. Default: an ID of the hub.
    reservation_id: Option<Lenient<Id>>,
    /// `confirmed` or `pending`. A later event with `confirmed` confirms a pending reservation.
    #[graphql(default_with = "Some(\"confirmed\".to_owned())")]
    status: Option<String>,
    /// ID of the order whose session pays for the seat. Default: if the practice requires a pack, the suitable order that
    /// was paid first.
    order_id: Option<Lenient<Id>>,
    /// When it was reserved. Not in the future. Default: now.
    occurred_at: Option<Lenient<DateTime<Utc>>>,
}

/// A cancellation of a reservation, which frees the seat. Refused if there is no reservation, or if it is cancelled or its
/// attendance is recorded already.
#[derive(InputObject)]
pub struct ReservationCancelledInput {
    /// ID of this event, made by the platform.
    event_id: EventId,
    /// ID of the practice.
    practice_id: Lenient<Id>,
    /// ID of the student.
    user_id: Lenient<Id>,
    /// When it was cancelled. Not in the future. Default: now.
    occurred_at: Option<Lenient<DateTime<Utc>>>,
}

/// A purchase of a practice pack, which adds a paid order with all sessions of the pack, or pays a pending order.
#[derive(InputObject)]
pub struct PracticePackagePurchasedInput {
    /// ID of this event, made by the platform.
    event_id: EventId,
    /// ID of the pack.
    practice_package_id: Lenient<Id>,
    /// ID of the student.
    user_id: Lenient<Id>,
    /// ID of the order on the platform. Default: an ID of the hub. If the order was mirrored before, it must be of the same
    /// student and pack, and not be cancelled.
    order_id: Option<Lenient<Id>>,
    /// Reference of the payment, up to 200 characters.
    payment_reference: Option<String>,
    /// When it was paid. Not in the future. Default: now.
    paid_at: Option<Lenient<DateTime<Utc>>>,
    /// Additional data of the platform, up to 64 KiB of JSON.
    meta: Option<Value>,
}

/// The use of a session. Refused unless the order is paid and has sessions left.
#[derive(InputObject)]
pub struct PracticeSessionConsumedInput {
    /// ID of this event, made by the platform.
    event_id: EventId,
    /// ID of the order.
    order_id: Lenient<Id>,
    /// When it was used. Not in the future. Default: now.
    occurred_at: Option<Lenient<DateTime<Utc>>>,
}

/// An escalation of the pending requests for a practice of a lesson to its teachers.
#[derive(InputObject)]
pub struct PracticeRequestEscalatedInput {
    /// ID of this event, made by the platform.
    event_id: EventId,
    /// ID of the lesson.
    lesson_id: Lenient<Id>,
    /// ID of the practice that the teachers were asked about.
    practice_id: Option<Lenient<Id>>,
    /// Number of requests that wait for an answer, at least 0.
    pending_requests: Lenient<i32>,
    /// IDs of the users who were notified, 1 to 100.
    recipient_ids: Vec<Lenient<Id>>,
    /// When they were notified. Not in the future. Default: now.
    occurred_at: Option<Lenient<DateTime<Utc>>>,
}

impl PlatformEventInput {
    /// The event, and its id as it was sent.
    fn read(self) -> (EventId, IncomingEvent) {
        match self {
            Self::PracticeReserved(input) => {
                let event = IncomingEvent {
                    practice_id: lenient::id(Some(input.practice_id)),
                    user_id: lenient::id(Some(input.user_id)),
                    reservation_id: lenient::id(input.reservation_id),
                    status: Field::parsed(input.status.map(Some)),
                    order_id: lenient::id(input.order_id),
                    at: lenient::field(input.occurred_at),
                    ..incoming(EventKind::PracticeReserved, &input.event_id)
                };
                (input.event_id, event)
            }
            Self::ReservationCancelled(input) => {
                let event = IncomingEvent {
                    practice_id: lenient::id(Some(input.practice_id)),
                    user_id: lenient::id(Some(input.user_id)),
                    at: lenient::field(input.occurred_at),
                    ..incoming(EventKind::ReservationCancelled, &input.event_id)
                };
                (input.event_id, event)
            }
            Self::PracticePackagePurchased(input) => {
                let event = IncomingEvent {
                    practice_package_id: lenient::id(Some(input.practice_package_id)),
                    user_id: lenient::id(Some(input.user_id)),
                    order_id: lenient::id(input.order_id),
                    payment_reference: Field::parsed(input.payment_reference.map(Some)),
                    at: lenient::field(input.paid_at),
                    meta: lenient::json(input.meta),
                    ..incoming(EventKind::PracticePackagePurchased, &input.event_id)
                };
                (input.event_id, event)
            }
            Self::PracticeSessionConsumed(input) => {
                let event = IncomingEvent {
                    order_id: lenient::id(Some(input.order_id)),
                    at: lenient::field(input.occurred_at),
                    ..incoming(EventKind::PracticeSessionConsumed, &input.event_id)
                };
                (input.event_id, event)
            }
            Self::PracticeRequestEscalated(input) => {
                let recipients = input.recipient_ids.into_iter().map(Lenient::number).collect();
                let event = IncomingEvent {
                    lesson_id: lenient::id(Some(input.lesson_id)),
                    practice_id: lenient::id(input.practice_id),
                    pending_requests: lenient::field(Some(input.pending_requests)),
                    recipient_ids: Field::parsed(Some(recipients)),
                    at: lenient::field(input.occurred_at),
                    ..incoming(EventKind::PracticeRequestEscalated, &input.event_id)
                };
                (input.event_id, event)
            }
        }
    }
}

fn incoming(kind: EventKind, id: &EventId) -> IncomingEvent {
    IncomingEvent { event_id: id.field(), ..IncomingEvent::new(kind) }
}

/// Result for an event: it was applied, it is a duplicate, or it was refused with an error.
#[derive(SimpleObject)]
pub struct PlatformEventResult {
    /// ID of the event, made by the platform.
    event_id: EventId,
    /// Whether this call applied the event.
    applied: bool,
    /// Whether the event had been applied before.
    duplicate: bool,
    /// IDs of the snapshots that the event recorded: of teachers for an escalation, of students for other events.
    snapshot_ids: Vec<Id>,
    /// Why the event was refused. Null if it was applied.
    error: Option<InputError>,
}

impl PlatformEventResult {
    fn new(event_id: EventId, outcome: Outcome, locale: Locale) -> Self {
        let EventReport { applied, duplicate, snapshot_ids, error } = EventReport::new(outcome, locale);
        let snapshot_ids = snapshot_ids.into_iter().map(Id).collect();
        Self { event_id, applied, duplicate, snapshot_ids, error }
    }
}
