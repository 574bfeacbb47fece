//! The page in the browser, addressed as users see it: by labels, button names and visible text.
//!
//! Every lookup waits until the element exists or a timeout expires. There are no fixed delays.

use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::Value;

/// The timeout of every wait, far longer than any of them takes.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// The interval between two checks of a condition.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The page in the browser.
pub struct Page {
    client: Client,
    /// The hub's origin, such as `http://127.0.0.1:40123`.
    origin: String,
}

impl Page {
    pub fn new(client: Client, origin: String) -> Self {
        Self { client, origin }
    }

    /// Opens a path of the hub.
    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.origin)).await.expect("the hub is reachable");
    }

    /// Reloads the page.
    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page can be reloaded");
    }

    /// The address of the page without the origin.
    pub async fn address(&self) -> String {
        let url = self.client.current_url().await.expect("the page has an address");
        url.as_str().trim_start_matches(self.origin.as_str()).to_owned()
    }

    /// Waits until the page has this address.
    pub async fn wait_for_address(&self, address: &str) {
        let url = format!("{}{address}", self.origin).parse().expect("the URL is valid");
        let wait = self.client.wait().at_most(WAIT_TIMEOUT).every(POLL_INTERVAL);
        let succeeded = wait.for_url(&url).await.is_ok();
        assert!(succeeded, "the address is {}, not {address}", self.address().await);
    }

    /// Waits until the page shows this text.
    pub async fn wait_for_text(&self, text: &str) -> Element {
        self.wait_for_element(&format!("//*[text()[contains(normalize-space(.), {})]]", quoted(text))).await
    }

    /// Waits until the page no longer shows this text.
    pub async fn wait_until_gone(&self, text: &str) {
        self.wait_for_element(&format!(
            "/html[not(.//*[text()[contains(normalize-space(.), {})]])]",
            quoted(text)
        ))
        .await;
    }

    /// Whether the page shows this text now.
    pub async fn has_text(&self, text: &str) -> bool {
        let page = self.client.find(Locator::Css("body")).await.expect("the page has a body");
        page.text().await.expect("the body has text").contains(text)
    }

    /// Waits for the control with this label.
    pub async fn field(&self, label: &str) -> Element {
        let label = quoted(label);
        self.wait_for_element(&format!("//*[@id = //label[normalize-space(.) = {label}]/@for]")).await
    }

    /// Waits until the control with this label has this value.
    pub async fn wait_for_value(&self, label: &str, value: &str) {
        let field = self.field(label).await;
        let mut actual = None;
        let wait = async {
            let mut pause = tokio::time::interval(POLL_INTERVAL);
            while actual.as_deref() != Some(value) {
                pause.tick().await;
                actual = field.prop("value").await.expect("the control has a value");
            }
        };
        let succeeded = tokio::time::timeout(WAIT_TIMEOUT, wait).await.is_ok();
        assert!(succeeded, "{label} is {actual:?}, not {value:?}");
    }

    /// Replaces the text of the control with this label.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.click().await.expect("the control can be clicked");
        field.clear().await.expect("the control can be cleared");
        field.send_keys(text).await.expect("the control accepts text");
    }

    /// Waits for the button with this name.
    pub async fn button(&self, name: &str) -> Element {
        self.wait_for_element(&button(name)).await
    }

    /// Waits until the button with this name is enabled.
    pub async fn enabled_button(&self, name: &str) -> Element {
        self.wait_for_element(&format!("{}[not(@disabled)][not(@aria-disabled = 'true')]", button(name)))
            .await
    }

    /// Waits until the button with this name is disabled.
    pub async fn disabled_button(&self, name: &str) -> Element {
        self.wait_for_element(&format!("{}[@disabled or @aria-disabled = 'true']", button(name))).await
    }

    /// Clicks the button with this name once it is enabled. Retries if the page replaces the element.
    pub async fn click(&self, name: &str) {
        for attempt in 1.. {
            match self.try_to_click(name).await {
                Err(error) if error.is_stale_element_reference() && attempt < 5 => {}
                result => return result.expect("the button can be clicked"),
            }
        }
    }

    async fn try_to_click(&self, name: &str) -> Result<(), CmdError> {
        self.enabled_button(name).await;
        self.wait_until_settled().await;
        let button = self.enabled_button(name).await;
        // The driver scrolls to elements outside the viewport, but not to those under the bar on a phone.
        let target = serde_json::to_value(&button).expect("the element can be serialized");
        let scroll = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        self.client.execute(scroll, vec![target]).await?;
        button.click().await
    }

    /// Clicks the link with this name.
    pub async fn follow_link(&self, name: &str) {
        let link = self.wait_for_element(&format!("//a[normalize-space(.) = {}]", quoted(name))).await;
        link.click().await.expect("the link can be clicked");
    }

    /// Selects a radio button or checkbox by its label.
    pub async fn choose(&self, label: &str) {
        self.wait_until_settled().await;
        let label = self.wait_for_element(&format!("//label[normalize-space(.) = {}]", quoted(label))).await;
        label.click().await.expect("the label can be clicked");
    }

    /// Types into the search field with this label, and clicks an option.
    pub async fn search_and_choose(&self, label: &str, typed: &str, offered: &str) {
        self.fill(label, typed).await;
        self.option(offered).await.click().await.expect("the option can be clicked");
    }

    /// Waits for the option whose name starts with this text.
    pub async fn option(&self, name: &str) -> Element {
        self.wait_for_element(&format!(
            "//*[@role = 'option'][starts-with(normalize-space(.), {})]",
            quoted(name)
        ))
        .await
    }

    /// Types text into the focused element.
    pub async fn type_text(&self, text: &str) {
        let focused = self.client.active_element().await.expect("an element has the focus");
        focused.send_keys(text).await.expect("the focused element accepts keys");
    }

    /// Presses a key on the focused element.
    pub async fn press(&self, key: Key) {
        self.type_text(&char::from(key).to_string()).await;
    }

    /// Presses Tab until the control with this name has the focus.
    pub async fn tab_to(&self, name: &str) {
        let mut passed = Vec::new();
        while passed.len() < 60 {
            self.press(Key::Tab).await;
            let focused = self.focused_name().await;
            if focused == name {
                return;
            }
            passed.push(focused);
        }
        panic!("Tab does not reach {name}: {passed:?}");
    }

    /// The accessible name of the focused element.
    pub async fn focused_name(&self) -> String {
        let name = self.evaluate("return document.activeElement.computedName").await;
        name.as_str().expect("the browser exposes accessible names").to_owned()
    }

    /// Waits until the table is up to date, and returns its cells by row.
    pub async fn table_rows(&self) -> Vec<Vec<String>> {
        self.wait_for_element("//*[@role = 'region'][@aria-busy = 'false']//tbody//td").await;
        let script = "return [...document.querySelectorAll('tbody tr')]\
                      .map(row => [...row.cells].map(cell => cell.textContent))";
        serde_json::from_value(self.evaluate(script).await).expect("cells contain text")
    }

    /// Runs a script in the page, and returns its result.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.evaluate_with(script, Vec::new()).await
    }

    /// Runs a script with arguments in the page, and returns its result.
    pub async fn evaluate_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.expect("the script is valid")
    }

    /// Waits until no rows are loading. New rows would move the elements below them, so that a click misses.
    async fn wait_until_settled(&self) {
        self.wait_for_element("/html[not(.//*[@aria-busy = 'true' or self::table[@aria-hidden = 'true']])]")
            .await;
    }

    async fn wait_for_element(&self, path: &str) -> Element {
        let wait = self.client.wait().at_most(WAIT_TIMEOUT).every(POLL_INTERVAL);
        match wait.for_element(Locator::XPath(path)).await {
            Ok(element) => element,
            Err(error) => panic!("{path} is not on the page: {error}"),
        }
    }
}

/// Quotes text for `XPath`. No test uses both kinds of quotes in one text.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}

/// The `XPath` of the button with this name.
fn button(name: &str) -> String {
    let name = quoted(name);
    format!("//button[normalize-space(.) = {name} or @aria-label = {name}]")
}
