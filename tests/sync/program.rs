//! Runs the real program, `dataporter`, as a separate process on the system clock, against stand-ins.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use secrecy::ExposeSecret as _;
use stand_ins::{StandIns, config as valid};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::fixture::SyncFixture;
use crate::harness::database::TestDatabase;
use crate::harness::hub::APP_KEY;

/// `dataporter` on this database, with both drivers enabled and default settings otherwise. Its runs do not
/// wait for a service that pauses. The process is killed when its handle is dropped.
pub fn dataporter(database: &TestDatabase, services: &StandIns, arguments: &[&str]) -> Command {
    let mut command = without_drivers(database, arguments);
    command
        .env("GA4_ENABLED", "true")
        .env("GA4_MEASUREMENT_ID", valid::MEASUREMENT_ID)
        .env("GA4_API_SECRET", valid::API_SECRET)
        .env("GA4_BASE_URL", services.ga4_url())
        .env("MIXPANEL_ENABLED", "true")
        .env("MIXPANEL_PROJECT_TOKEN", valid::PROJECT_TOKEN)
        .env("MIXPANEL_API_SECRET", valid::PROJECT_SECRET)
        .env("MIXPANEL_BASE_URL", services.mixpanel_url());
    command
}

/// Like [`dataporter`], but without drivers.
pub fn without_drivers(database: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataporter"));
    command
        .args(arguments)
        .env_clear()
        // This folder has no settings file.
        .current_dir(std::env::temp_dir())
        .env("DATABASE_URL", database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .env("TELEMETRY_SYNC_PATIENCE_SECONDS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Starts a real server and waits until it is ready. Returns the process and its address.
pub async fn server(fixture: &SyncFixture) -> (Child, String) {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--no-scheduler"];
    serve_by(dataporter(&fixture.hub.database, &fixture.services, &arguments)).await
}

/// Starts a real server by this command and waits until it is ready. Returns the process and its address.
pub async fn serve_by(mut command: Command) -> (Child, String) {
    let mut server = command.stderr(Stdio::null()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut ready).await.unwrap();
    let address = ready.split_whitespace().find(|word| word.starts_with("http://"));
    (server, address.unwrap_or_else(|| panic!("{ready}")).trim_end_matches('/').to_owned())
}

/// A process that was frozen for this long assumes that another process may have replaced its run.
pub const FREEZE_DETECTED_AFTER: Duration = Duration::from_millis(2_500);

/// Makes a run look as if its process had been frozen for three minutes, so that no test waits that long.
/// Execute this just before freezing the process, because the frozen process may have locked the run's row.
pub const BACKDATE_HEARTBEATS: &str = "UPDATE telemetry_sync_logs SET heartbeat_at = heartbeat_at - interval '3 minutes' WHERE status = 'running'";

/// Sends a signal to a process that was not waited for yet.
pub fn signal(child: &Child, signal: Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).unwrap();
    kill(Pid::from_raw(id), signal).unwrap();
}

/// Sends SIGTERM to a process that was not waited for yet.
pub fn terminate(child: &Child) {
    signal(child, Signal::SIGTERM);
}
