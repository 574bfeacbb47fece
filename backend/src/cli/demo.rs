//! `dataporter demo`, and the demo academy of `dataporter serve --demo-if-empty`.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::SubsecRound as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::Failure;
use super::database::CommandDatabase;
use crate::app::App;
use crate::auth::password::Passwords;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Pool;
use crate::demo::sign_in::SignIn;
use crate::demo::{self, Options};

/// The file in the data directory that holds the sign-ins of the demo academy.
const SIGN_INS_FILE: &str = "demo-sign-ins.txt";

const DEFAULT_STUDENTS: u32 = 200;
const DEFAULT_EVENTS: u32 = 50_000;
const DEFAULT_SEED: u64 = 1;

/// The arguments of `dataporter demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The number of students.
    #[arg(
        long,
        default_value_t = DEFAULT_STUDENTS,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    students: u32,
    /// The number of player events.
    #[arg(
        long,
        default_value_t = DEFAULT_EVENTS,
        value_parser = clap::value_parser!(u32).range(0..=10_000_000)
    )]
    events: u32,
    /// The seed of the generated data: the same seed gives the same academy.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Print the sign-ins as JSON.
    #[arg(long)]
    json: bool,
}

/// Fills an empty database and prints the sign-ins.
pub(super) async fn run(data_dir: &Path, config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { students, events, seed, json } = arguments;
    let database = CommandDatabase::open_migrated(data_dir, config).await?;
    let file = database.is_private().then(|| data_dir.join(SIGN_INS_FILE));
    let pool = database.pool();
    let filled = fill(&pool, &Passwords::new()?, options(config, students, events, seed)).await;
    pool.close();
    database.close().await?;
    let sign_ins = filled?;
    if let Some(file) = &file {
        save(file, &sign_ins)?;
    }
    if json {
        let sign_ins: Vec<_> = sign_ins
            .iter()
            .map(|SignIn { role, email, password }| {
                json!({ "role": role.key(), "email": email, "password": password.expose_secret() })
            })
            .collect();
        println!("{}", json!(sign_ins));
    } else {
        StartupMessage::Created { sign_ins, file }.print();
    }
    Ok(())
}

/// Fills the database with the demo academy if it is empty.
pub(super) struct DemoIfEmpty {
    file: Option<PathBuf>,
}

impl DemoIfEmpty {
    /// Saves the sign-ins in this directory, if there is one.
    pub fn new(directory: Option<&Path>) -> Self {
        Self { file: directory.map(|directory| directory.join(SIGN_INS_FILE)) }
    }

    /// Fills the database if it is empty.
    pub async fn fill(self, app: &App) -> anyhow::Result<StartupMessage> {
        let Self { file } = self;
        let is_empty = demo::is_database_empty(&mut *app.pool.get().await?).await?;
        if !is_empty {
            return Ok(file
                .filter(|file| file.exists())
                .map_or(StartupMessage::Nothing, StartupMessage::SavedEarlier));
        }
        println!("Filling the empty database with a demo academy…");
        let options = options(&app.config, DEFAULT_STUDENTS, DEFAULT_EVENTS, DEFAULT_SEED);
        let sign_ins = fill(&app.pool, &app.auth.passwords, options).await?;
        if let Some(file) = &file {
            save(file, &sign_ins)?;
        }
        Ok(StartupMessage::Created { sign_ins, file })
    }
}

/// What the server prints about the demo academy when it starts.
pub(super) enum StartupMessage {
    /// The academy was created at this start.
    Created {
        sign_ins: Vec<SignIn>,
        /// The file that the sign-ins were saved to.
        file: Option<PathBuf>,
    },
    /// The academy was created earlier, and its sign-ins are in this file.
    SavedEarlier(PathBuf),
    /// The database was not empty, and there is no file with sign-ins.
    Nothing,
}

impl StartupMessage {
    /// Prints the message.
    pub fn print(&self) {
        match self {
            Self::Created { sign_ins, file } => {
                println!("Demo sign-ins:\n{}", format_sign_ins(sign_ins).expose_secret());
                match file {
                    Some(file) => println!("They are saved in {}, which only you can read.", file.display()),
                    None => println!("They are not shown again."),
                }
            }
            Self::SavedEarlier(file) => println!("The demo sign-ins are in {}.", file.display()),
            Self::Nothing => {}
        }
    }
}

fn options(config: &Config, students: u32, events: u32, seed: u64) -> Options {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Options {
        students: count(students),
        events: count(events),
        seed,
        now: Clock::system().now().trunc_subsecs(0),
        zone: config.hub.timezone,
    }
}

async fn fill(pool: &Pool, passwords: &Passwords, options: Options) -> anyhow::Result<Vec<SignIn>> {
    let mut conn = pool.get().await.context("Failed to connect to the database")?;
    Ok(demo::fill(&mut conn, passwords, options).await?)
}

fn format_sign_ins(sign_ins: &[SignIn]) -> SecretString {
    let mut list = String::new();
    for SignIn { role, email, password } in sign_ins {
        let (role, password) = (role.key(), password.expose_secret());
        writeln!(list, "  {role:<14} {email:<32} {password}").expect("writing to a String never fails");
    }
    list.trim_end().into()
}

fn save(file: &Path, sign_ins: &[SignIn]) -> anyhow::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut opened| writeln!(opened, "{}", format_sign_ins(sign_ins).expose_secret()))
        .with_context(|| format!("Failed to save the sign-ins to {}", file.display()))
}
