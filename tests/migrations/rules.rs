//! What CONTRIBUTING.md asks of migrations from the baseline on: none locks a large table for as long as its rows take.

mod statements;

use std::fs;
use std::path::Path;

use self::statements::statements;

/// Migrations from this day on meet tables that are large and in use; those before it are of the first version.
const FIRST: &str = "2026-11-29";

/// The tables whose rows are many.
const LARGE: [&str; 7] = [
    "video_player_events",
    "video_progress",
    "student_activity_snapshots",
    "teacher_activity_snapshots",
    "player_event_keys",
    "telemetry_pending",
    "telemetry_deliveries",
];

/// The tables that whoever records looks into before they write to the large ones.
const LOOKED_UP: [&str; 4] = ["users", "courses", "lessons", "practice_packages"];

/// What a migration does wrong.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// Writers wait until the index is built: `CONCURRENTLY`, or `ON ONLY` for a table of months.
    Index,
    /// Everybody waits until all rows are checked: `NOT VALID`, and a migration of its own that validates it.
    Constraint,
    /// The lock of what stands beside it is held while all rows are checked.
    ValidatesBesideOthers,
    /// Everybody waits until all rows are written or read again.
    Rewrite,
    /// All rows are changed, and locked, in one transaction.
    ChangesRows,
    /// One statement, and `run_in_transaction = false` in `metadata.toml`.
    ConcurrentlyInTransaction,
    /// Only what is done concurrently needs no transaction, and has no lock timeout.
    NoTransaction,
    /// It could wait for one table while it holds another: `SELECT lock_tables(…)` comes first.
    SeveralTables,
}

/// The faults of a migration of these statements.
fn faults(sql: &str, in_transaction: bool) -> Vec<Fault> {
    let statements = statements(sql);
    let mut faults = Vec::new();
    let is_concurrent = |statement: &String| statement.contains(" concurrently ");
    if statements.iter().any(is_concurrent) && (in_transaction || statements.len() > 1) {
        faults.push(Fault::ConcurrentlyInTransaction);
    }
    if !in_transaction && !statements.iter().all(is_concurrent) {
        faults.push(Fault::NoTransaction);
    }
    let validates = statements.iter().any(|statement| statement.contains(" validate constraint "));
    if validates && statements.len() > 1 {
        faults.push(Fault::ValidatesBesideOthers);
    }
    let made: Vec<&str> = statements.iter().filter_map(|statement| made_table(statement)).collect();
    let is_there = |table: &&&str| !made.contains(*table);
    for statement in &statements {
        if LARGE.iter().filter(is_there).any(|table| names(statement, table)) {
            faults.extend(fault_of_large(statement));
        }
    }
    let mut locked: Vec<&str> = Vec::new();
    for table in LARGE.iter().chain(&LOOKED_UP).filter(is_there) {
        if statements.iter().any(|statement| locks(statement, table)) {
            locked.push(table);
        }
    }
    let is_careful = statements.first().is_some_and(|first| first.starts_with("select lock_tables("));
    if locked.len() > 1 && !is_careful {
        faults.push(Fault::SeveralTables);
    }
    faults
}

/// What is wrong with a statement that names a large table.
fn fault_of_large(statement: &str) -> Option<Fault> {
    let has = |part: &str| statement.contains(part);
    let starts = |starts: &[&str]| starts.iter().any(|start| statement.starts_with(start));
    if starts(&["create index", "create unique index"]) && !has(" concurrently ") && !has(" on only ") {
        return Some(Fault::Index);
    }
    if starts(&["cluster ", "vacuum full ", "reindex "]) && !has(" concurrently ") {
        return Some(Fault::Rewrite);
    }
    if starts(&["update ", "delete from ", "with "]) {
        return Some(Fault::ChangesRows);
    }
    if !starts(&["alter table "]) {
        return None;
    }
    let is_column = has(" add column ");
    let adds_constraint = [
        " add constraint ",
        " add check ",
        " add foreign key ",
        " add unique",
        " add primary key",
        " add exclude ",
    ]
    .iter()
    .any(|form| has(form));
    if adds_constraint && !has(" not valid") && !has(" using index ")
        || is_column && (has(" references ") || has(" check ("))
    {
        return Some(Fault::Constraint);
    }
    let volatile =
        ["gen_random_uuid(", "nextval(", "random(", "clock_timestamp(", " stored", " identity", " serial"];
    let rewrites = has(" set not null")
        || has(" type ")
        || has(" set tablespace ")
        || has(" set logged")
        || has(" set unlogged");
    (rewrites || is_column && volatile.iter().any(|form| has(form))).then_some(Fault::Rewrite)
}

/// The table that a statement makes.
fn made_table(statement: &str) -> Option<&str> {
    let name = statement.strip_prefix("create table ")?;
    let name = name.strip_prefix("if not exists ").unwrap_or(name);
    name.split([' ', '(']).next()
}

