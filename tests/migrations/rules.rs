//! The rules of CONTRIBUTING.md: no migration locks a large table while it processes the table's rows, or does
//! what is impossible if the table is distributed over several servers.

mod statements;

use std::fs;
use std::path::Path;

use self::statements::{is_single, statements};
use super::distribution::DISTRIBUTED;

/// Migrations from this date on run on large tables in use. Earlier migrations belong to the first version.
const BASELINE: &str = "2026-11-29";

/// Tables with many rows: those that can be distributed.
fn large_tables() -> impl Iterator<Item = &'static str> {
    DISTRIBUTED.into_iter().map(|(table, _)| table)
}

/// Tables that recording reads before it writes to the large ones.
const LOOKED_UP: [&str; 4] = ["users", "courses", "lessons", "practice_packages"];

/// A rule that a migration violates.
#[derive(Debug, PartialEq, Eq)]
enum Violation {
    /// Writers wait until the index is built. Use `CONCURRENTLY`, or `ON ONLY` for a partitioned table.
    Index,
    /// All access waits until every row is checked. Use `NOT VALID`, and validate in a separate migration.
    Constraint,
    /// The other statements' locks are held while rows are checked. Validate in a separate migration.
    ValidatesWithOtherStatements,
    /// All access waits until every row is rewritten or scanned.
    Rewrite,
    /// Rows are changed, and therefore locked, in one transaction.
    ChangesRows,
    /// `CONCURRENTLY` needs a single statement and `run_in_transaction = false` in `metadata.toml`.
    ConcurrentlyInTransaction,
    /// Only `CONCURRENTLY` may run without a transaction, since there is no lock timeout then.
    NoTransaction,
    /// A block of another form than `DO $$ … BEGIN … END $$;`, or `EXECUTE`, cannot be checked.
    Unreadable,
    /// A distributed table cannot be changed by a file with several statements. Put them into `DO $$ … $$`.
    MultipleStatements,
    /// A distributed table accepts one change at a time.
    MultipleChanges,
    /// A distributed table can have neither triggers nor new foreign keys.
    TriggerOrForeignKey,
    /// It could wait for one table while it holds another. Start with `PERFORM lock_tables(…)`.
    MultipleTables,
}

/// The violations of a migration with these statements.
fn violations(sql: &str, in_transaction: bool) -> Vec<Violation> {
    let Some(statements) = statements(sql) else { return vec![Violation::Unreadable] };
    let mut violations = Vec::new();
    if statements.iter().any(|statement| statement.starts_with("execute ")) {
        violations.push(Violation::Unreadable);
    }
    let is_concurrent = |statement: &String| statement.contains(" concurrently ");
    if statements.iter().any(is_concurrent) && (in_transaction || statements.len() > 1) {
        violations.push(Violation::ConcurrentlyInTransaction);
    }
    if !in_transaction && !statements.iter().all(is_concurrent) {
        violations.push(Violation::NoTransaction);
    }
    let validates = statements.iter().any(|statement| statement.contains(" validate constraint "));
    if validates && statements.len() > 1 {
        violations.push(Violation::ValidatesWithOtherStatements);
    }
    let created: Vec<&str> = statements.iter().filter_map(|statement| created_table(statement)).collect();
    let existed_before = |table: &&str| !created.contains(table);
    let changes_large = |statement: &&String| {
        large_tables().filter(existed_before).any(|table| names(statement, table)) && !is_function(statement)
    };
    violations
        .extend(statements.iter().filter(changes_large).filter_map(|change| large_table_violation(change)));
    if !is_single(sql) && statements.iter().any(|statement| changes_large(&statement)) {
        violations.push(Violation::MultipleStatements);
    }
    let mut locked: Vec<&str> = Vec::new();
    for table in large_tables().chain(LOOKED_UP).filter(existed_before) {
        if statements.iter().any(|statement| locks(statement, table)) {
            locked.push(table);
        }
    }
    let locks_first = statements.first().is_some_and(|first| first.starts_with("select lock_tables("));
    if locked.len() > 1 && !locks_first {
        violations.push(Violation::MultipleTables);
    }
    violations
}

