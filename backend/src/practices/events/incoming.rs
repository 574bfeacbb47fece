//! Incoming platform events, and their validation as far as it needs no database.

use chrono::{DateTime, Datelike as _, SubsecRound as _, TimeDelta, Utc};
use domain::practice::ReservationStatus;
use serde_json::Value;
use uuid::Uuid;

use super::event::{Action, Escalate, EventKind, PlatformEvent, Purchase, Reserve};
use super::refusal::{Reason, Refusal};
use crate::clock;
use crate::field::Field;
use crate::json_scan::{Finding, MAX_BYTES, MAX_NESTING, scan};

/// Events up to this far in the future are applied with the current time.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);
/// The maximum number of recipients of an escalation.
const MAX_RECIPIENTS: usize = 100;
const MAX_REFERENCE_CHARACTERS: usize = 200;

/// An event that is not validated yet. Each kind has some of the fields.
#[derive(Debug)]
pub struct IncomingEvent {
    pub kind: EventKind,
    pub event_id: Field<Uuid>,
    pub practice_id: Field<i64>,
    pub user_id: Field<i64>,
    pub reservation_id: Field<i64>,
    pub order_id: Field<i64>,
    pub practice_package_id: Field<i64>,
    pub lesson_id: Field<i64>,
    pub status: Field<String>,
    pub payment_reference: Field<String>,
    /// JSON.
    pub meta: Field<String>,
    pub pending_requests: Field<i32>,
    pub recipient_ids: Field<Vec<i64>>,
    /// `occurredAt`, or `paidAt` of a purchase.
    pub at: Field<DateTime<Utc>>,
}

impl IncomingEvent {
    /// An event without any fields.
    pub const fn new(kind: EventKind) -> Self {
        Self {
            kind,
            event_id: Field::Missing,
            practice_id: Field::Missing,
            user_id: Field::Missing,
            reservation_id: Field::Missing,
            order_id: Field::Missing,
            practice_package_id: Field::Missing,
            lesson_id: Field::Missing,
            status: Field::Missing,
            payment_reference: Field::Missing,
            meta: Field::Missing,
            pending_requests: Field::Missing,
            recipient_ids: Field::Missing,
            at: Field::Missing,
        }
    }

    /// Validates the event. Fails at the first invalid field.
    pub fn validate(self, now: DateTime<Utc>) -> Result<PlatformEvent, Refusal> {
        let id = required("eventId", self.event_id, Reason::NotAUuid)?;
        let at = timestamp(self.kind.time_field(), self.at, now)?;
        let action = match self.kind {
            EventKind::PracticeReserved => Action::Reserve(Reserve {
                practice_id: required("practiceId", self.practice_id, Reason::NotAnId)?,
                user_id: required("userId", self.user_id, Reason::NotAnId)?,
                reservation_id: self.reservation_id.read(Refusal::of("reservationId", Reason::NotAnId))?,
                status: status(self.status)?,
                order_id: self.order_id.read(Refusal::of("orderId", Reason::NotAnId))?,
            }),
            EventKind::ReservationCancelled => Action::Cancel {
                practice_id: required("practiceId", self.practice_id, Reason::NotAnId)?,
                user_id: required("userId", self.user_id, Reason::NotAnId)?,
            },
            EventKind::PracticePackagePurchased => Action::Purchase(Purchase {
                practice_package_id: required(
                    "practicePackageId",
                    self.practice_package_id,
                    Reason::NotAnId,
                )?,
                user_id: required("userId", self.user_id, Reason::NotAnId)?,
                order_id: self.order_id.read(Refusal::of("orderId", Reason::NotAnId))?,
                payment_reference: payment_reference(self.payment_reference)?,
                meta: meta(self.meta)?,
            }),
            EventKind::PracticeSessionConsumed => {
                Action::Consume { order_id: required("orderId", self.order_id, Reason::NotAnId)? }
            }
            EventKind::PracticeRequestEscalated => Action::Escalate(Escalate {
                lesson_id: required("lessonId", self.lesson_id, Reason::NotAnId)?,
                practice_id: self.practice_id.read(Refusal::of("practiceId", Reason::NotAnId))?,
                pending_requests: pending_requests(self.pending_requests)?,
                recipient_ids: recipients(self.recipient_ids)?,
            }),
        };
        Ok(PlatformEvent { id, at, action })
    }
}

