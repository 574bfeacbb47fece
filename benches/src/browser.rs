//! A headless Chromium, driven by WebDriver.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::child::Stopped;

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What Chromium is told: no window, nothing of its own to fetch.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The browser; it ends when [`Browser::close`] or its driver does.
pub struct Browser {
    client: Client,
    _driver: Stopped,
    // The driver would end if nobody could read what it prints; it prints little after its start.
    _stdout: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts a browser that knows nothing yet, with its profile below this directory, and that saves files without
    /// asking into `downloads`.
    pub async fn start(directory: &Path, downloads: &Path) -> Result<Self> {
        let chromedriver = setting("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        // Silent it would not say on which port it listens.
        let driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver cannot be run")?;
        let mut driver = Stopped::new(driver);
        let mut stdout = BufReader::new(driver.take_stdout().context("chromedriver has no output")?);
        let port = port(&mut stdout)?;
        let mut flags: Vec<String> = FLAGS.map(String::from).to_vec();
        flags.push(format!("--user-data-dir={}", directory.join("browser").display()));
        let mut options = json!({
            "args": flags,
            "prefs": { "download.default_directory": downloads, "download.prompt_for_download": false },
        });
        if let Some(chromium) = setting("CHROMIUM") {
            options["binary"] = Value::from(chromium.to_string_lossy());
        }
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(serde_json::Map::from_iter([("goog:chromeOptions".to_owned(), options)]));
        let client = builder
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("Chromium cannot be started")?;
        Ok(Self { client, _driver: driver, _stdout: stdout })
    }

    /// Opens an address.
    pub async fn open(&self, address: &str) -> Result<()> {
        Ok(self.client.goto(address).await?)
    }

    /// Waits for an element that XPath finds.
    pub async fn find(&self, xpath: &str) -> Result<Element> {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await;
        found.with_context(|| format!("Nothing on the page for {xpath}"))
    }

    /// Waits for an element and clicks on it.
    pub async fn click(&self, xpath: &str) -> Result<()> {
        self.find(xpath).await?.click().await.with_context(|| format!("Clicking on {xpath}"))
    }

    /// Waits for a field and types into it.
    pub async fn fill(&self, xpath: &str, text: &str) -> Result<()> {
        self.find(xpath).await?.send_keys(text).await.with_context(|| format!("Typing into {xpath}"))
    }

    /// A picture of the page, as PNG.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        Ok(self.client.screenshot().await?)
    }

    /// Ends the browser.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}

/// A setting of the environment; an empty one is none.
fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Reads on which port the driver listens.
fn port(stdout: &mut impl std::io::BufRead) -> Result<u16> {
    for line in stdout.lines() {
        let line = line?;
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().context("chromedriver states no port");
        }
    }
    anyhow::bail!("chromedriver does not start")
}
