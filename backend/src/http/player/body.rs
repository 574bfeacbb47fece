//! Reads the request bodies of players' reports.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use chrono::{DateTime, Utc};
use domain::text::{Phrase, Text};
use multer::Multipart;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fields;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::http::body::{self, BodyError};
use crate::http::field_value::{FieldValue, Members, list_of_events, unparsable_body};
use crate::refusal::Reason as _;
use crate::telemetry::player_event::{IncomingEvent, Shape};
use crate::telemetry::refusal::{Reason, Refusal};

/// The maximum size of a body. Browsers limit beacons to 64 KiB.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The maximum size of a JSON body with a single report.
const MAX_REPORT_BYTES: usize = 64 << 10;

/// A body of which only the token is parsed, until the caller is authenticated.
pub struct RequestBody {
    token: Option<SecretString>,
    content: Content,
}

enum Content {
    /// A JSON object, with or without a list of events.
    Json { body: Bytes, has_events: bool },
    /// The fields of a form.
    Form(BTreeMap<String, String>),
}

/// The members that are parsed before authentication. The others are skipped, which costs little.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    token: Option<&'a RawValue>,
    #[serde(borrow)]
    events: Option<&'a RawValue>,
}

/// What a body reports.
pub enum Report {
    /// A user's progress.
    Progress(Result<IncomingEvent, Refusal>),
    /// Several events.
    Events(Vec<EventWithId>),
}

/// The client's id of an event, if it has one, and the event.
pub type EventWithId = (Option<String>, Result<IncomingEvent, Refusal>);

/// Why a whole body is rejected.
pub enum InvalidBody {
    /// The content type is not supported.
    ContentType,
    /// It exceeds the size limit.
    TooLarge,
    /// It ended early or timed out.
    Incomplete,
    /// It is not a JSON object or a valid form, for this reason.
    Unparsable(String),
}

/// Reads a body.
pub async fn read(content_type: &str, body: Body) -> Result<RequestBody, InvalidBody> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(
        media_type.as_str(),
        "application/json" | "text/plain" | "application/x-www-form-urlencoded" | "multipart/form-data"
    ) {
        return Err(InvalidBody::ContentType);
    }
    let body = body::read(body, MAX_BODY_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge => InvalidBody::TooLarge,
        BodyError::Incomplete => InvalidBody::Incomplete,
    })?;
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => Ok(RequestBody::from_form(urlencoded(&body))),
        "multipart/form-data" => Ok(RequestBody::from_form(multipart(content_type, body).await?)),
        _ => RequestBody::from_json(body),
    }
}

impl RequestBody {
    fn from_form(mut fields: BTreeMap<String, String>) -> Self {
        let token = fields.remove("token").map(SecretString::from);
        Self { token, content: Content::Form(fields) }
    }

    fn from_json(body: Bytes) -> Result<Self, InvalidBody> {
        let Envelope { token, events } = serde_json::from_slice(&body).map_err(unparsable)?;
        let has_events = events.is_some();
        if !has_events && body.len() > MAX_REPORT_BYTES {
            return Err(InvalidBody::TooLarge);
        }
        let token = token.and_then(|token| serde_json::from_str::<String>(token.get()).ok());
        Ok(Self { token: token.map(SecretString::from), content: Content::Json { body, has_events } })
    }

    /// The token in the body.
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(ExposeSecret::expose_secret)
    }

    /// Parses the report.
    pub fn report(&self) -> Result<Report> {
        match &self.content {
            Content::Form(fields) => {
                let values = fields.iter().map(|(name, text)| (name.clone(), FieldValue::Form(text)));
                Ok(Report::Progress(fields::read(values, Shape::Progress)))
            }
            Content::Json { body, has_events: false } => {
                let members =
                    members(body).map_err(|error| Error::invalid("body", unparsable(error).message()))?;
                let values = members.iter().filter(|(name, _)| *name != "token");
                let values = values.map(|(name, value)| (name.clone(), FieldValue::Json(value.get())));
                Ok(Report::Progress(fields::read(values, Shape::Progress)))
            }
            Content::Json { body, has_events: true } => events(body).map(Report::Events),
        }
    }
}

fn members(json: &[u8]) -> serde_json::Result<Members<'_>> {
    serde_json::from_slice(json)
}

/// The events of a list. An invalid event does not affect the others.
fn events(body: &[u8]) -> Result<Vec<EventWithId>> {
    let members = members(body).map_err(|error| Error::invalid("body", unparsable(error).message()))?;
    if let Some(other) = members.keys().find(|name| !matches!(name.as_str(), "token" | "sentAt" | "events")) {
        return Err(Error::invalid(other.clone(), UNEXPECTED_MEMBER));
    }
    let events = list_of_events(&members)?;
    let sent_at =
        members.get("sentAt").map_or(Field::Missing, |json| FieldValue::Json(json.get()).timestamp());
    if sent_at == Field::Invalid {
        return Err(Error::invalid("sentAt", Reason::NotAMoment.message()));
    }
    Ok(events.into_iter().map(|json| event(json, &sent_at)).collect())
}

fn event(event: &RawValue, sent_at: &Field<DateTime<Utc>>) -> EventWithId {
    let Ok(members) = serde_json::from_str::<Members<'_>>(event.get()) else {
        return (None, Err(Refusal::of_event(Reason::NotAnObject)));
    };
    let id = members.get("clientEventId").and_then(|id| serde_json::from_str(id.get()).ok());
    let values = members.into_iter().map(|(name, value)| (name, FieldValue::Json(value.get())));
    let event = fields::read(values, Shape::Event);
    (id, event.map(|event| IncomingEvent { sent_at: sent_at.clone(), ..event }))
}

const UNEXPECTED_MEMBER: Text = Text::new(
    "Junto a events solo se aceptan token y sentAt. Los demás campos van en cada evento.",
    "Only token and sentAt are accepted next to events. Other fields belong in each event.",
);

impl InvalidBody {
    /// The error message, which says what is accepted.
    pub fn message(&self) -> Phrase {
        match self {
            Self::ContentType => Text::new(
                "Content-Type no admitido. Se acepta application/json, text/plain con JSON, \
                 application/x-www-form-urlencoded o multipart/form-data.",
                "Unsupported Content-Type. Accepted: application/json, text/plain with JSON, \
                 application/x-www-form-urlencoded or multipart/form-data.",
            )
            .into(),
            Self::TooLarge => Text::new(
                "La petición es demasiado grande. Se acepta hasta 1 MiB.",
                "The request is too large. Accepted: up to 1 MiB.",
            )
            .into(),
            Self::Incomplete => {
                Text::new("La petición llegó incompleta.", "The request body is incomplete.").into()
            }
            Self::Unparsable(cause) => unparsable_body(cause),
        }
    }
}

fn unparsable(error: serde_json::Error) -> InvalidBody {
    InvalidBody::Unparsable(error.to_string())
}

fn urlencoded(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

async fn multipart(content_type: &str, body: Bytes) -> Result<BTreeMap<String, String>, InvalidBody> {
    let unparsable = |error: multer::Error| InvalidBody::Unparsable(error.to_string());
    let boundary = multer::parse_boundary(content_type).map_err(unparsable)?;
    let stream = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = Multipart::new(stream, boundary);
    let mut fields = BTreeMap::new();
    while let Some(part) = parts.next_field().await.map_err(unparsable)? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.insert(name, part.text().await.map_err(unparsable)?);
    }
    Ok(fields)
}
