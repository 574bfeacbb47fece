//! Chromium with a chromedriver of its own, gone with the test.

use std::ffi::OsString;
use std::fs::{read_dir, read_to_string};
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

use super::page::{PATIENCE, PAUSE};

/// The screen in front of the person.
#[derive(Clone, Copy, Debug)]
pub enum Screen {
    /// A desk's.
    Wide,
    /// The narrowest phone that is still in use.
    Phone,
}

/// Whether there is a network.
#[derive(Clone, Copy, Debug)]
pub enum Network {
    /// There is.
    There,
    /// There is none any more.
    Lost,
}

/// A running browser.
pub struct Chromium {
    pub client: Client,
    /// Where it puts what was downloaded.
    downloads: TempDir,
    _driver: Child,
    _profile: TempDir,
}

impl Chromium {
    /// Starts a browser without a past.
    pub async fn start(screen: Screen) -> Self {
        let (driver, port) = start_driver().await;
        let profile = TempDir::new().expect("a temporary directory can be made");
        let downloads = TempDir::new().expect("a temporary directory can be made");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(screen, profile.path(), downloads.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        Self { client, downloads, _driver: driver, _profile: profile }
    }

    /// The content of the saved file of this kind, once it is whole.
    pub async fn downloaded(&self, extension: &str) -> String {
        let whole = async {
            let mut pause = tokio::time::interval(PAUSE);
            loop {
                pause.tick().await;
                let files: Vec<PathBuf> = read_dir(self.downloads.path())
                    .expect("the folder is there")
                    .map(|file| file.expect("a file").path())
                    .collect();
                let is = |path: &&PathBuf, extension| path.extension().is_some_and(|it| it == extension);
                if files.iter().any(|path| is(&path, "crdownload")) {
                    continue;
                }
                if let Some(file) = files.iter().find(|path| is(path, extension)) {
                    return read_to_string(file).expect("the file is text");
                }
            }
        };
        tokio::time::timeout(PATIENCE, whole).await.expect("the browser saves the file")
    }

    /// Lets the system around the browser be set to a theme, `light` or `dark`.
    pub async fn set_system_theme(&self, theme: &'static str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Takes the network away from the page, or gives it back.
    pub async fn set_network(&self, network: Network) {
        let offline = matches!(network, Network::Lost);
        let conditions = json!({ "offline": offline, "latency": 0, "throughput": 10_000_000 });
        self.client.issue_cmd(Conditions(conditions)).await.expect("the network can be taken away");
    }

    /// Lets no request of the page reach addresses of this pattern, or of none.
    pub async fn block(&self, pattern: Option<&str>) {
        self.command("Network.enable", json!({})).await;
        let urls: Vec<&str> = pattern.into_iter().collect();
        self.command("Network.setBlockedURLs", json!({ "urls": urls })).await;
    }

    /// A command of the `DevTools` protocol.
    async fn command(&self, name: &'static str, parameters: Value) {
        self.client
            .issue_cmd(DevTools(name, parameters))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// What the browser complained about: errors of scripts, violated policies, answers of 4xx and 5xx.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(ConsoleLog).await.expect("the driver keeps the log");
        let entries = log.as_array().cloned().unwrap_or_default();
        entries
            .into_iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Starts chromedriver on a port that it chooses itself.
async fn start_driver() -> (Child, u16) {
    let program = setting("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
    let mut driver = Command::new(&program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `make setup` installs it", program.display()));
    let mut lines = BufReader::new(driver.stdout.take().expect("its output is a pipe")).lines();
    while let Some(line) = lines.next_line().await.expect("its output is text") {
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            // Somebody must go on reading, or the driver would stop at a full pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, port.trim_end_matches('.').parse().expect("a port is a number"));
        }
    }
    panic!("chromedriver ended before it listened");
}

/// A setting of the environment; an empty one is none.
fn setting(name: &str) -> Option<OsString> {
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
            // Elements tell scripts the names that the browser computes for a screen reader.
            "--enable-blink-features=ComputedAccessibilityInfo",
            format!("--user-data-dir={}", profile.display()),
        ],
        "prefs": { "download.default_directory": downloads, "intl.accept_languages": "es" },
    });
    if let Some(binary) = setting("CHROMIUM") {
        options["binary"] = json!(binary.to_str());
    }
    if let Screen::Phone = screen {
        // A window cannot be as narrow as a phone; the page can be told that it is one.
        let metrics = json!({ "width": 320, "height": 640, "pixelRatio": 1, "touch": true });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    Map::from_iter([
        ("goog:chromeOptions".to_owned(), options),
        ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
    ])
}

/// Takes what has been logged on the browser's console since the last time.
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

/// Has the browser do something by the `DevTools` protocol.
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

/// Sets how good the network is.
#[derive(Debug)]
struct Conditions(Value);

impl WebDriverCompatibleCommand for Conditions {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/chromium/network_conditions", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "network_conditions": self.0 }).to_string()))
    }
}
