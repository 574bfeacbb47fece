//! A subscription that is kept alive: called again when the connection breaks, with a fresh token when the old one ended.
//!
//! Waits grow from one second to half a minute, and end at once when the network or the person is back.

use std::cell::Cell;
use std::rc::Rc;

use domain::Locale;
use js_sys::{Math, Promise};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::api::Caller;
use crate::api::failure::Failure;
use crate::api::socket::{Conversation, Ending};
use crate::session::Session;

/// The longest wait before the next call, in milliseconds, and the longest before the second one.
const WAITS: (f64, f64) = (30_000.0, 2_000.0);

/// How it stands with the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It is being made.
    Opening,
    /// Changes come as they happen.
    Up,
    /// It broke, and is tried again after a while.
    Lost(Failure),
}

/// A subscription that is kept alive.
#[derive(Clone, Copy)]
pub struct Live {
    link: RwSignal<Link>,
    /// What to do when something makes it likely that the connection is no longer, or again, as it was.
    nudge: StoredValue<Rc<dyn Fn()>, LocalStorage>,
}

impl Live {
    /// Keeps a subscription, given as JSON, alive while it is wanted, in the language in which it is.
    pub fn new(
        session: Session,
        wanted: impl Fn() -> Option<Locale> + Send + Sync + 'static,
        operation: fn() -> String,
        on_answer: impl Fn(&str) + Clone + 'static,
    ) -> Self {
        let live = Self { link: RwSignal::new(Link::Opening), nudge: StoredValue::new_local(Rc::new(|| ())) };
        let wanted = Memo::new(move |_| wanted());
        let keeping = Action::new_local(move |locale: &Locale| {
            live.keep(session, *locale, operation, on_answer.clone())
        });
        Effect::new(move |_| {
            if let Some(locale) = wanted.get() {
                let under_way = untrack(|| keeping.dispatch(locale));
                on_cleanup(move || under_way.abort());
            }
        });
        let watch = [
            window_event_listener(ev::online, move |_| live.nudge()),
            window_event_listener(ev::offline, move |_| live.nudge()),
            window_event_listener_untyped("visibilitychange", move |_| live.nudge()),
        ];
        on_cleanup(move || watch.into_iter().for_each(WindowListenerHandle::remove));
        live
    }

    /// How it stands with the connection, tracked.
    pub fn link(self) -> Link {
        self.link.get()
    }

    /// Ends a wait, and has a connection that may be gone prove that it is not.
    pub fn nudge(self) {
        if let Some(nudge) = self.nudge.try_get_value() {
            nudge();
        }
    }

    /// Calls again and again; ends only with whoever wants it, or with the session.
    async fn keep(
        self,
        session: Session,
        locale: Locale,
        operation: fn() -> String,
        on_answer: impl Fn(&str) + Clone + 'static,
    ) {
        let failed_calls = Rc::new(Cell::new(0));
        let mut refused = None;
        loop {
            let ending = match session.access_token(refused.clone()).await {
                Err(failure) if failure.is_unauthenticated() => return,
                Err(failure) => Ending::Failed(failure),
                Ok(token) => {
                    let (answered, on_answer) = (Rc::clone(&failed_calls), on_answer.clone());
                    let caller = Caller { token: token.clone(), locale };
                    let conversation = Conversation::begin(caller, operation(), move |answer| {
                        answered.set(0);
                        self.link.try_set(Link::Up);
                        on_answer(answer);
                    });
                    let ending = match conversation {
                        Some(conversation) => {
                            self.nudge.try_set_value(Rc::new(conversation.checker()));
                            conversation.ended().await
                        }
                        None => Ending::Lost,
                    };
                    refused = token.filter(|_| ending == Ending::TokenRefused);
                    ending
                }
            };
            let before = failed_calls.replace(failed_calls.get() + 1);
            let failure = match ending {
                // A token's end is nothing to wait for, nor to speak of.
                Ending::TokenRefused if before == 0 => continue,
                Ending::TokenRefused | Ending::Lost => Failure::Unreachable,
                Ending::Failed(failure) => failure,
            };
            self.link.try_set(Link::Lost(failure));
            self.pause(wait(before, Math::random())).await;
        }
    }

    /// Lets some milliseconds pass, unless something makes it likely that waiting is in vain.
    async fn pause(self, milliseconds: i32) {
        let passed = Promise::new(&mut |resolve, _| {
            // Without a timer there is still whatever nudges.
            drop(window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds));
            self.nudge.try_set_value(Rc::new(move || drop(resolve.call0(&JsValue::UNDEFINED))));
        });
        drop(JsFuture::from(passed).await);
    }
}

/// How long to wait after so many calls in vain, in milliseconds: ever longer, and not all who lost it at the same time.
#[expect(clippy::cast_possible_truncation, reason = "half a minute fits")]
fn wait(failed_calls: u32, random: f64) -> i32 {
    let (longest, second) = WAITS;
    let longest = longest.min(second * 2_f64.powi(failed_calls.min(10).cast_signed()));
    (longest * (1.0 + random) / 2.0) as i32
}

#[cfg(test)]
mod tests {
    use super::wait;

    #[test]
    fn waits_grow_from_a_second_to_half_a_minute_and_are_not_the_same_for_all() {
        assert_eq!([wait(0, 0.0), wait(0, 1.0)], [1_000, 2_000]);
        assert_eq!([wait(1, 0.0), wait(3, 0.5)], [2_000, 12_000]);
        assert_eq!([wait(4, 1.0), wait(4_000_000_000, 1.0)], [30_000, 30_000]);
    }
}
