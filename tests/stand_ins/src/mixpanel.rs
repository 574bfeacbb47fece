//! Mixpanel's ingestion API: `/import` for servers and `/track` for clients.
//!
//! Source: Mixpanel's OpenAPI description of ingestion, its pages "Import events", "Track events", "Event
//! deduplication", "Authentication" and "Project secret", and its libraries. Undocumented behavior is marked
//! as an assumption.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::config::MixpanelConfig;
use crate::http::{Request, Response};
use crate::outcome::{DropReason, Outcome};

mod auth;
mod batch;
pub(crate) mod import;
mod normalize;
mod rules;
mod store;
mod track;

pub(crate) use batch::Batch;
pub use store::{DedupKey, StoredMixpanel};
pub(crate) use store::{MixpanelStore, NewEvent};

/// The path for servers.
pub const IMPORT: &str = "/import";
/// The path for clients.
pub const TRACK: &str = "/track";

/// The result of a request to Mixpanel.
#[derive(Debug)]
pub(crate) struct Handled {
    pub response: Response,
    /// In the order of the events.
    pub outcomes: Vec<Outcome>,
    pub stored: Vec<NewEvent>,
}

impl Handled {
    /// The same outcome for all events, none of which is stored.
    fn all(response: Response, batch: &Batch, outcome: &Outcome) -> Self {
        Self { response, outcomes: vec![outcome.clone(); batch.events().len()], stored: Vec::new() }
    }
}

/// The data that a request is handled with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestContext<'a> {
    pub now: DateTime<Utc>,
    /// The client's IP address.
    pub peer: IpAddr,
    pub config: &'a MixpanelConfig,
    /// Events that `/import` refuses because of a fault.
    pub failing: Option<FailingRecords<'a>>,
}

/// Events that `/import` refuses because of a fault, and the error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailingRecords<'a> {
    /// The ids of the events. All events if empty.
    pub uids: &'a [String],
    pub field: &'a str,
    pub message: &'a str,
}

/// Handles a request. Returns the response and the events to store.
pub(crate) fn handle(request: &Request, batch: &Batch, context: RequestContext<'_>) -> Handled {
    match request.head.path.as_str() {
        IMPORT => import::handle(request, batch, context),
        TRACK => track::handle(request, batch, context),
        _ => {
            let response = Response::new(404, "text/plain; charset=utf-8", "404 page not found\n");
            Handled::all(response, batch, &Outcome::dropped(DropReason::Ignored))
        }
    }
}

/// The ids by which a test identifies an event: its `event_uid` and its `$insert_id`.
pub(crate) fn event_uids(event: &Value) -> impl Iterator<Item = &str> {
    let properties = event.get("properties");
    ["event_uid", "$insert_id"].into_iter().filter_map(move |name| properties?.get(name)?.as_str())
}
