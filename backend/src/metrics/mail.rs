//! Mails going out.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Labels;

/// Mails going out.
#[derive(Debug)]
pub struct Mail {
    sent: Counter,
    postponed: Counter,
    given_up: Counter,
}

impl Mail {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let mails: Family<Labels<1>, Counter> = Family::default();
        registry.register("mails", "Tries to send a mail, by outcome", mails.clone());
        let counter = |outcome| mails.get_or_create_owned(&[("outcome", outcome)]);
        Self { sent: counter("sent"), postponed: counter("postponed"), given_up: counter("given_up") }
    }

    /// The mail server took one.
    pub fn sent(&self) {
        self.sent.inc();
    }

    /// One is tried again later.
    pub fn postponed(&self) {
        self.postponed.inc();
    }

    /// One is not tried again.
    pub fn given_up(&self) {
        self.given_up.inc();
    }
}
