//! Parses the events of a webhook. They have the names of the GraphQL inputs.

use domain::text::Text;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::http::field_value::{FieldValue, Members, list_of_events, unparsable_body};
use crate::practices::events::event::EventKind;
use crate::practices::events::incoming::IncomingEvent;
use crate::practices::events::refusal::{Reason, Refusal};

const UNEXPECTED_MEMBER: Text = Text::new(
    "El cuerpo solo acepta events. Los demás campos van en cada evento.",
    "The body accepts only events. Other fields belong in each event.",
);

/// The id of an event as it was sent, and the event.
pub type EventWithId = (Option<String>, Result<IncomingEvent, Refusal>);

/// The events of a body. An invalid event does not affect the others.
pub fn events(body: &[u8]) -> Result<Vec<EventWithId>> {
    let members: Members<'_> = serde_json::from_slice(body)
        .map_err(|cause| Error::invalid("body", unparsable_body(&cause.to_string())))?;
    if let Some(other) = members.keys().find(|name| *name != "events") {
        return Err(Error::invalid(other.clone(), UNEXPECTED_MEMBER));
    }
    Ok(list_of_events(&members)?.into_iter().map(event).collect())
}

fn event(event: &RawValue) -> EventWithId {
    let kinds: Members<'_> = serde_json::from_str(event.get()).unwrap_or_default();
    let mut kinds = kinds.into_iter();
    let (Some((name, content)), None) = (kinds.next(), kinds.next()) else {
        return (None, Err(Refusal::of_event(Reason::NotAnEvent)));
    };
    let kind = EventKind::ALL.into_iter().find(|kind| kind.field() == name);
    let members: Option<Members<'_>> = serde_json::from_str(content.get()).ok();
    let (Some(kind), Some(members)) = (kind, members) else {
        return (None, Err(Refusal::of_unknown_field(name, Reason::NotAnEvent)));
    };
    let id = members.get("eventId").and_then(|id| serde_json::from_str(id.get()).ok());
    (id, read(kind, members))
}

/// Reads the fields. An unknown field is an error, since it may be a misspelled one that must not be lost.
fn read(kind: EventKind, members: Members<'_>) -> Result<IncomingEvent, Refusal> {
    use EventKind::{
        PracticePackagePurchased, PracticeRequestEscalated, PracticeReserved, PracticeSessionConsumed,
        ReservationCancelled,
    };
    let mut event = IncomingEvent::new(kind);
    for (name, value) in members {
        let value = FieldValue::Json(value.get());
        match (kind, name.as_str()) {
            (_, "eventId") => event.event_id = value.parsed(|text| text.parse().ok()),
            (PracticeReserved | ReservationCancelled | PracticeRequestEscalated, "practiceId") => {
                event.practice_id = value.id();
            }
            (PracticeReserved | ReservationCancelled | PracticePackagePurchased, "userId") => {
                event.user_id = value.id();
            }
            (PracticeReserved, "reservationId") => event.reservation_id = value.id(),
            (PracticeReserved, "status") => event.status = value.text(),
            (PracticeReserved | PracticePackagePurchased | PracticeSessionConsumed, "orderId") => {
                event.order_id = value.id();
            }
            (PracticePackagePurchased, "practicePackageId") => event.practice_package_id = value.id(),
            (PracticePackagePurchased, "paymentReference") => event.payment_reference = value.text(),
            (PracticePackagePurchased, "meta") => event.meta = value.json(),
            (PracticeRequestEscalated, "lessonId") => event.lesson_id = value.id(),
            (PracticeRequestEscalated, "pendingRequests") => event.pending_requests = value.number(),
            (PracticeRequestEscalated, "recipientIds") => event.recipient_ids = value.ids(),
            (kind, name) if name == kind.time_field() => event.at = value.timestamp(),
            (
                PracticeReserved
                | ReservationCancelled
                | PracticePackagePurchased
                | PracticeSessionConsumed
                | PracticeRequestEscalated,
                _,
            ) => return Err(Refusal::of_unknown_field(name, Reason::UnknownField)),
        }
    }
    Ok(event)
}
