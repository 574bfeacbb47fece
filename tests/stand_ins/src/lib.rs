//! Faithful stand-ins for GA4, Mixpanel and a mail server on loopback, for tests, measurements and demonstrations.
//!
//! GA4 and Mixpanel answer as the vendors document it, and keep what the vendors would keep, so that a test can ask what really
//! became of an event. By rules they fail in every way in which services fail, the same way for the same seed. They
//! know nothing of the product.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use stand_ins::fault::{Answer, Fault, Rule};
//! use stand_ins::{Service, StandIns};
//!
//! let stand_ins = StandIns::start().await?;
//! stand_ins.set_faults([Rule::new(Service::Ga4, Fault::Answer(Answer::empty(503))).times(2)]).expect("a good rule");
//! // … what is tested sends to `stand_ins.ga4_url()` …
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
mod control;
pub mod fault;
mod ga4;
mod http;
mod inspect;
mod journal;
mod mixpanel;
mod server;
mod shared;
pub mod smtp;
mod steer;
mod unpoisoned;
mod verdict;

pub use clock::ClockSetting;
pub use config::Config;
pub use ga4::{COLLECT, DEBUG_COLLECT, StoredGa4};
pub use journal::{Entry, JournalEvent, Service, Struck};
pub use mixpanel::{DedupKey, IMPORT, StoredMixpanel, TRACK};
pub use shared::{Counts, ServiceCounts};
pub use verdict::{Flag, Reason, Verdict};

use server::Port;
use shared::Shared;

/// Both services, until this is dropped.
#[derive(Debug)]
pub struct StandIns {
    shared: Arc<Shared>,
    addresses: Addresses,
    _listeners: JoinSet<io::Result<()>>,
}

/// Where they listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// GA4.
    pub ga4: SocketAddr,
    /// Mixpanel.
    pub mixpanel: SocketAddr,
    /// The control side, which no fault touches.
    pub control: SocketAddr,
}

impl Default for Addresses {
    /// Free ports of loopback.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { ga4: any, mixpanel: any, control: any }
    }
}

impl StandIns {
    /// Starts them on free ports of loopback, on the runtime that this is called on.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(Addresses::default(), 0).await
    }

    /// Starts them on these addresses; from the seed comes all chance.
    pub async fn start_on(addresses: Addresses, seed: u64) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(seed));
        let ga4 = Port::take(addresses.ga4).await?;
        let mixpanel = Port::take(addresses.mixpanel).await?;
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

    /// Where they listen.
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What stands in place of `https://www.google-analytics.com`.
    pub fn ga4_url(&self) -> String {
        format!("http://{}", self.addresses.ga4)
    }

    /// What stands in place of `https://api.mixpanel.com`.
    pub fn mixpanel_url(&self) -> String {
        format!("http://{}", self.addresses.mixpanel)
    }

    /// The control side.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.addresses.control)
    }
}
