//! Google Analytics 4's Measurement Protocol, as a client sees it.
//!
//! Source: Google's Measurement Protocol reference with its pages "Send Measurement Protocol events",
//! "Validate events" and "Troubleshooting". Undocumented behavior is marked as an assumption.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::config::{CollectAnswer, Ga4Config};
use crate::http::{Request, Response};
use crate::outcome::{DropReason, Outcome};

mod body;
mod collect;
mod debug;
mod event;
mod param;
mod rules;
mod store;

pub(crate) use body::Body;
pub(crate) use collect::collect;
pub(crate) use store::Ga4Store;
pub use store::StoredGa4;

/// The path that stores events.
pub const COLLECT: &str = "/mp/collect";
/// The path of the validation server.
pub const DEBUG_COLLECT: &str = "/debug/mp/collect";

/// The result of a request to GA4.
#[derive(Debug)]
pub(crate) struct Handled {
    pub response: Response,
    /// In the order of the events.
    pub outcomes: Vec<Outcome>,
    pub stored: Vec<StoredGa4>,
}

/// Handles a request. Returns the response and the events to store.
pub(crate) fn handle(request: &Request, body: &Body, now: DateTime<Utc>, config: &Ga4Config) -> Handled {
    let drop_all = |response, reason| Handled {
        response,
        outcomes: vec![Outcome::dropped(reason); body.events().len()],
        stored: Vec::new(),
    };
    let head = &request.head;
    match head.path.as_str() {
        // Assumption: only POST is documented, not the response to other methods.
        COLLECT | DEBUG_COLLECT if head.method != "POST" => {
            drop_all(Response::empty(config.other_method_status), DropReason::Malformed)
        }
        COLLECT => {
            let (outcomes, stored) = collect(request, body, now, config);
            Handled { response: collect_response(config.collect_answer), outcomes, stored }
        }
        DEBUG_COLLECT => drop_all(debug::validate(head, body, now), DropReason::Ignored),
        _ => drop_all(
            Response::new(404, "text/html; charset=UTF-8", "<html><title>404</title></html>"),
            DropReason::Ignored,
        ),
    }
}

/// The response of `/mp/collect`. It is always the same, even for a wrong secret, invalid JSON or dropped
/// events.
fn collect_response(answer: CollectAnswer) -> Response {
    match answer {
        CollectAnswer::NoContent => Response::empty(204),
        CollectAnswer::Ok => Response::empty(200),
        CollectAnswer::NoContentWithBody => Response::new(204, "text/plain", "ok"),
    }
}

/// The `event_uid` of an event, by which a test identifies it.
pub(crate) fn event_uid(event: &Value) -> Option<String> {
    event.get("params")?.get("event_uid")?.as_str().map(str::to_owned)
}