/// The violation of a statement that names a large table.
fn large_table_violation(statement: &str) -> Option<Violation> {
    let contains = |part: &str| statement.contains(part);
    let starts_with = |prefixes: &[&str]| prefixes.iter().any(|start| statement.starts_with(start));
    if starts_with(&["create index", "create unique index"])
        && !contains(" concurrently ")
        && !contains(" on only ")
    {
        return Some(Violation::Index);
    }
    if starts_with(&["cluster ", "vacuum full ", "reindex "]) && !contains(" concurrently ") {
        return Some(Violation::Rewrite);
    }
    if starts_with(&["update ", "delete from ", "with "]) {
        return Some(Violation::ChangesRows);
    }
    if (statement.starts_with("create ") && contains(" trigger "))
        || contains(" references ")
        || contains(" foreign key ")
    {
        return Some(Violation::TriggerOrForeignKey);
    }
    if !starts_with(&["alter table "]) {
        return None;
    }
    if has_top_level_comma(statement) {
        return Some(Violation::MultipleChanges);
    }
    let is_column = contains(" add column ");
    let adds_constraint =
        [" add constraint ", " add check ", " add unique", " add primary key", " add exclude "]
            .iter()
            .any(|form| contains(form));
    if adds_constraint && !contains(" not valid") && !contains(" using index ")
        || is_column && [" check (", " unique", " primary key"].iter().any(|form| contains(form))
    {
        return Some(Violation::Constraint);
    }
    let volatile =
        ["gen_random_uuid(", "nextval(", "random(", "clock_timestamp(", " stored", " identity", " serial"];
    let rewrites = contains(" set not null")
        || contains(" type ")
        || contains(" set tablespace ")
        || contains(" set logged")
        || contains(" set unlogged");
    (rewrites || is_column && volatile.iter().any(|form| contains(form))).then_some(Violation::Rewrite)
}

/// Whether a statement has a comma outside of parentheses.
fn has_top_level_comma(statement: &str) -> bool {
    let mut depth = 0;
    statement.chars().any(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    })
}

/// Whether a statement creates, drops or documents a function, whose body names tables at most.
fn is_function(statement: &str) -> bool {
    ["create function ", "create or replace function ", "drop function ", "comment on function "]
        .iter()
        .any(|start| statement.starts_with(start))
}

/// The table that a statement creates.
fn created_table(statement: &str) -> Option<&str> {
    let name = statement.strip_prefix("create table ")?;
    let name = name.strip_prefix("if not exists ").unwrap_or(name);
    name.split([' ', '(']).next()
}

/// Whether a statement takes a lock on this table that blocks writers.
fn locks(statement: &str, table: &str) -> bool {
    let locking_statements =
        ["alter table ", "drop table ", "lock table ", "create trigger ", "drop trigger ", "truncate "];
    (locking_statements.iter().any(|start| statement.starts_with(start)) && names(statement, table))
        || (statement.starts_with("alter table ") && statement.contains(&format!(" references {table}")))
}

/// Whether a statement names this table or one of its partitions.
fn names(statement: &str, table: &str) -> bool {
    let is_part_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    statement
        .split(|letter| !is_part_of_name(letter))
        .any(|word| word == table || word.strip_prefix(table).is_some_and(|rest| rest.starts_with("_y2")))
}

#[test]
fn every_migration_keeps_the_rules_for_large_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut violating = Vec::new();
    for folder in ["migrations", "tests/migrations/examples"] {
        for migration in fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            let name = migration.file_name().unwrap().to_str().unwrap().to_owned();
            if name.as_str() < BASELINE {
                continue;
            }
            let metadata = fs::read_to_string(migration.join("metadata.toml")).unwrap_or_default();
            let in_transaction = !metadata.replace(' ', "").contains("run_in_transaction=false");
            let sql = fs::read_to_string(migration.join("up.sql")).unwrap();
            let violations = violations(&sql, in_transaction);
            if !violations.is_empty() {
                violating.push((name, violations));
            }
        }
    }
    assert!(violating.is_empty(), "{violating:#?}");
}

