//! The timeout of a request.

use gloo_timers::callback::Timeout;
use web_sys::{AbortController, AbortSignal};

/// How long to wait for a response, in milliseconds. The server's own timeouts are shorter.
const TIMEOUT_MS: u32 = 60_000;

/// Aborts a request when it times out, or when this is dropped because the caller no longer waits.
pub struct RequestTimeout {
    controller: Option<AbortController>,
    _timer: Option<Timeout>,
}

impl RequestTimeout {
    /// Starts the timeout.
    pub fn new() -> Self {
        // Every browser that can run the app has `AbortController`. Without it there would be no timeout.
        let controller = AbortController::new().ok();
        let timer = controller.clone().map(|controller| Timeout::new(TIMEOUT_MS, move || controller.abort()));
        Self { controller, _timer: timer }
    }

    /// The signal that aborts the request.
    pub fn signal(&self) -> Option<AbortSignal> {
        self.controller.as_ref().map(AbortController::signal)
    }
}

impl Drop for RequestTimeout {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            // A request that has completed ignores this.
            controller.abort();
        }
    }
}
