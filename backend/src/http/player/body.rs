//! The bodies in which a player's reports come.

use axum::body::{Body, Bytes};
use domain::text::{Phrase, Text};
use multer::Multipart;
use serde_json::{Map, Value};

use super::fields::{self, Origin};
use crate::error::{Error, Result};
use crate::graphql::record::{MAX_EVENTS, TOO_MANY};
use crate::http::received::{self, Incomplete};
use crate::telemetry::player_event::{SentEvent, Shape};
use crate::telemetry::refusal::Refusal;

/// The largest body, in bytes; browsers send beacons of up to 64 KiB.
const MAX_BYTES: usize = 1 << 20;

/// What was received, before anybody is asked who sent it.
pub struct Received {
    /// The token in the body.
    pub token: Option<String>,
    origin: Origin,
    fields: Map<String, Value>,
}

/// What is reported.
pub enum Report {
    /// How far somebody has come.
    Progress(Result<SentEvent, Refusal>),
    /// What happened, each with its id as it was sent.
    Events(Vec<(Option<String>, Result<SentEvent, Refusal>)>),
}

/// Why a body cannot be read as a whole.
pub enum Unreadable {
    /// A kind of body that is not taken.
    ContentType,
    /// Too many bytes.
    TooLarge,
    /// It did not come to its end.
    BrokenOff,
    /// No JSON object, or no form.
    NotAnObject(String),
}

/// Reads a body.
pub async fn read(content_type: &str, body: Body) -> Result<Received, Unreadable> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(
        kind.as_str(),
        "application/json" | "text/plain" | "application/x-www-form-urlencoded" | "multipart/form-data"
    ) {
        return Err(Unreadable::ContentType);
    }
    let body = received::whole(body, MAX_BYTES).await.map_err(|incomplete| match incomplete {
        Incomplete::TooLarge => Unreadable::TooLarge,
        Incomplete::BrokenOff => Unreadable::BrokenOff,
    })?;
    let (origin, mut fields) = match kind.as_str() {
        "application/x-www-form-urlencoded" => (Origin::Form, urlencoded(&body)),
        "multipart/form-data" => (Origin::Form, multipart(content_type, body).await?),
        _ => (Origin::Json, json(&body)?),
    };
    let token = match fields.remove("token") {
        Some(Value::String(token)) => Some(token),
        _ => None,
    };
    Ok(Received { token, origin, fields })
}

impl Received {
    /// What it reports.
    pub fn into_report(mut self) -> Result<Report> {
        let Some(events) = self.fields.remove("events") else {
            return Ok(Report::Progress(fields::read(self.fields, Shape::Progress, self.origin)));
        };
        let Value::Array(events) = events else { return Err(Error::invalid("events", NOT_A_LIST)) };
        if let Some(other) = self.fields.keys().next() {
            return Err(Error::invalid(other.clone(), BESIDE_EVENTS));
        }
        if events.len() > MAX_EVENTS {
            return Err(Error::invalid("events", TOO_MANY));
        }
        let read = |(place, event): (usize, Value)| {
            let Value::Object(fields) = event else {
                return Err(Error::invalid(format!("events[{place}]"), NOT_AN_EVENT));
            };
            let id = fields.get("clientEventId").and_then(Value::as_str).map(str::to_owned);
            Ok((id, fields::read(fields, Shape::Event, self.origin)))
        };
        events.into_iter().enumerate().map(read).collect::<Result<_>>().map(Report::Events)
    }
}

const NOT_A_LIST: Text = Text::new("Se acepta una lista de eventos.", "Accepted: a list of events.");
const NOT_AN_EVENT: Text = Text::new("Un evento es un objeto JSON.", "An event is a JSON object.");
const BESIDE_EVENTS: Text = Text::new(
    "Junto a events solo se acepta token; los campos van en cada evento.",
    "Beside events only token is accepted; fields go into each event.",
);

impl Unreadable {
    /// What is wrong and what is accepted.
    pub fn message(&self) -> Phrase {
        match self {
            Self::ContentType => Text::new(
                "Se acepta application/json, text/plain con JSON, application/x-www-form-urlencoded o \
                 multipart/form-data.",
                "Accepted: application/json, text/plain holding JSON, application/x-www-form-urlencoded or \
                 multipart/form-data.",
            )
            .into(),
            Self::TooLarge => Text::new("Se acepta hasta 1 MiB.", "Accepted: up to 1 MiB.").into(),
            Self::BrokenOff => {
                Text::new("La petición no llegó entera.", "The request did not come whole.").into()
            }
            Self::NotAnObject(cause) => Phrase::new(
                format!("El cuerpo no se puede leer: {cause}"),
                format!("The body cannot be read: {cause}"),
            ),
        }
    }
}

fn json(body: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    serde_json::from_slice(body).map_err(|error| Unreadable::NotAnObject(error.to_string()))
}

fn urlencoded(body: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(body).map(|(key, value)| (key.into_owned(), Value::from(value))).collect()
}

async fn multipart(content_type: &str, body: Bytes) -> Result<Map<String, Value>, Unreadable> {
    let unreadable = |error: multer::Error| Unreadable::NotAnObject(error.to_string());
    let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
    let whole = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = Multipart::new(whole, boundary);
    let mut fields = Map::new();
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.insert(name, part.text().await.map_err(unreadable)?.into());
    }
    Ok(fields)
}