impl EventKind {
    /// The name of the field with the time of the event.
    pub const fn time_field(self) -> &'static str {
        match self {
            Self::PracticePackagePurchased => "paidAt",
            Self::PracticeReserved
            | Self::ReservationCancelled
            | Self::PracticeSessionConsumed
            | Self::PracticeRequestEscalated => "occurredAt",
        }
    }
}

fn required<T>(field: &'static str, value: Field<T>, invalid: Reason) -> Result<T, Refusal> {
    value.read(Refusal::of(field, invalid))?.ok_or(Refusal::of(field, Reason::Missing))
}

fn timestamp(
    field: &'static str,
    value: Field<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    let timestamp = value.read(Refusal::of(field, Reason::NotATimestamp))?.unwrap_or(now);
    if !clock::SUPPORTED_YEARS.contains(&timestamp.year()) {
        return Err(Refusal::of(field, Reason::NotATimestamp));
    }
    if timestamp > now + MAX_CLOCK_SKEW {
        return Err(Refusal::of(field, Reason::InTheFuture));
    }
    // The precision of the database.
    Ok(timestamp.min(now).trunc_subsecs(6))
}

fn status(value: Field<String>) -> Result<ReservationStatus, Refusal> {
    let invalid = Refusal::of("status", Reason::BadStatus);
    let Some(status) = value.read(invalid.clone())? else { return Ok(ReservationStatus::Confirmed) };
    match ReservationStatus::parse(&status) {
        Some(status @ (ReservationStatus::Pending | ReservationStatus::Confirmed)) => Ok(status),
        Some(ReservationStatus::Attended | ReservationStatus::Cancelled) | None => Err(invalid),
    }
}

/// A blank reference counts as missing.
fn payment_reference(value: Field<String>) -> Result<Option<String>, Refusal> {
    let invalid = Refusal::of("paymentReference", Reason::BadPaymentReference);
    let reference = value.read(invalid.clone())?.filter(|text| !text.trim().is_empty());
    match reference {
        Some(text) if text.contains('\0') || text.chars().count() > MAX_REFERENCE_CHARACTERS => Err(invalid),
        reference => Ok(reference),
    }
}

fn pending_requests(value: Field<i32>) -> Result<i32, Refusal> {
    let requests = required("pendingRequests", value, Reason::BadPendingRequests)?;
    if requests < 0 { Err(Refusal::of("pendingRequests", Reason::BadPendingRequests)) } else { Ok(requests) }
}

fn recipients(value: Field<Vec<i64>>) -> Result<Vec<i64>, Refusal> {
    let mut recipients = required("recipientIds", value, Reason::BadRecipients)?;
    if recipients.len() > MAX_RECIPIENTS || recipients.is_empty() {
        return Err(Refusal::of("recipientIds", Reason::BadRecipients));
    }
    let mut seen = std::collections::HashSet::new();
    recipients.retain(|id| seen.insert(*id));
    Ok(recipients)
}

fn meta(value: Field<String>) -> Result<Option<Value>, Refusal> {
    let Some(json) = value.read(Refusal::of("meta", Reason::MetaNotJson))? else { return Ok(None) };
    if json.len() > MAX_BYTES {
        return Err(Refusal::of("meta", Reason::MetaTooLarge));
    }
    match scan(&json, MAX_NESTING) {
        Finding::Storable => {
            serde_json::from_str(&json).map(Some).map_err(|_| Refusal::of("meta", Reason::MetaNotJson))
        }
        Finding::TooDeep => Err(Refusal::of("meta", Reason::MetaTooDeep)),
        Finding::NotStorable => Err(Refusal::of("meta", Reason::MetaNotStorable)),
        Finding::NotJson => Err(Refusal::of("meta", Reason::MetaNotJson)),
    }
}
