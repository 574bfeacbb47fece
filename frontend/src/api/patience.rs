//! How long a request is waited for.

use gloo_timers::callback::Timeout;
use web_sys::{AbortController, AbortSignal};

/// The longest wait for an answer, in milliseconds: the server has given up before that.
const LONGEST: u32 = 60_000;

/// Breaks a request off when it has taken too long, and when it is dropped: then nobody waits for the answer.
pub struct Patience {
    controller: Option<AbortController>,
    _timer: Option<Timeout>,
}

impl Patience {
    /// Begins to wait.
    pub fn new() -> Self {
        // Every browser that runs the app has it; one that has not waits as long as it does.
        let controller = AbortController::new().ok();
        let timer = controller.clone().map(|controller| Timeout::new(LONGEST, move || controller.abort()));
        Self { controller, _timer: timer }
    }

    /// What a request takes to be broken off by.
    pub fn signal(&self) -> Option<AbortSignal> {
        self.controller.as_ref().map(AbortController::signal)
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            // Once the answer is here, this does nothing.
            controller.abort();
        }
    }
}