/// Whether a statement locks this table against those who write to it.
fn locks(statement: &str, table: &str) -> bool {
    let takes =
        ["alter table ", "drop table ", "lock table ", "create trigger ", "drop trigger ", "truncate "];
    (takes.iter().any(|start| statement.starts_with(start)) && names(statement, table))
        || (statement.starts_with("alter table ") && statement.contains(&format!(" references {table}")))
}

/// Whether a statement names this table, or a part of it.
fn names(statement: &str, table: &str) -> bool {
    let is_part_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    statement
        .split(|letter| !is_part_of_name(letter))
        .any(|word| word == table || word.strip_prefix(table).is_some_and(|rest| rest.starts_with("_y2")))
}

#[test]
fn no_migration_holds_a_large_table_for_as_long_as_its_rows_take() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut found = Vec::new();
    for migration in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = migration.file_name().unwrap().to_str().unwrap().to_owned();
        if name.as_str() >= FIRST {
            let metadata = fs::read_to_string(migration.join("metadata.toml")).unwrap_or_default();
            let in_transaction = !metadata.replace(' ', "").contains("run_in_transaction=false");
            let faults = faults(&fs::read_to_string(migration.join("up.sql")).unwrap(), in_transaction);
            if !faults.is_empty() {
                found.push((name, faults));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_holds_a_large_table_is_found() {
    for (sql, fault) in [
        ("CREATE INDEX ON video_progress (updated_at)", Fault::Index),
        ("create unique index a\n on video_player_events\n(id, recorded_at)", Fault::Index),
        ("ALTER TABLE video_progress ADD CHECK (duration < 9)", Fault::Constraint),
        ("ALTER TABLE video_progress ADD CONSTRAINT a UNIQUE (lesson_id)", Fault::Constraint),
        ("ALTER TABLE video_progress ADD COLUMN a bigint REFERENCES imports", Fault::Constraint),
        ("ALTER TABLE video_progress ADD COLUMN a uuid DEFAULT gen_random_uuid()", Fault::Rewrite),
        ("ALTER TABLE video_progress ALTER COLUMN source SET NOT NULL", Fault::Rewrite),
        ("ALTER TABLE video_player_events_y2026m11 ALTER COLUMN event TYPE varchar", Fault::Rewrite),
        ("-- It's short;\nUPDATE telemetry_deliveries SET state = 'dead'", Fault::ChangesRows),
        ("CREATE INDEX CONCURRENTLY a ON video_progress (updated_at)", Fault::ConcurrentlyInTransaction),
        (
            "ALTER TABLE imports ADD COLUMN a text; ALTER TABLE video_progress VALIDATE CONSTRAINT a",
            Fault::ValidatesBesideOthers,
        ),
        (
            "ALTER TABLE users ADD COLUMN a text; ALTER TABLE video_progress ADD COLUMN a text",
            Fault::SeveralTables,
        ),
        (
            "ALTER TABLE video_progress ADD CONSTRAINT a FOREIGN KEY (lesson_id) REFERENCES lessons NOT VALID",
            Fault::SeveralTables,
        ),
    ] {
        assert_eq!(faults(sql, true), [fault], "{sql}");
    }
    assert_eq!(faults("ALTER TABLE imports ADD COLUMN a text", false), [Fault::NoTransaction]);
    let two = "CREATE INDEX CONCURRENTLY a ON imports (id); CREATE INDEX CONCURRENTLY b ON imports (id)";
    assert_eq!(faults(two, false), [Fault::ConcurrentlyInTransaction]);
}

#[test]
fn what_holds_nobody_up_for_long_is_allowed() {
    for (sql, in_transaction) in [
        ("CREATE INDEX a ON ONLY video_player_events (playback_rate)", true),
        ("CREATE INDEX CONCURRENTLY a ON video_progress (updated_at)", false),
        ("CREATE TABLE marks (id bigint PRIMARY KEY, user_id bigint); CREATE INDEX ON marks (user_id)", true),
        ("ALTER TABLE video_progress ADD CONSTRAINT a CHECK (duration < 9) NOT VALID", true),
        ("ALTER TABLE video_progress VALIDATE CONSTRAINT a", true),
        (
            "ALTER TABLE video_progress ADD COLUMN a text; COMMENT ON COLUMN video_progress.a IS 'A check (of ours).'",
            true,
        ),
        (
            "SELECT lock_tables('users', 'video_progress'); ALTER TABLE users ADD COLUMN a text; \
          ALTER TABLE video_progress ADD COLUMN a text",
            true,
        ),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE video_progress SET source = ''; END $$",
            true,
        ),
        ("UPDATE installation SET is_the_one = true -- not video_progress", true),
    ] {
        assert_eq!(faults(sql, in_transaction), [], "{sql}");
    }
}