#[test]
fn statements_that_lock_a_large_table_are_detected() {
    for (sql, violation) in [
        ("CREATE INDEX ON video_progress (updated_at)", Violation::Index),
        ("create unique index a\n on video_player_events\n(id, recorded_at)", Violation::Index),
        ("ALTER TABLE video_progress ADD CHECK (duration < 9)", Violation::Constraint),
        ("ALTER TABLE video_progress ADD CONSTRAINT a UNIQUE (lesson_id)", Violation::Constraint),
        ("ALTER TABLE video_progress ADD COLUMN a bigint REFERENCES imports", Violation::TriggerOrForeignKey),
        (
            "CREATE TRIGGER a AFTER INSERT ON telemetry_pending FOR EACH ROW EXECUTE FUNCTION b()",
            Violation::TriggerOrForeignKey,
        ),
        (
            "ALTER TABLE video_progress ADD COLUMN a text, ADD COLUMN b numeric(5, 2)",
            Violation::MultipleChanges,
        ),
        (
            "ALTER TABLE video_progress ADD COLUMN a text; COMMENT ON COLUMN video_progress.a IS 'A text.'",
            Violation::MultipleStatements,
        ),
        ("ALTER TABLE video_progress ADD COLUMN a uuid UNIQUE", Violation::Constraint),
        (
            "DO $$ BEGIN UPDATE video_progress SET source = 'vimeo'; END $$ LANGUAGE plpgsql;",
            Violation::Unreadable,
        ),
        ("DO $$ BEGIN EXECUTE 'UPDATE video_progress SET duration = 1'; END $$;", Violation::Unreadable),
        (
            "UPDATE video_progress SET duration = CASE WHEN duration > 9 THEN 9 ELSE duration END",
            Violation::ChangesRows,
        ),
        (
            "ALTER TABLE video_progress ADD CONSTRAINT a CHECK (CASE WHEN duration > 9 THEN true ELSE false END)",
            Violation::Constraint,
        ),
        (
            "DO $$ BEGIN FOR a IN SELECT 1 LOOP UPDATE video_progress SET duration = 1; END LOOP; END $$;",
            Violation::ChangesRows,
        ),
        (
            "DO $$ BEGIN IF true THEN UPDATE video_progress SET duration = 1; END IF; END $$;",
            Violation::ChangesRows,
        ),
        ("DO $$ BEGIN UPDATE telemetry_deliveries SET state = 'dead'; END $$;", Violation::ChangesRows),
        ("ALTER TABLE video_progress ADD COLUMN a uuid DEFAULT gen_random_uuid()", Violation::Rewrite),
        ("ALTER TABLE video_progress ALTER COLUMN source SET NOT NULL", Violation::Rewrite),
        ("ALTER TABLE video_player_events_y2026m11 ALTER COLUMN event TYPE varchar", Violation::Rewrite),
        ("-- It's short;\nUPDATE telemetry_deliveries SET state = 'dead'", Violation::ChangesRows),
        ("CREATE INDEX CONCURRENTLY a ON video_progress (updated_at)", Violation::ConcurrentlyInTransaction),
        (
            "DO $$ BEGIN ALTER TABLE imports ADD COLUMN a text; ALTER TABLE video_progress VALIDATE CONSTRAINT a; END $$;",
            Violation::ValidatesWithOtherStatements,
        ),
        (
            "DO $$ BEGIN ALTER TABLE users ADD COLUMN a text; ALTER TABLE video_progress ADD COLUMN a text; END $$;",
            Violation::MultipleTables,
        ),
        (
            "ALTER TABLE users ADD COLUMN a text; ALTER TABLE lessons ADD COLUMN a text",
            Violation::MultipleTables,
        ),
    ] {
        assert_eq!(violations(sql, true), [violation], "{sql}");
    }
    assert_eq!(violations("ALTER TABLE imports ADD COLUMN a text", false), [Violation::NoTransaction]);
    let two_indexes =
        "CREATE INDEX CONCURRENTLY a ON imports (id); CREATE INDEX CONCURRENTLY b ON imports (id)";
    assert_eq!(violations(two_indexes, false), [Violation::ConcurrentlyInTransaction]);
}

#[test]
fn statements_with_short_locks_are_allowed() {
    for (sql, in_transaction) in [
        ("CREATE INDEX a ON ONLY video_player_events (playback_rate)", true),
        ("CREATE INDEX CONCURRENTLY a ON video_progress (updated_at)", false),
        ("CREATE TABLE marks (id bigint PRIMARY KEY, user_id bigint); CREATE INDEX ON marks (user_id)", true),
        ("ALTER TABLE video_progress ADD CONSTRAINT a CHECK (duration < 9) NOT VALID", true),
        ("ALTER TABLE video_progress VALIDATE CONSTRAINT a", true),
        (
            "DO $$ BEGIN ALTER TABLE video_progress ADD COLUMN a text; COMMENT ON COLUMN video_progress.a IS 'A check (of ours).'; END $$;",
            true,
        ),
        (
            "DO $$ BEGIN PERFORM lock_tables('users', 'video_progress'); ALTER TABLE users ADD COLUMN a text; \
             ALTER TABLE video_progress ADD COLUMN a text; END $$;",
            true,
        ),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE video_progress SET source = ''; END $$",
            true,
        ),
        (include_str!("examples/2099-01-01-000200_add_archived_at/up.sql"), true),
        ("UPDATE installation SET singleton = true -- not video_progress", true),
    ] {
        assert_eq!(violations(sql, in_transaction), [], "{sql}");
    }
}
