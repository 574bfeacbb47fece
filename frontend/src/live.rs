//! A subscription that reconnects when the connection is lost, with a new token when the old one has expired.
//!
//! The delay before a reconnect grows from one second to half a minute. It is cut short when the network or
//! the user comes back.

use std::cell::Cell;
use std::rc::Rc;

use domain::Locale;
use futures_channel::mpsc;
use js_sys::{Math, Promise};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::api::Caller;
use crate::api::failure::Failure;
use crate::api::socket::{CloseReason, subscribe};
use crate::session::Session;

/// The maximum delay before a reconnect, and before the first reconnect, in milliseconds.
const MAX_BACKOFFS_MS: (f64, f64) = (30_000.0, 2_000.0);

/// The state of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// The connection is being opened.
    Connecting,
    /// Messages arrive as they are sent.
    Connected,
    /// The connection was lost. A reconnect follows after a delay.
    Disconnected(Failure),
}

/// A subscription that reconnects by itself.
#[derive(Clone, Copy)]
pub struct LiveSubscription {
    state: RwSignal<ConnectionState>,
    /// What to do when the network may have changed: ping the server, or reconnect at once.
    check_now: StoredValue<Rc<dyn Fn()>, LocalStorage>,
}

impl LiveSubscription {
    /// Subscribes to an operation given as JSON while `wanted` returns a language, in that language.
    pub fn new(
        session: Session,
        wanted: impl Fn() -> Option<Locale> + Send + Sync + 'static,
        operation: fn() -> String,
        on_response: impl Fn(&str) + Clone + 'static,
    ) -> Self {
        let live = Self {
            state: RwSignal::new(ConnectionState::Connecting),
            check_now: StoredValue::new_local(Rc::new(|| ())),
        };
        let wanted = Memo::new(move |_| wanted());
        let connecting = Action::new_local(move |locale: &Locale| {
            live.reconnect_loop(session, *locale, operation, on_response.clone())
        });
        Effect::new(move |_| {
            if let Some(locale) = wanted.get() {
                let running = untrack(|| connecting.dispatch(locale));
                on_cleanup(move || running.abort());
            }
        });
        let listeners = [
            window_event_listener(ev::online, move |_| live.check_now()),
            window_event_listener(ev::offline, move |_| live.check_now()),
            window_event_listener_untyped("visibilitychange", move |_| live.check_now()),
        ];
        on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
        live
    }

    /// The state of the connection; tracked.
    pub fn state(self) -> ConnectionState {
        self.state.get()
    }

    /// Reconnects at once if a reconnect is pending, else pings the server.
    pub fn check_now(self) {
        if let Some(check_now) = self.check_now.try_get_value() {
            check_now();
        }
    }

    /// Connects again and again. Ends only when it is dropped or the session ends.
    async fn reconnect_loop(
        self,
        session: Session,
        locale: Locale,
        operation: fn() -> String,
        on_response: impl Fn(&str) + Clone + 'static,
    ) {
        let failed_attempts = Rc::new(Cell::new(0));
        let mut rejected_token = None;
        loop {
            let reason = match session.access_token(rejected_token.clone()).await {
                Err(failure) if failure.is_unauthenticated() => return,
                Err(failure) => CloseReason::Failed(failure),
                Ok(token) => {
                    let (attempts, on_response) = (Rc::clone(&failed_attempts), on_response.clone());
                    let caller = Caller { token: token.clone(), locale };
                    let (ping, ping_requests) = mpsc::unbounded();
                    // A subscription that has ended needs no ping.
                    self.check_now.try_set_value(Rc::new(move || drop(ping.unbounded_send(()))));
                    let reason = subscribe(caller, &operation(), ping_requests, move |response| {
                        attempts.set(0);
                        self.state.try_set(ConnectionState::Connected);
                        on_response(response);
                    })
                    .await;
                    rejected_token = token.filter(|_| reason == CloseReason::TokenRejected);
                    reason
                }
            };
            let previous_failures = failed_attempts.replace(failed_attempts.get() + 1);
            let failure = match reason {
                // An expired token needs neither a delay nor a message.
                CloseReason::TokenRejected if previous_failures == 0 => continue,
                CloseReason::TokenRejected | CloseReason::Lost => Failure::Unreachable,
                CloseReason::Failed(failure) => failure,
            };
            self.state.try_set(ConnectionState::Disconnected(failure));
            self.sleep(backoff_ms(previous_failures, Math::random())).await;
        }
    }

    /// Waits for some milliseconds, or until `check_now` is called.
    async fn sleep(self, milliseconds: i32) {
        let elapsed = Promise::new(&mut |resolve, _| {
            // If the timer cannot be set, `check_now` still ends the wait.
            drop(window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds));
            self.check_now.try_set_value(Rc::new(move || drop(resolve.call0(&JsValue::UNDEFINED))));
        });
        drop(JsFuture::from(elapsed).await);
    }
}

/// The delay after a number of failed attempts, in milliseconds: exponential backoff with jitter.
#[expect(clippy::cast_possible_truncation, reason = "half a minute fits in an i32")]
fn backoff_ms(failed_attempts: u32, random: f64) -> i32 {
    let (maximum, first) = MAX_BACKOFFS_MS;
    let maximum = maximum.min(first * 2_f64.powi(failed_attempts.min(10).cast_signed()));
    (maximum * (1.0 + random) / 2.0) as i32
}

#[cfg(test)]
mod tests {
    use super::backoff_ms;

    #[test]
    fn delays_grow_from_a_second_to_half_a_minute_with_jitter() {
        assert_eq!([backoff_ms(0, 0.0), backoff_ms(0, 1.0)], [1_000, 2_000]);
        assert_eq!([backoff_ms(1, 0.0), backoff_ms(3, 0.5)], [2_000, 12_000]);
        assert_eq!([backoff_ms(4, 1.0), backoff_ms(4_000_000_000, 1.0)], [30_000, 30_000]);
    }
}
