//! Google Analytics 4's Measurement Protocol, as far as a server sees of it.
//!
//! Source: Google's Measurement Protocol reference with its pages "Send Measurement Protocol events", "Validate
//! events" and "Troubleshooting". What Google documents nowhere is marked as an assumption where it stands.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::config::{CollectAnswer, Ga4Config};
use crate::http::{Request, Response};
use crate::verdict::{Reason, Verdict};

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

/// The path whose events are stored.
pub const COLLECT: &str = "/mp/collect";
/// The path that only tells what is wrong.
pub const DEBUG_COLLECT: &str = "/debug/mp/collect";

/// What a request to GA4 came to.
#[derive(Debug)]
pub(crate) struct Judged {
    pub response: Response,
    /// In the order of the events.
    pub verdicts: Vec<Verdict>,
    pub stored: Vec<StoredGa4>,
}

/// Answers a request, and says what is to be stored.
pub(crate) fn judge(request: &Request, body: &Body, now: DateTime<Utc>, config: &Ga4Config) -> Judged {
    let none = |response, reason| Judged {
        response,
        verdicts: vec![Verdict::dropped(reason); body.events().len()],
        stored: Vec::new(),
    };
    let head = &request.head;
    match head.path.as_str() {
        // Assumption: only "send a POST" is documented, not what answers another method.
        COLLECT | DEBUG_COLLECT if head.method != "POST" => {
            none(Response::empty(config.other_method_status), Reason::Malformed)
        }
        COLLECT => {
            let (verdicts, stored) = collect(request, body, now, config);
            Judged { response: received(config.collect_answer), verdicts, stored }
        }
        DEBUG_COLLECT => none(debug::answer(head, body, now), Reason::Ignored),
        _ => none(
            Response::of(404, "text/html; charset=UTF-8", "<html><title>404</title></html>"),
            Reason::Ignored,
        ),
    }
}

/// The answer of `/mp/collect`, which says that bytes arrived and nothing more: a wrong secret, broken JSON and events
/// that are not stored get the same.
fn received(shape: CollectAnswer) -> Response {
    match shape {
        CollectAnswer::NoContent => Response::empty(204),
        CollectAnswer::Ok => Response::empty(200),
        CollectAnswer::NoContentWithBody => Response::of(204, "text/plain", "ok"),
    }
}

/// An event's own id, by which a test knows it again.
pub(crate) fn event_uid(event: &Value) -> Option<String> {
    event.get("params")?.get("event_uid")?.as_str().map(str::to_owned)
}
