//! The parsed content of a request to either service.

use serde_json::Value;

use crate::ga4;
use crate::http::Request;
use crate::journal::Service;
use crate::mixpanel::{self, Batch};

/// The parsed content of a request, by service.
pub(super) enum Content {
    Ga4(ga4::Body),
    Mixpanel(Batch),
}

impl Content {
    pub(super) fn read(service: Service, request: &Request) -> Self {
        match service {
            Service::Ga4 => Self::Ga4(ga4::Body::read(&request.body)),
            Service::Mixpanel => Self::Mixpanel(Batch::read(request)),
        }
    }

    pub(super) fn events(&self) -> &[Value] {
        match self {
            Self::Ga4(body) => body.events(),
            Self::Mixpanel(batch) => batch.events(),
        }
    }

    pub(super) fn into_events(self) -> Vec<Value> {
        match self {
            Self::Ga4(body) => body.into_events(),
            Self::Mixpanel(batch) => batch.into_events(),
        }
    }

    /// All ids by which a rule can select the events.
    pub(super) fn uids(&self) -> Vec<String> {
        match self {
            Self::Ga4(body) => body.events().iter().filter_map(ga4::event_uid).collect(),
            Self::Mixpanel(batch) => {
                batch.events().iter().flat_map(mixpanel::event_uids).map(str::to_owned).collect()
            }
        }
    }
}

/// The id of an event in the journal.
pub(super) fn uid(service: Service, event: &Value) -> Option<String> {
    match service {
        Service::Ga4 => ga4::event_uid(event),
        Service::Mixpanel => mixpanel::event_uids(event).next().map(str::to_owned),
    }
}
