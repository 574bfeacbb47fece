//! The page in the browser, in the words of somebody who uses it: labels, names of buttons, what can be read.
//!
//! Whatever is looked for is waited for: a page is never given time, only a deadline.

use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::Value;

/// How long anything may take to show; far more than it does.
const PATIENCE: Duration = Duration::from_secs(20);

/// The page.
pub struct Page {
    client: Client,
    /// Where the hub is: `http://127.0.0.1:40123`.
    origin: String,
}

impl Page {
    pub fn new(client: Client, origin: String) -> Self {
        Self { client, origin }
    }

    /// Opens an address of the hub.
    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.origin)).await.expect("the hub has an address");
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.client.refresh().await.expect("a page can be loaded again");
    }

    /// The address, without the hub's own part.
    pub async fn address(&self) -> String {
        let url = self.client.current_url().await.expect("a page has an address");
        url.as_str().trim_start_matches(self.origin.as_str()).to_owned()
    }

    /// Waits until the address is this one.
    pub async fn wait_for_address(&self, address: &str) {
        let url = format!("{}{address}", self.origin).parse().expect("an address");
        let wait = self.client.wait().at_most(PATIENCE);
        if wait.for_url(&url).await.is_err() {
            panic!("the address is {}, not {address}", self.address().await);
        }
    }

    /// Waits until this can be read on the page.
    pub async fn read(&self, text: &str) -> Element {
        self.find(&format!("//*[text()[contains(normalize-space(.), {})]]", quoted(text))).await
    }

    /// Whether this can be read on the page now.
    pub async fn says(&self, text: &str) -> bool {
        let page = self.client.find(Locator::Css("body")).await.expect("a page has a body");
        page.text().await.expect("a body has text").contains(text)
    }

    /// The control with this label.
    pub async fn field(&self, label: &str) -> Element {
        let label = quoted(label);
        self.find(&format!("//*[@id = //label[normalize-space(.) = {label}]/@for]")).await
    }

    /// The value of the control with this label.
    pub async fn value(&self, label: &str) -> String {
        let field = self.field(label).await;
        field.prop("value").await.expect("a control has a value").unwrap_or_default()
    }

    /// Types into the control with this label, in place of what is there.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.click().await.expect("a control can be clicked");
        field.clear().await.expect("a control can be emptied");
        field.send_keys(text).await.expect("a control can be typed into");
    }

    /// The button with this name.
    pub async fn button(&self, name: &str) -> Element {
        let name = quoted(name);
        self.find(&format!("//button[normalize-space(.) = {name} or @aria-label = {name}]")).await
    }

    /// Clicks the button with this name, once it can be clicked.
    pub async fn click(&self, name: &str) {
        let name = quoted(name);
        let button =
            format!("//button[(normalize-space(.) = {name} or @aria-label = {name}) and not(@disabled)]");
        self.find(&button).await.click().await.expect("a button can be clicked");
    }

    /// Clicks the link with this name.
    pub async fn follow(&self, name: &str) {
        let link = self.find(&format!("//a[normalize-space(.) = {}]", quoted(name))).await;
        link.click().await.expect("a link can be clicked");
    }

    /// Chooses a radio button or checks a box by its label.
    pub async fn choose(&self, label: &str) {
        let label = self.find(&format!("//label[normalize-space(.) = {}]", quoted(label))).await;
        label.click().await.expect("a label can be clicked");
    }

    /// Presses a key where the focus is.
    pub async fn press(&self, key: Key) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(&char::from(key).to_string()).await.expect("a key can be pressed");
    }

    /// What has the focus: its label, its name, or what it says.
    pub async fn focused(&self) -> String {
        let script = "const it = document.activeElement; \
                      return it.labels?.[0]?.innerText ?? it.getAttribute('aria-label') ?? it.innerText ?? ''";
        self.evaluate(script).await.as_str().unwrap_or_default().trim().to_owned()
    }

    /// The table's cells, row by row.
    pub async fn rows(&self) -> Vec<Vec<String>> {
        self.find("//tbody//td[not(*)]").await;
        let script = "return [...document.querySelectorAll('tbody tr')]\
                      .map(row => [...row.cells].map(cell => cell.textContent))";
        serde_json::from_value(self.evaluate(script).await).expect("cells are text")
    }

    /// Runs a script in the page and gives back what it returns.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script is right")
    }

    async fn find(&self, path: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE);
        match wait.for_element(Locator::XPath(path)).await {
            Ok(element) => element,
            Err(error) => panic!("{path} is not on the page: {error}"),
        }
    }
}

/// Text as `XPath` writes it; none of the tests needs both kinds of quotes at once.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}
