//! The bodies in which a player's reports come.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use chrono::{DateTime, Utc};
use domain::text::{Phrase, Text};
use multer::Multipart;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fields::{self, Sent};
use crate::error::{Error, Result};
use crate::graphql::record::{MAX_EVENTS, TOO_MANY};
use crate::http::received::{self, Incomplete};
use crate::telemetry::player_event::{Field, SentEvent, Shape};
use crate::telemetry::refusal::{Reason, Refusal};

/// The largest body, in bytes; browsers send beacons of up to 64 KiB.
const MAX_BYTES: usize = 1 << 20;

/// The largest body that holds one report only, in bytes.
const MAX_REPORT_BYTES: usize = 64 << 10;

/// What was received. Before it is known who sent it, nothing is made of it but the token.
pub struct Received {
    token: Option<SecretString>,
    content: Content,
}

enum Content {
    /// A JSON object with a list of events, or none.
    Json { body: Bytes, has_events: bool },
    /// The fields of a form.
    Form(BTreeMap<String, String>),
}

/// What is looked at before anybody is known; other members are passed over and make no work.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    token: Option<&'a RawValue>,
    #[serde(borrow)]
    events: Option<&'a RawValue>,
}

/// What is reported.
pub enum Report {
    /// How far somebody has come.
    Progress(Result<SentEvent, Refusal>),
    /// What happened.
    Events(Vec<SentWithId>),
}

/// An event beside its id as it was sent.
pub type SentWithId = (Option<String>, Result<SentEvent, Refusal>);

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
    match kind.as_str() {
        "application/x-www-form-urlencoded" => Ok(Received::of_form(urlencoded(&body))),
        "multipart/form-data" => Ok(Received::of_form(multipart(content_type, body).await?)),
        _ => Received::of_json(body),
    }
}

impl Received {
    fn of_form(mut fields: BTreeMap<String, String>) -> Self {
        let token = fields.remove("token").map(SecretString::from);
        Self { token, content: Content::Form(fields) }
    }

    fn of_json(body: Bytes) -> Result<Self, Unreadable> {
        let Envelope { token, events } = serde_json::from_slice(&body).map_err(not_json)?;
        let has_events = events.is_some();
        if !has_events && body.len() > MAX_REPORT_BYTES {
            return Err(Unreadable::TooLarge);
        }
        let token = token.and_then(|token| serde_json::from_str::<String>(token.get()).ok());
        Ok(Self { token: token.map(SecretString::from), content: Content::Json { body, has_events } })
    }

    /// The token in the body.
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(ExposeSecret::expose_secret)
    }

    /// What it reports.
    pub fn report(&self) -> Result<Report> {
        match &self.content {
            Content::Form(fields) => {
                let sent = fields.iter().map(|(name, text)| (name.clone(), Sent::Form(text)));
                Ok(Report::Progress(fields::read(sent, Shape::Progress)))
            }
            Content::Json { body, has_events: false } => {
                let members =
                    members(body).map_err(|error| Error::invalid("body", not_json(error).message()))?;
                let sent = members.iter().filter(|(name, _)| *name != "token");
                let sent = sent.map(|(name, value)| (name.clone(), Sent::Json(value.get())));
                Ok(Report::Progress(fields::read(sent, Shape::Progress)))
            }
            Content::Json { body, has_events: true } => events(body).map(Report::Events),
        }
    }
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

fn members(json: &[u8]) -> serde_json::Result<Members<'_>> {
    serde_json::from_slice(json)
}

/// The events of a list, each judged alone.
fn events(body: &[u8]) -> Result<Vec<SentWithId>> {
    let members = members(body).map_err(|error| Error::invalid("body", not_json(error).message()))?;
    if let Some(other) = members.keys().find(|name| !matches!(name.as_str(), "token" | "sentAt" | "events")) {
        return Err(Error::invalid(other.clone(), BESIDE_EVENTS));
    }
    let events = members.get("events").and_then(|events| serde_json::from_str(events.get()).ok());
    let events: Vec<&RawValue> = events.ok_or_else(|| Error::invalid("events", NOT_A_LIST))?;
    if events.len() > MAX_EVENTS {
        return Err(Error::invalid("events", TOO_MANY));
    }
    let sent_at = members.get("sentAt").map_or(Field::Missing, |json| Sent::Json(json.get()).moment());
    if sent_at == Field::Unreadable {
        return Err(Error::invalid("sentAt", Reason::NotAMoment.message()));
    }
    Ok(events.into_iter().map(|json| event(json, &sent_at)).collect())
}

fn event(event: &RawValue, sent_at: &Field<DateTime<Utc>>) -> SentWithId {
    let Ok(members) = serde_json::from_str::<Members<'_>>(event.get()) else {
        return (None, Err(Refusal::of_event(Reason::NotAnObject)));
    };
    let id = members.get("clientEventId").and_then(|id| serde_json::from_str(id.get()).ok());
    let sent = members.into_iter().map(|(name, value)| (name, Sent::Json(value.get())));
    let event = fields::read(sent, Shape::Event);
    (id, event.map(|event| SentEvent { sent_at: sent_at.clone(), ..event }))
}

const NOT_A_LIST: Text = Text::new("Se acepta una lista de eventos.", "Accepted: a list of events.");
const BESIDE_EVENTS: Text = Text::new(
    "Junto a events solo se aceptan token y sentAt; los demás campos van en cada evento.",
    "Beside events only token and sentAt are accepted; other fields go into each event.",
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

fn not_json(error: serde_json::Error) -> Unreadable {
    Unreadable::NotAnObject(error.to_string())
}

fn urlencoded(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

async fn multipart(content_type: &str, body: Bytes) -> Result<BTreeMap<String, String>, Unreadable> {
    let unreadable = |error: multer::Error| Unreadable::NotAnObject(error.to_string());
    let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
    let whole = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = Multipart::new(whole, boundary);
    let mut fields = BTreeMap::new();
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.insert(name, part.text().await.map_err(unreadable)?);
    }
    Ok(fields)
}
