//! The page in the browser, in the words of somebody who uses it: labels, names of buttons, what can be read.
//!
//! Whatever is looked for is waited for: a page is never given time, only a deadline.

use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::Value;

/// How long anything may take to show; far more than it does.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long to wait before looking again.
pub const PAUSE: Duration = Duration::from_millis(50);

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
        let wait = self.client.wait().at_most(PATIENCE).every(PAUSE);
        let has_come = wait.for_url(&url).await.is_ok();
        assert!(has_come, "the address is {}, not {address}", self.address().await);
    }

    /// Waits until this can be read on the page.
    pub async fn read(&self, text: &str) -> Element {
        self.find(&format!("//*[text()[contains(normalize-space(.), {})]]", quoted(text))).await
    }

    /// Waits until this can no longer be read on the page.
    pub async fn gone(&self, text: &str) {
        self.find(&format!("/html[not(.//*[text()[contains(normalize-space(.), {})]])]", quoted(text))).await;
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

    /// Waits until the control with this label has this value.
    pub async fn wait_for_value(&self, label: &str, value: &str) {
        let field = self.field(label).await;
        let mut shown = None;
        let wait = async {
            let mut pause = tokio::time::interval(PAUSE);
            while shown.as_deref() != Some(value) {
                pause.tick().await;
                shown = field.prop("value").await.expect("a control has a value");
            }
        };
        let has_come = tokio::time::timeout(PATIENCE, wait).await.is_ok();
        assert!(has_come, "{label} is {shown:?}, not {value:?}");
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
        self.find(&button(name)).await
    }

    /// The button with this name, once it does something when it is clicked.
    pub async fn ready_button(&self, name: &str) -> Element {
        self.find(&format!("{}[not(@disabled)][not(@aria-disabled = 'true')]", button(name))).await
    }

    /// The button with this name, once it does nothing when it is clicked.
    pub async fn inert_button(&self, name: &str) -> Element {
        self.find(&format!("{}[@disabled or @aria-disabled = 'true']", button(name))).await
    }

    /// Clicks the button with this name, once it does something; another one where it was drawn anew meanwhile.
    pub async fn click(&self, name: &str) {
        for tries in 1.. {
            match self.try_to_click(name).await {
                Err(error) if error.is_stale_element_reference() && tries < 5 => {}
                clicked => return clicked.expect("a button can be clicked"),
            }
        }
    }

    async fn try_to_click(&self, name: &str) -> Result<(), CmdError> {
        self.ready_button(name).await;
        self.settle().await;
        let button = self.ready_button(name).await;
        // The driver only brings into view what is out of it, and not what the bar of a phone covers.
        let place = serde_json::to_value(&button).expect("an element can be named");
        let scroll = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        self.client.execute(scroll, vec![place]).await?;
        button.click().await
    }

    /// Clicks the link with this name.
    pub async fn follow(&self, name: &str) {
        let link = self.find(&format!("//a[normalize-space(.) = {}]", quoted(name))).await;
        link.click().await.expect("a link can be clicked");
    }

    /// Chooses a radio button or checks a box by its label.
    pub async fn choose(&self, label: &str) {
        self.settle().await;
        let label = self.find(&format!("//label[normalize-space(.) = {}]", quoted(label))).await;
        label.click().await.expect("a label can be clicked");
    }

    /// Types into the search field with this label, and chooses what is offered under this name.
    pub async fn search(&self, label: &str, typed: &str, offered: &str) {
        self.fill(label, typed).await;
        self.option(offered).await.click().await.expect("what is offered can be clicked");
    }

    /// What the list that is open offers under a name that begins so.
    pub async fn option(&self, name: &str) -> Element {
        self.find(&format!("//*[@role = 'option'][starts-with(normalize-space(.), {})]", quoted(name))).await
    }

    /// Types where the focus is.
    pub async fn write(&self, text: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(text).await.expect("what has the focus can be typed into");
    }

    /// Presses a key where the focus is.
    pub async fn press(&self, key: Key) {
        self.write(&char::from(key).to_string()).await;
    }

    /// Goes on by the keyboard until the control with this name has the focus.
    pub async fn tab_to(&self, name: &str) {
        let mut passed = Vec::new();
        while passed.len() < 60 {
            self.press(Key::Tab).await;
            let focused = self.focused().await;
            if focused == name {
                return;
            }
            passed.push(focused);
        }
        panic!("{name} is out of the keyboard's reach: {passed:?}");
    }

    /// What has the focus, by the name that a screen reader gives it.
    pub async fn focused(&self) -> String {
        let name = self.evaluate("return document.activeElement.computedName").await;
        name.as_str().expect("the browser tells accessible names").to_owned()
    }

    /// The table's cells, row by row, once they are what was asked for last.
    pub async fn rows(&self) -> Vec<Vec<String>> {
        self.find("//*[@role = 'region'][@aria-busy = 'false']//tbody//td").await;
        let script = "return [...document.querySelectorAll('tbody tr')]\
                      .map(row => [...row.cells].map(cell => cell.textContent))";
        serde_json::from_value(self.evaluate(script).await).expect("cells are text")
    }

    /// Runs a script in the page and gives back what it returns.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.evaluate_with(script, Vec::new()).await
    }

    /// Runs a script in the page with arguments.
    pub async fn evaluate_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.expect("the script is right")
    }

    /// Waits until no rows are on their way: when they come, what is below them moves away from under a click.
    async fn settle(&self) {
        self.find("/html[not(.//*[@aria-busy = 'true' or self::table[@aria-hidden = 'true']])]").await;
    }

    async fn find(&self, path: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE).every(PAUSE);
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

fn button(name: &str) -> String {
    let name = quoted(name);
    format!("//button[normalize-space(.) = {name} or @aria-label = {name}]")
}
