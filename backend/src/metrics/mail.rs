//! Outgoing mail.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Labels;

/// Metrics of outgoing mail.
#[derive(Debug)]
pub struct Mail {
    sent: Counter,
    postponed: Counter,
    failed: Counter,
}

impl Mail {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let mails: Family<Labels<1>, Counter> = Family::default();
        registry.register("mails", "Attempts to send a mail, by outcome", mails.clone());
        let counter = |outcome| mails.get_or_create_owned(&[("outcome", outcome)]);
        Self { sent: counter("sent"), postponed: counter("postponed"), failed: counter("failed") }
    }

    /// Counts a mail that the mail server accepted.
    pub fn sent(&self) {
        self.sent.inc();
    }

    /// Counts a mail that is retried later.
    pub fn postponed(&self) {
        self.postponed.inc();
    }

    /// Counts a mail that is not retried.
    pub fn failed(&self) {
        self.failed.inc();
    }
}
