//! Runs Chromium with its own chromedriver for one test.

use std::ffi::OsString;
use std::fs::{read, read_dir};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::page::{POLL_INTERVAL, WAIT_TIMEOUT};

/// The screen of the browser.
#[derive(Clone, Copy, Debug)]
pub enum Screen {
    /// A desktop screen.
    Desktop,
    /// The narrowest phone in common use.
    Phone,
}

/// Whether the browser has a network connection.
#[derive(Clone, Copy, Debug)]
pub enum Network {
    /// It has one.
    Online,
    /// It has none.
    Offline,
}

/// A running browser.
pub struct Chromium {
    pub client: Client,
    /// The download folder.
    downloads: TempDir,
    _driver: Child,
    _profile: TempDir,
}

impl Chromium {
    /// Starts a browser with an empty profile.
    pub async fn start(screen: Screen) -> Self {
        let (driver, port) = start_driver().await;
        let profile = TempDir::new().expect("a temporary directory can be created");
        let downloads = TempDir::new().expect("a temporary directory can be created");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(screen, profile.path(), downloads.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        Self { client, downloads, _driver: driver, _profile: profile }
    }

    /// Waits until a file with this extension is downloaded, and returns its content.
    pub async fn downloaded(&self, extension: &str) -> String {
        String::from_utf8(self.downloaded_bytes(extension).await).expect("the file is text")
    }

    /// Waits for a downloaded file with this extension, and returns its content.
    pub async fn downloaded_bytes(&self, extension: &str) -> Vec<u8> {
        let download = async {
            let mut pause = tokio::time::interval(POLL_INTERVAL);
            loop {
                pause.tick().await;
                let files: Vec<PathBuf> = read_dir(self.downloads.path())
                    .expect("the folder exists")
                    .map(|file| file.expect("the folder is readable").path())
                    .collect();
                let has_extension =
                    |path: &&PathBuf, extension| path.extension().is_some_and(|actual| actual == extension);
                if files.iter().any(|path| has_extension(&path, "crdownload")) {
                    continue;
                }
                if let Some(file) = files.iter().find(|path| has_extension(path, extension)) {
                    return read(file).expect("the file is readable");
                }
            }
        };
        tokio::time::timeout(WAIT_TIMEOUT, download).await.expect("the file is downloaded in time")
    }

    /// Sets the system theme that the browser sees, `light` or `dark`.
    pub async fn set_system_theme(&self, theme: &'static str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Turns the page's network connection on or off.
    pub async fn set_network(&self, network: Network) {
        let offline = matches!(network, Network::Offline);
        let conditions = json!({ "offline": offline, "latency": 0, "throughput": 10_000_000 });
        self.client.issue_cmd(SetNetworkConditions(conditions)).await.expect("the network can be changed");
    }

    /// Blocks requests of the page to URLs with this pattern, or unblocks all of them.
    pub async fn block(&self, pattern: Option<&str>) {
        self.command("Network.enable", json!({})).await;
        let urls: Vec<&str> = pattern.into_iter().collect();
        self.command("Network.setBlockedURLs", json!({ "urls": urls })).await;
    }

    /// Runs a command of the `DevTools` protocol.
    async fn command(&self, name: &'static str, parameters: Value) {
        self.client
            .issue_cmd(DevTools(name, parameters))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// New errors on the console: script errors, policy violations, and 4xx and 5xx responses.
    pub async fn console_errors(&self) -> Vec<String> {
        let log = self.client.issue_cmd(ConsoleLog).await.expect("the driver keeps a console log");
        let entries = log.as_array().cloned().unwrap_or_default();
        entries
            .into_iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Starts chromedriver. It chooses a port for IPv4 and then needs the same one for IPv6, which may be in use.
async fn start_driver() -> (Child, u16) {
    for _ in 0..5 {
        if let Some(started) = try_start_driver().await {
            return started;
        }
    }
    panic!("chromedriver exited before it listened");
}

/// Starts chromedriver on a port that it chooses itself. `None` if it exits.
async fn try_start_driver() -> Option<(Child, u16)> {
    let program = environment_variable("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
    let mut driver = Command::new(&program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `make setup` installs it", program.display()));
    let mut lines = BufReader::new(driver.stdout.take().expect("stdout is a pipe")).lines();
    while let Some(line) = lines.next_line().await.expect("stdout is text") {
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            // Keep reading, or the driver would block on a full pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some((driver, port.trim_end_matches('.').parse().expect("a port is a number")));
        }
    }
    None
}

/// An environment variable that is set and not empty.
fn environment_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn capabilities(screen: Screen, profile: &Path, downloads: &Path) -> Map<String, Value> {
    let mut options = json!({
        "args": [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1440,1000",
            "--lang=es",
            // Exposes to scripts the accessible names that the browser computes for screen readers.
            "--enable-blink-features=ComputedAccessibilityInfo",
            format!("--user-data-dir={}", profile.display()),
        ],
        "prefs": { "download.default_directory": downloads, "intl.accept_languages": "es" },
    });
    if let Some(binary) = environment_variable("CHROMIUM") {
        options["binary"] = json!(binary.to_str());
    }
    if let Screen::Phone = screen {
        // A window cannot be as narrow as a phone, so the browser emulates one.
        let metrics = json!({ "width": 320, "height": 640, "pixelRatio": 1, "touch": true });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    Map::from_iter([
        ("goog:chromeOptions".to_owned(), options),
        ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
    ])
}

/// Gets the new entries of the browser's console log.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// A command of the `DevTools` protocol with its parameters.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}

/// Sets the emulated network conditions.
#[derive(Debug)]
struct SetNetworkConditions(Value);

impl WebDriverCompatibleCommand for SetNetworkConditions {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/chromium/network_conditions", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "network_conditions": self.0 }).to_string()))
    }
}
