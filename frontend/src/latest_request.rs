//! A request that is sent again whenever its input changes. Only the response to the latest input counts.
//!
//! A Leptos resource completes each request before it starts the next. `LatestRequest` aborts the older one.
//! It keeps each response with its input, so that a stale response is never mistaken for a current one.

use leptos::prelude::*;

use crate::api::failure::Failure;

/// An input with its response.
type Completed<I, T> = (I, Result<T, Failure>);

/// A changing input and the response to it.
pub struct LatestRequest<I: Send + Sync + 'static, T: 'static> {
    input: Memo<Option<I>>,
    request: Action<I, Completed<I, T>>,
    reload: Trigger,
}

impl<I: Send + Sync, T> Clone for LatestRequest<I, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I: Send + Sync, T> Copy for LatestRequest<I, T> {}

impl<I, T> LatestRequest<I, T>
where
    I: Clone + PartialEq + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Sends a request whenever the input changes, unless it is `None`.
    pub fn new<F: Future<Output = Result<T, Failure>> + 'static>(
        input: impl Fn() -> Option<I> + Send + Sync + 'static,
        send: impl Fn(I) -> F + 'static,
    ) -> Self {
        let input = Memo::new(move |_| input());
        let request = Action::new_local(move |input: &I| {
            let (input, response) = (input.clone(), send(input.clone()));
            async move { (input, response.await) }
        });
        let reload = Trigger::new();
        Effect::new(move |_| {
            reload.track();
            if let Some(input) = input.get() {
                let running = untrack(|| request.dispatch(input));
                on_cleanup(move || running.abort());
            }
        });
        Self { input, request, reload }
    }

    /// The response to the current input, if it has arrived; tracked.
    pub fn response(self) -> Option<Result<T, Failure>> {
        let input = self.input.get()?;
        self.last_response().filter(|(of, _)| *of == input).map(|(_, response)| response)
    }

    /// The last response and its input, which may be an older one; tracked.
    pub fn last_response(self) -> Option<Completed<I, T>> {
        self.request.value().get()
    }

    /// Whether a request is in flight; tracked.
    pub fn is_loading(self) -> Signal<bool> {
        self.request.pending().into()
    }

    /// Sends the request again with the same input.
    pub fn reload(self) {
        self.reload.notify();
    }
}
