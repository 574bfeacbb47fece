//! Mixpanel's ingestion API: `/import` for servers and `/track` for anybody.
//!
//! Source: Mixpanel's OpenAPI description of ingestion, its pages "Import events", "Track events", "Event
//! deduplication", "Authentication" and "Project secret", and its libraries. What they do not say is marked as an
//! assumption where it stands.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::config::MixpanelConfig;
use crate::http::{Request, Response};
use crate::verdict::{Reason, Verdict};

mod auth;
mod batch;
pub(crate) mod import;
mod normal;
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

/// What a request to Mixpanel came to.
#[derive(Debug)]
pub(crate) struct Judged {
    pub response: Response,
    /// In the order of the events.
    pub verdicts: Vec<Verdict>,
    pub stored: Vec<NewEvent>,
}

impl Judged {
    /// The same verdict on all events.
    fn all(response: Response, batch: &Batch, verdict: &Verdict) -> Self {
        Self { response, verdicts: vec![verdict.clone(); batch.events().len()], stored: Vec::new() }
    }
}

/// What the world is like when a request comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub now: DateTime<Utc>,
    pub peer: IpAddr,
    pub config: &'a MixpanelConfig,
    /// The ids of events that a fault has `/import` refuse, with what it says of them.
    pub poison: Option<Poison<'a>>,
}

/// Events that cannot be imported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poison<'a> {
    /// Their ids; empty means all.
    pub uids: &'a [String],
    pub field: &'a str,
    pub message: &'a str,
}

/// Answers a request, and says what is to be stored.
pub(crate) fn judge(request: &Request, batch: &Batch, circumstances: Circumstances<'_>) -> Judged {
    match request.head.path.as_str() {
        IMPORT => import::judge(request, batch, circumstances),
        TRACK => track::judge(request, batch, circumstances),
        _ => {
            let response = Response::of(404, "text/plain; charset=utf-8", "404 page not found\n");
            Judged::all(response, batch, &Verdict::dropped(Reason::Ignored))
        }
    }
}

/// The ids by which a test knows an event again: its `event_uid`, and its `$insert_id`.
pub(crate) fn event_uids(event: &Value) -> impl Iterator<Item = &str> {
    let properties = event.get("properties");
    ["event_uid", "$insert_id"].into_iter().filter_map(move |name| properties?.get(name)?.as_str())
}
