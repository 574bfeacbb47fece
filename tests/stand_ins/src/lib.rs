//! Faithful stand-ins for GA4, Mixpanel and a mail server on loopback, for tests, benchmarks and
//! demonstrations.
//!
//! GA4 and Mixpanel respond as their vendors document, and store what the vendors would store, so that a test
//! can look up the real outcome of an event. Rules make them fail in every way in which services fail,
//! reproducibly by a seed. They know nothing of the product.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use stand_ins::fault::{Answer, Fault, Rule};
//! use stand_ins::{Service, StandIns};
//!
//! let stand_ins = StandIns::start().await?;
//! let fault = Fault::Answer(Answer::empty(503));
//! stand_ins.set_faults([Rule::new(Service::Ga4, fault).times(2)]).expect("the rule is valid");
//! // … the code under test sends to `stand_ins.ga4_url()` …
//! assert!(stand_ins.ga4_copies_by_event_uid().is_empty());
//! # Ok(())
//! # }
//! ```

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

mod clock;
pub mod config;
mod configure;
mod control;
pub mod fault;
mod ga4;
mod http;
mod inspect;
mod journal;
mod mixpanel;
mod outcome;
mod server;
mod shared;
pub mod smtp;

pub use clock::ClockSetting;
pub use config::Config;
pub use ga4::{COLLECT, DEBUG_COLLECT, StoredGa4};
pub use journal::{Entry, InjectedFault, JournalEvent, Service};
pub use mixpanel::{DedupKey, IMPORT, StoredMixpanel, TRACK};
pub use outcome::{DropReason, Flag, Outcome};
pub use shared::{Counts, ServiceCounts};

use server::Port;
use shared::Shared;

/// The running stand-ins of both services. They stop when this is dropped.
#[derive(Debug)]
pub struct StandIns {
    shared: Arc<Shared>,
    addresses: Addresses,
    _listeners: JoinSet<io::Result<()>>,
}

/// The addresses on which the stand-ins listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    pub ga4: SocketAddr,
    pub mixpanel: SocketAddr,
    /// The control interface, which no fault affects.
    pub control: SocketAddr,
}

impl Default for Addresses {
    /// Free ports on loopback.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { ga4: any, mixpanel: any, control: any }
    }
}

impl StandIns {
    /// Starts the stand-ins on free loopback ports, on the current runtime.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(Addresses::default(), 0).await
    }

    /// Starts the stand-ins on these addresses. All randomness comes from the seed.
    pub async fn start_on(addresses: Addresses, seed: u64) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(seed));
        let ga4 = Port::bind(addresses.ga4).await?;
        let mixpanel = Port::bind(addresses.mixpanel).await?;
        let control = TcpListener::bind(addresses.control).await?;
        let addresses = Addresses {
            ga4: ga4.1.local_addr()?,
            mixpanel: mixpanel.1.local_addr()?,
            control: control.local_addr()?,
        };
        let mut listeners = JoinSet::new();
        listeners.spawn(server::serve(ga4, Service::Ga4, Arc::clone(&shared)));
        listeners.spawn(server::serve(mixpanel, Service::Mixpanel, Arc::clone(&shared)));
        listeners.spawn(control::serve(control, Arc::clone(&shared)));
        Ok(Self { shared, addresses, _listeners: listeners })
    }

    /// The addresses on which the stand-ins listen.
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The URL to use in place of `https://www.google-analytics.com`.
    pub fn ga4_url(&self) -> String {
        format!("http://{}", self.addresses.ga4)
    }

    /// The URL to use in place of `https://api.mixpanel.com`.
    pub fn mixpanel_url(&self) -> String {
        format!("http://{}", self.addresses.mixpanel)
    }

    /// The URL of the control interface.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.addresses.control)
    }
}
