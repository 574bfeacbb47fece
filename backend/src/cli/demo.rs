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

/// Beside the private database: who can sign in to what it was filled with.
const SIGN_INS: &str = "demo-sign-ins.txt";

const STUDENTS: u32 = 200;
const EVENTS: u32 = 50_000;
const SEED: u64 = 1;

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many students the academy has.
    #[arg(long, default_value_t = STUDENTS, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    students: u32,
    /// How many events the player reported of them.
    #[arg(long, default_value_t = EVENTS, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    events: u32,
    /// The same seed makes the same academy.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Print the sign-ins as JSON.
    #[arg(long)]
    json: bool,
}

/// Fills an empty database, and prints the sign-ins this once.
pub(super) async fn run(data_dir: &Path, config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { students, events, seed, json } = arguments;
    let database = CommandDatabase::open_migrated(data_dir, config).await?;
    let file = database.is_private().then(|| data_dir.join(SIGN_INS));
    let pool = database.pool();
    let filled = fill(&pool, &Passwords::new()?, options(config, students, events, seed)).await;
    pool.close();
    database.close().await?;
    let sign_ins = filled?;
    if let Some(file) = &file {
        keep(file, &sign_ins)?;
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
        Notice::Filled { sign_ins, file }.print();
    }
    Ok(())
}

/// The wish to serve a demo academy where there is nothing else to serve.
pub(super) struct IfEmpty {
    file: Option<PathBuf>,
}

impl IfEmpty {
    /// The sign-ins are kept in this directory, where there is one.
    pub fn new(kept_in: Option<&Path>) -> Self {
        Self { file: kept_in.map(|directory| directory.join(SIGN_INS)) }
    }

    /// Fills the database if it is empty.
    pub async fn fill(self, app: &App) -> anyhow::Result<Notice> {
        let Self { file } = self;
        let empty = demo::would_fit(&mut *app.pool.get().await?).await?;
        if !empty {
            return Ok(file.filter(|file| file.exists()).map_or(Notice::Unknown, Notice::Kept));
        }
        println!("Filling the empty database with a demo academy…");
        let options = options(&app.config, STUDENTS, EVENTS, SEED);
        let sign_ins = fill(&app.pool, &app.auth.passwords, options).await?;
        if let Some(file) = &file {
            keep(file, &sign_ins)?;
        }
        Ok(Notice::Filled { sign_ins, file })
    }
}

/// What somebody who starts a server should know of the academy in its database.
pub(super) enum Notice {
    /// It was made just now.
    Filled {
        /// Who can sign in.
        sign_ins: Vec<SignIn>,
        /// Where that is kept.
        file: Option<PathBuf>,
    },
    /// It was made before, and this file says who can sign in.
    Kept(PathBuf),
    /// There is something in the database, and nobody here knows what.
    Unknown,
}

impl Notice {
    /// Says it.
    pub fn print(&self) {
        match self {
            Self::Filled { sign_ins, file } => {
                println!("Demo sign-ins:\n{}", listed(sign_ins).expose_secret());
                match file {
                    Some(file) => println!("They are kept in {}, which only you can read.", file.display()),
                    None => println!("They are shown this once."),
                }
            }
            Self::Kept(file) => println!("The demo sign-ins are in {}.", file.display()),
            Self::Unknown => {}
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
    let mut conn = pool.get().await.context("The database cannot be reached")?;
    Ok(demo::fill(&mut conn, passwords, options).await?)
}

fn listed(sign_ins: &[SignIn]) -> SecretString {
    let mut list = String::new();
    for SignIn { role, email, password } in sign_ins {
        let (role, password) = (role.key(), password.expose_secret());
        writeln!(list, "  {role:<14} {email:<32} {password}").expect("a string takes whatever is written");
    }
    list.trim_end().into()
}

fn keep(file: &Path, sign_ins: &[SignIn]) -> anyhow::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut opened| writeln!(opened, "{}", listed(sign_ins).expose_secret()))
        .with_context(|| format!("The sign-ins cannot be kept in {}", file.display()))
}
