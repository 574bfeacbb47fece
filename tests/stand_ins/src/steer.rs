//! Telling the stand-ins how to be.

use crate::StandIns;
use crate::clock::ClockSetting;
use crate::config::Config;
use crate::fault::{BadRule, Rule, RuleState};
use crate::journal::Service;
use crate::shared::Shared;
use crate::unpoisoned::lock;

impl StandIns {
    /// Sets the clock.
    pub fn set_clock(&self, setting: ClockSetting) {
        self.shared.clock.set(setting);
    }

    /// Changes the configuration.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        let mut config = Config::clone(&self.shared.config());
        change(&mut config);
        self.shared.set_config(config);
    }

    /// Takes these rules in place of those before, and forgets which events are in doubt.
    pub fn set_faults(&self, rules: impl IntoIterator<Item = Rule>) -> Result<(), BadRule> {
        lock(&self.shared.plan).set_rules(rules.into_iter().collect())
    }

    /// The rules, and how often each struck.
    pub fn faults(&self) -> Vec<RuleState> {
        lock(&self.shared.plan).states()
    }

    /// Sets the seed of all chance to come.
    pub fn set_seed(&self, seed: u64) {
        lock(&self.shared.plan).set_seed(seed);
    }

    /// Forgets all that came in and all faults; clock and configuration stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Closes a service's port and its idle connections; returns when nobody can connect any more.
    pub async fn refuse_connections(&self, service: Service) {
        set_open(&self.shared, service, false).await;
    }

    /// Opens a service's port again; returns when it is open.
    pub async fn accept_connections(&self, service: Service) {
        set_open(&self.shared, service, true).await;
    }

    /// Closes the connections of a service on which nothing is under way.
    pub fn close_idle_connections(&self, service: Service) {
        close_idle(&self.shared, service);
    }
}

pub(crate) async fn set_open(shared: &Shared, service: Service, open: bool) {
    let gate = shared.gate(service);
    let mut carried_out = gate.carried_out.subscribe();
    let change = gate.want_open(open);
    // The sender lives as long as we do. Somebody else may have wanted otherwise since.
    let _ = carried_out.wait_for(|carried_out| *carried_out >= change).await;
}

pub(crate) fn close_idle(shared: &Shared, service: Service) {
    let wanted = &shared.gate(service).wanted;
    wanted.send_modify(|wanted| wanted.changes += 1);
}
