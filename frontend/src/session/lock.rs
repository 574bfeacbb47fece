//! A lock shared by all tabs for renewing the session: using a refresh cookie twice would end the session.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

/// The lock's name, shared by all tabs.
const LOCK_NAME: &str = "dataporter-session";

/// Runs the work while holding the lock, or without it where Web Locks do not exist (an insecure context).
///
/// The work runs to its end even if the future is dropped, since half a renewal would end the session.
pub async fn with_lock<T: 'static>(work: impl Future<Output = T> + 'static) -> T {
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
        if let Ok(promise) = request.call2(&locks, &LOCK_NAME.into(), &callback) {
            // The promise settles when the work is done, or at once if the lock is refused: then the work is
            // still pending below.
            drop(JsFuture::from(Promise::from(promise)).await);
        }
    }
    if pending.borrow().is_some() {
        drop(JsFuture::from(run()).await);
    }
    outcome.take().expect("a promise settles only after the work has stored its outcome")
}

/// `navigator.locks` and its `request` function, if the browser has them.
fn lock_manager() -> Option<(JsValue, Function)> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    let request = Reflect::get(&locks, &"request".into()).ok()?.dyn_into::<Function>().ok()?;
    Some((locks, request))
}
