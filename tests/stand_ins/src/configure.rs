//! Functions that change the behavior of the stand-ins.

use crate::StandIns;
use crate::clock::ClockSetting;
use crate::config::Config;
use crate::fault::{Rule, RuleError, RuleState};
use crate::journal::Service;
use crate::shared::Shared;

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

    /// Replaces the rules, and forgets which events had an ambiguous fault.
    pub fn set_faults(&self, rules: impl IntoIterator<Item = Rule>) -> Result<(), RuleError> {
        self.shared.plan.lock().set_rules(rules.into_iter().collect())
    }

    /// The rules with their counts.
    pub fn faults(&self) -> Vec<RuleState> {
        self.shared.plan.lock().states()
    }

    /// Sets the seed of all further randomness.
    pub fn set_seed(&self, seed: u64) {
        self.shared.plan.lock().set_seed(seed);
    }

    /// Deletes all requests, stored events and rules. The clock and the configuration stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Closes a service's port and its idle connections. Returns when new connections are refused.
    pub async fn refuse_connections(&self, service: Service) {
        set_open(&self.shared, service, false).await;
    }

    /// Opens a service's port again. Returns when it is open.
    pub async fn accept_connections(&self, service: Service) {
        set_open(&self.shared, service, true).await;
    }

    /// Closes the connections of a service that have no request in flight.
    pub fn close_idle_connections(&self, service: Service) {
        close_idle(&self.shared, service);
    }
}

pub(crate) async fn set_open(shared: &Shared, service: Service, open: bool) {
    let port_control = shared.port_control(service);
    let mut applied = port_control.applied.subscribe();
    let change = port_control.request_state(open);
    // This cannot fail, since `shared` keeps the sender. A later change may already be applied too.
    let _ = applied.wait_for(|applied| *applied >= change).await;
}

pub(crate) fn close_idle(shared: &Shared, service: Service) {
    let desired = &shared.port_control(service).desired;
    desired.send_modify(|desired| desired.changes += 1);
}
