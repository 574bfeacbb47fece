//! Browser APIs outside the app's own elements: storage, the document's head, downloads, the clipboard.
//!
//! What a browser may deny, such as storage and the clipboard, returns an `Option` or does nothing.

use js_sys::Promise;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlAnchorElement, HtmlDocument, HtmlElement, HtmlScriptElement, Storage};

/// Removes the progress bar that is shown until the app is loaded.
pub fn remove_splash() {
    if let Some(splash) = document().get_element_by_id("start") {
        splash.remove();
    }
}

/// Reads a value from local storage.
pub fn load_item(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Writes a value to local storage.
pub fn store_item(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // If storage is full or blocked, the choice is just not kept.
        drop(storage.set_item(key, value));
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// Stores a value in a cookie for a year, so that the server sees it on the next visit to `/`.
pub fn store_cookie(key: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<HtmlDocument>() {
        // If cookies are blocked, the choice is just not kept.
        drop(document.set_cookie(&format!("{key}={value}; Path=/; Max-Age=31536000; SameSite=Lax")));
    }
}

/// The browser's preferred language.
pub fn language() -> Option<String> {
    window().navigator().language()
}

/// Whether the browser reports a network connection.
pub fn is_online() -> bool {
    window().navigator().on_line()
}

/// Sets or removes an attribute of `<html>`.
pub fn set_root_attribute(name: &str, value: Option<&str>) {
    let Some(root) = document().document_element() else { return };
    // The callers use only valid attribute names, so neither call can fail.
    drop(match value {
        Some(value) => root.set_attribute(name, value),
        None => root.remove_attribute(name),
    });
}

/// Sets the document's title.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Moves the keyboard focus to an element.
pub fn focus(element: &HtmlElement) {
    // If the element cannot take the focus, the focus stays where it is.
    drop(element.focus());
}

/// Downloads the file at a URL.
pub fn download(url: &str, filename: &str) {
    let Some(link) =
        document().create_element("a").ok().and_then(|element| element.dyn_into::<HtmlAnchorElement>().ok())
    else {
        return;
    };
    link.set_href(url);
    link.set_download(filename);
    // Without this, the router would handle the click as a navigation inside the app.
    link.set_rel("external");
    link.click();
}

/// Loads and runs a script. Returns false if it cannot be loaded.
pub async fn load_script(src: &str) -> bool {
    let Some(script) = document()
        .create_element("script")
        .ok()
        .and_then(|element| element.dyn_into::<HtmlScriptElement>().ok())
    else {
        return false;
    };
    script.set_src(src);
    let loaded = Promise::new(&mut |resolve, reject| {
        script.set_onload(Some(&resolve));
        script.set_onerror(Some(&reject));
    });
    let added = document().head().is_some_and(|head| head.append_child(&script).is_ok());
    added && JsFuture::from(loaded).await.is_ok()
}

/// Copies text to the clipboard. Returns false if the browser does not allow it.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Outside a secure context there is no clipboard, and accessing it would throw.
    let available = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .is_ok_and(|clipboard| !clipboard.is_undefined());
    available && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
