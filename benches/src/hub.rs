//! A hub that runs for one benchmark: the product's own binary, its data in a temporary directory.

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

use crate::child::Stopped;
use crate::psql::Psql;

/// Who signs in.
pub const EMAIL: &str = "admin@academy.example";
/// Good for one run only: the hub and its data are gone afterwards.
pub const PASSWORD: &str = "measured, and then forgotten";

/// No request takes longer.
const LIMIT: Duration = Duration::from_mins(10);

/// A running hub, with an admin who may also manage settings.
pub struct Hub {
    /// Where it is, without a slash at the end.
    pub address: String,
    client: Client,
    access_token: String,
    process: Stopped,
    // It would end if nobody read what it prints.
    _stdout: BufReader<ChildStdout>,
    // Last, so that the files go after the processes.
    directory: TempDir,
}

impl Hub {
    /// Starts a hub on any free port, makes its admin and signs in.
    pub async fn start() -> Result<Self> {
        Self::with_settings(&[]).await
    }

    /// The same with these settings.
    pub async fn with_settings(settings: &[(&str, &str)]) -> Result<Self> {
        // PostgreSQL runs as another user when we are root, and must get through to its files.
        let directory = tempfile::Builder::new()
            .prefix("dataporter-bench-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()?;
        let log = File::create(directory.path().join("log"))?;
        let mut process = Stopped::new(
            dataporter(directory.path())?
                .args(["serve", "--listen", "127.0.0.1:0"])
                .envs(settings.iter().copied())
                .stdout(Stdio::piped())
                .stderr(log)
                .spawn()
                .context("The hub cannot be started")?,
        );
        let mut stdout = BufReader::new(process.take_stdout().context("The hub has no output")?);
        let mut ready = String::new();
        stdout.read_line(&mut ready)?;
        let Some((_, address)) = ready.trim().split_once("ready at ") else {
            let log = std::fs::read_to_string(directory.path().join("log"))?;
            bail!("The hub does not start: {ready}{log}");
        };
        let address = address.trim_end_matches('/').to_owned();
        create_admin(directory.path())?;
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Nobody else installs one.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        let client = Client::builder().no_proxy().timeout(LIMIT).build()?;
        let mut hub =
            Self { address, client, access_token: String::new(), process, _stdout: stdout, directory };
        let session = hub.graphql(LOGIN, json!({ "email": EMAIL, "password": PASSWORD })).await?;
        text(&session, "/login/accessToken")?.clone_into(&mut hub.access_token);
        Ok(hub)
    }

    /// Runs a GraphQL document; any error is an error.
    pub async fn graphql(&self, query: &str, variables: Value) -> Result<Value> {
        let request = self.client.post(format!("{}/graphql", self.address));
        let request =
            if self.access_token.is_empty() { request } else { request.bearer_auth(&self.access_token) };
        answer(request.json(&json!({ "query": query, "variables": variables })).send().await?).await
    }

    /// Runs a GraphQL document whose variable `file` is a file, by a multipart request.
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
        answer(request.send().await?).await
    }

    /// Asks for a signed link to a file.
    pub async fn link(&self, file: &Value) -> Result<String> {
        let request = self.client.post(format!("{}/admin/data-porter/export-links", self.address));
        let response = request.bearer_auth(&self.access_token).json(file).send().await?;
        let status = response.status();
        let made: Value = response.json().await?;
        ensure!(status == 201, "No link: {made}");
        let url = text(&made, "/url")?;
        Ok(if url.starts_with('/') { format!("{}{url}", self.address) } else { url.to_owned() })
    }

    /// Begins a download, not compressed.
    pub async fn download(&self, link: &str) -> Result<Response> {
        let response = self.client.get(link).header(ACCEPT_ENCODING, "identity").send().await?;
        Ok(response.error_for_status()?)
    }

    /// A command of the product on the same data.
    pub fn command(&self) -> Result<Command> {
        dataporter(self.directory.path())
    }

    /// The server's process id.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The way into its database.
    pub fn psql(&self) -> Result<Psql> {
        Psql::of(&self.directory.path().join("data"))
    }

    /// A place for files that go with the hub.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

const LOGIN: &str = "mutation($email: String!, $password: String!) { login(email: $email, password: $password) { accessToken } }";

/// The binary beside this one, away from any settings of the person who measures.
fn dataporter(directory: &Path) -> Result<Command> {
    let binary = std::env::current_exe()?.with_file_name("dataporter");
    ensure!(binary.exists(), "{} is missing; build it first", binary.display());
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
    writeln!(command.stdin.take().context("The command reads nothing")?, "{PASSWORD}")?;
    ensure!(command.wait()?.success(), "The admin's account was not made");
    Ok(())
}

async fn answer(response: Response) -> Result<Value> {
    let status = response.status();
    let mut answer: Value =
        response.json().await.with_context(|| format!("The answer ({status}) is no JSON"))?;
    ensure!(answer.get("errors").is_none() && status.is_success(), "Refused ({status}): {answer}");
    Ok(answer["data"].take())
}

/// A text somewhere in an answer.
pub fn text<'a>(answer: &'a Value, pointer: &str) -> Result<&'a str> {
    answer.pointer(pointer).and_then(Value::as_str).with_context(|| format!("No {pointer} in {answer}"))
}
