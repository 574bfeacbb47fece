//! What the app asks of the browser beyond its own elements: storage, the document's head, downloads, the clipboard.
//!
//! Whatever a browser may refuse (storage, the clipboard) is an `Option` or does nothing.

use js_sys::Promise;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlAnchorElement, HtmlDocument, HtmlElement, HtmlScriptElement, Storage};

/// Removes the bar that moves until the app has been loaded.
pub fn remove_splash() {
    if let Some(splash) = document().get_element_by_id("start") {
        splash.remove();
    }
}

/// Reads something kept across visits.
pub fn recall(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Keeps something across visits.
pub fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // A full or closed storage only means that the choice is not kept.
        drop(storage.set_item(key, value));
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// Tells the server too, at the next visit to `/`, which language was chosen last.
pub fn remember_in_cookie(key: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<HtmlDocument>() {
        // A browser without cookies only forgets the choice.
        drop(document.set_cookie(&format!("{key}={value}; Path=/; Max-Age=31536000; SameSite=Lax")));
    }
}

/// The language that the browser is set to.
pub fn language() -> Option<String> {
    window().navigator().language()
}

/// Whether the browser takes itself to have a network.
pub fn is_online() -> bool {
    window().navigator().on_line()
}

/// Sets or removes an attribute of `<html>`.
pub fn set_root_attribute(name: &str, value: Option<&str>) {
    let Some(root) = document().document_element() else { return };
    // Both names that are used here are valid, so neither call can fail.
    drop(match value {
        Some(value) => root.set_attribute(name, value),
        None => root.remove_attribute(name),
    });
}

/// Sets the title of the browser's tab.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Moves the keyboard's focus to an element.
pub fn focus(element: &HtmlElement) {
    // An element that cannot take the focus leaves it where it is.
    drop(element.focus());
}

/// Lets the browser save the file behind an address.
pub fn download(url: &str, filename: &str) {
    let Some(link) =
        document().create_element("a").ok().and_then(|element| element.dyn_into::<HtmlAnchorElement>().ok())
    else {
        return;
    };
    link.set_href(url);
    link.set_download(filename);
    // The router follows clicks on links inside the page; this one is the browser's own.
    link.set_rel("external");
    link.click();
}

/// Runs a script of the hub's; false where it cannot be had.
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

/// Puts text on the clipboard; false where the browser does not allow it.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Outside a secure context there is no clipboard, and asking for it would throw.
    let available = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .is_ok_and(|clipboard| !clipboard.is_undefined());
    available && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
