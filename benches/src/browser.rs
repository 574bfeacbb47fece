//! A headless Chromium, controlled through WebDriver.

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

use crate::child::ChildGuard;

/// How long to wait for an element to appear on a page.
const ELEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Command-line flags of Chromium: without a window and without background requests.
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

/// A browser, which is closed by [`Browser::close`] or when its driver exits.
pub struct Browser {
    client: Client,
    _driver: ChildGuard,
    // Keeps the pipe open, because the driver would exit if it were closed. The driver prints little after
    // its start.
    _stdout: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts a browser with a new profile below `directory`. It saves files to `downloads` without asking.
    pub async fn start(directory: &Path, downloads: &Path) -> Result<Self> {
        let chromedriver = setting("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        // With `--silent`, it would not print its port.
        let driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Failed to run chromedriver")?;
        let mut driver = ChildGuard::new(driver);
        let mut stdout =
            BufReader::new(driver.take_stdout().context("Failed to read the output of chromedriver")?);
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
        let client =
            builder.connect(&format!("http://127.0.0.1:{port}")).await.context("Failed to start Chromium")?;
        Ok(Self { client, _driver: driver, _stdout: stdout })
    }

    /// Opens an address.
    pub async fn open(&self, address: &str) -> Result<()> {
        Ok(self.client.goto(address).await?)
    }

    /// Waits for an element that matches this XPath.
    pub async fn find(&self, xpath: &str) -> Result<Element> {
        let found = self.client.wait().at_most(ELEMENT_TIMEOUT).for_element(Locator::XPath(xpath)).await;
        found.with_context(|| format!("Element not found: {xpath}"))
    }

    /// Waits for an element and clicks on it.
    pub async fn click(&self, xpath: &str) -> Result<()> {
        self.find(xpath).await?.click().await.with_context(|| format!("Failed to click {xpath}"))
    }

    /// Waits for a field and types into it.
    pub async fn fill(&self, xpath: &str, text: &str) -> Result<()> {
        self.find(xpath).await?.send_keys(text).await.with_context(|| format!("Failed to type into {xpath}"))
    }

    /// Takes a screenshot of the page, as PNG.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        Ok(self.client.screenshot().await?)
    }

    /// Closes the browser.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}

/// The value of an environment variable, unless it is empty.
fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Reads the port of the driver from its output.
fn port(stdout: &mut impl std::io::BufRead) -> Result<u16> {
    for line in stdout.lines() {
        let line = line?;
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().context("Failed to parse the port of chromedriver");
        }
    }
    anyhow::bail!("chromedriver did not start")
}
