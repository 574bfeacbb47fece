//! One renewal at a time among all tabs: two that use the same refresh cookie at once would end the session.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

/// The lock's name among the tabs of this site.
const NAME: &str = "dataporter-session";

/// Runs the work while no other tab runs its own; without Web Locks (an insecure context) it just runs.
///
/// Whoever waits for it may give up: the work goes on, since half a renewal would end the session.
pub async fn alone<T: 'static>(work: impl Future<Output = T> + 'static) -> T {
    let outcome = Rc::new(RefCell::new(None));
    let pending = Rc::new(RefCell::new(Some(work)));
    let run = {
        let (slot, pending) = (Rc::clone(&outcome), Rc::clone(&pending));
        move || -> Promise {
            future_to_promise(async move {
                let work = pending.take();
                if let Some(work) = work {
                    slot.replace(Some(work.await));
                }
                Ok(JsValue::UNDEFINED)
            })
        }
    };
    if let Some((locks, request)) = lock_manager() {
        let callback = Closure::once_into_js(run.clone());
        if let Ok(promise) = request.call2(&locks, &NAME.into(), &callback) {
            // The promise ends when the work does, or at once where the lock is refused; both show below.
            drop(JsFuture::from(Promise::from(promise)).await);
        }
    }
    if pending.borrow().is_some() {
        drop(JsFuture::from(run()).await);
    }
    outcome.take().expect("the promise ended after the work, which leaves its outcome")
}

/// `navigator.locks` and its `request`, where the browser has them.
fn lock_manager() -> Option<(JsValue, Function)> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    let request = Reflect::get(&locks, &"request".into()).ok()?.dyn_into::<Function>().ok()?;
    Some((locks, request))
}
