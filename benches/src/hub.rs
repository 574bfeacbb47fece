//! A hub for one benchmark: the product's binary with its data in a temporary directory.

use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::header::ACCEPT_ENCODING;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::ChildGuard;
use crate::psql::Psql;

/// The email address of the admin.
pub const EMAIL: &str = "admin@academy.example";
/// The password of the admin. The account is deleted with the hub's data after the run.
pub const PASSWORD: &str = "measured, and then forgotten";

const REQUEST_TIMEOUT: Duration = Duration::from_mins(10);

/// A running hub, with an admin who may also manage settings.
pub struct Hub {
    /// The base URL, without a trailing slash.
    pub address: String,
    client: Client,
    access_token: String,
    process: ChildGuard,
    // Keeps the pipe open, because the hub would exit if it were closed.
    _stdout: BufReader<ChildStdout>,
    // The last field, so that the files are deleted after the processes exit.
    directory: TempDir,
}

impl Hub {
    /// Starts a hub on a free port, creates its admin and signs in.
    pub async fn start() -> Result<Self> {
        Self::with_settings(&[]).await
    }

    /// Like [`Hub::start`], with these settings.
    pub async fn with_settings(settings: &[(&str, &str)]) -> Result<Self> {
        // If we are root, PostgreSQL runs as another user, which needs access to its files.
        let directory = tempfile::Builder::new()
            .prefix("dataporter-bench-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()?;
        let log = File::create(directory.path().join("log"))?;
        let mut process = ChildGuard::new(
            dataporter(directory.path())?
                .args(["serve", "--listen", "127.0.0.1:0"])
                .envs(settings.iter().copied())
                .stdout(Stdio::piped())
                .stderr(log)
                .spawn()
                .context("Failed to start the hub")?,
        );
        let mut stdout =
            BufReader::new(process.take_stdout().context("Failed to read the output of the hub")?);
        let mut ready = String::new();
        stdout.read_line(&mut ready)?;
        let Some((_, address)) = ready.trim().split_once("ready at ") else {
            let log = std::fs::read_to_string(directory.path().join("log"))?;
            bail!("The hub did not start: {ready}{log}");
        };
        let address = address.trim_end_matches('/').to_owned();
        create_admin(directory.path())?;
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // No other code installs a provider.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        let client = Client::builder().no_proxy().timeout(REQUEST_TIMEOUT).build()?;
        let mut hub =
            Self { address, client, access_token: String::new(), process, _stdout: stdout, directory };
        let session = hub.graphql(LOGIN, json!({ "email": EMAIL, "password": PASSWORD })).await?;
        text(&session, "/login/accessToken")?.clone_into(&mut hub.access_token);
        Ok(hub)
    }

    /// Runs a GraphQL document and returns its data. Fails if the response contains errors.
    pub async fn graphql(&self, query: &str, variables: Value) -> Result<Value> {
        let request = self.client.post(format!("{}/graphql", self.address));
        let request =
            if self.access_token.is_empty() { request } else { request.bearer_auth(&self.access_token) };
        response_data(request.json(&json!({ "query": query, "variables": variables })).send().await?).await
    }

    /// Runs a GraphQL document that uploads a file as the variable `file`, in a multipart request.
    pub async fn graphql_with_file(&self, query: &str, mut variables: Value, path: &Path) -> Result<Value> {
        variables["file"] = Value::Null;
        let operations = json!({ "query": query, "variables": variables }).to_string();
        let form = reqwest::multipart::Form::new()
            .text("operations", operations)
            .text("map", json!({ "0": ["variables.file"] }).to_string())
            .file("0", path)
            .await?;
        let request = self.client.post(format!("{}/graphql", self.address)).multipart(form);
        let request = request.bearer_auth(&self.access_token).header("graphql-require-preflight", "1");
        response_data(request.send().await?).await
    }

    /// Requests a signed link to a file.
    pub async fn link(&self, file: &Value) -> Result<String> {
        let request = self.client.post(format!("{}/admin/data-porter/export-links", self.address));
        let response = request.bearer_auth(&self.access_token).json(file).send().await?;
        let status = response.status();
        let created: Value = response.json().await?;
        ensure!(status == 201, "Failed to create a link: {created}");
        let url = text(&created, "/url")?;
        Ok(if url.starts_with('/') { format!("{}{url}", self.address) } else { url.to_owned() })
    }

    /// Starts a download without compression.
    pub async fn download(&self, link: &str) -> Result<Response> {
        let response = self.client.get(link).header(ACCEPT_ENCODING, "identity").send().await?;
        Ok(response.error_for_status()?)
    }

    /// A command of the product that uses the same data directory.
    pub fn command(&self) -> Result<Command> {
        dataporter(self.directory.path())
    }

    /// The access token of the admin.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The server's process id.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// A `psql` client for the hub's database.
    pub fn psql(&self) -> Result<Psql> {
        Psql::of(&self.directory.path().join("data"))
    }

    /// A directory for files that are deleted with the hub.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

const LOGIN: &str = "mutation($email: String!, $password: String!) { login(email: $email, password: $password) { accessToken } }";

/// The binary next to this one, without the environment of the caller.
fn dataporter(directory: &Path) -> Result<Command> {
    let binary = std::env::current_exe()?.with_file_name("dataporter");
    ensure!(binary.exists(), "{} does not exist, build it first", binary.display());
    let mut command = Command::new(binary);
    command.env_clear().current_dir(directory).arg("--data-dir").arg(directory.join("data"));
    command.env("RUST_LOG", "warn").envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    Ok(command)
}

fn create_admin(directory: &Path) -> Result<()> {
    let mut command = dataporter(directory)?
        .args(["user", "create", "--email", EMAIL, "--name", "Admin", "--role", "admin"])
        .args(["--permission", "manage-settings", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    writeln!(
        command.stdin.take().context("Failed to open the standard input of the command")?,
        "{PASSWORD}"
    )?;
    ensure!(command.wait()?.success(), "Failed to create the admin account");
    Ok(())
}

async fn response_data(response: Response) -> Result<Value> {
    let status = response.status();
    let mut answer: Value =
        response.json().await.with_context(|| format!("The response ({status}) is not JSON"))?;
    ensure!(answer.get("errors").is_none() && status.is_success(), "Request failed ({status}): {answer}");
    Ok(answer["data"].take())
}

/// The string at a JSON pointer in a response.
pub fn text<'a>(answer: &'a Value, pointer: &str) -> Result<&'a str> {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .with_context(|| format!("{pointer} is missing in {answer}"))
}
