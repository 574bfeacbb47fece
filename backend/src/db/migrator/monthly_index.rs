//! Builds the indexes of partitioned tables one month at a time, without blocking writes.
//!
//! A migration creates the index of the partitioned table with `CREATE INDEX … ON ONLY`, which is quick and
//! leaves it invalid. The missing parts follow from the catalog: each month's index is built concurrently and
//! then attached. Once the last one is attached, PostgreSQL marks the whole index as valid. An interrupted
//! build continues at the next start.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl as _;
use tracing::info;

use super::{LOCK_TIMEOUT, Migrator, Step};

/// The next month without its part of an index: the statement that builds the part, if it does not exist yet,
/// and the one that attaches it.
const FIND_NEXT_PART: &str = "\
    SELECT part.name AS index_name, \
        format('ALTER INDEX %s ATTACH PARTITION %I', whole.indexrelid::regclass, part.name) AS attach, \
        CASE WHEN present.indexrelid IS NULL THEN \
            format('CREATE %sINDEX CONCURRENTLY %I ON %s %s', CASE WHEN whole.indisunique THEN 'UNIQUE ' ELSE '' END, \
                part.name, month.oid::regclass, substring(pg_get_indexdef(whole.indexrelid) FROM ' (USING .*)$')) \
        END AS build \
    FROM pg_index AS whole \
    JOIN pg_class AS index ON index.oid = whole.indexrelid AND index.relkind = 'I' \
    JOIN pg_class AS whole_table ON whole_table.oid = whole.indrelid \
    JOIN pg_inherits AS parts ON parts.inhparent = whole.indrelid \
    JOIN pg_class AS month ON month.oid = parts.inhrelid \
    CROSS JOIN LATERAL ( \
        SELECT left(replace(index.relname, whole_table.relname, month.relname), 63) AS name \
    ) AS part \
    LEFT JOIN pg_index AS present \
        ON present.indrelid = month.oid AND present.indexrelid = to_regclass(quote_ident(part.name)) \
    WHERE NOT whole.indisvalid AND pg_table_is_visible(whole.indexrelid) AND NOT EXISTS ( \
        SELECT FROM pg_inherits AS attached \
        JOIN pg_index AS attached_part ON attached_part.indexrelid = attached.inhrelid \
        WHERE attached.inhparent = whole.indexrelid AND attached_part.indrelid = month.oid \
    ) \
    ORDER BY index.relname, month.relname LIMIT 1";

/// An index whose concurrent build was interrupted. It slows down every write and is never used.
const FIND_INTERRUPTED: &str = "\
    SELECT format('DROP INDEX CONCURRENTLY %s', min(index.oid)::regclass) AS statement \
    FROM pg_index \
    JOIN pg_class AS index ON index.oid = indexrelid AND index.relkind = 'i' \
    WHERE NOT indisvalid AND pg_table_is_visible(index.oid) \
        AND index.oid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index) \
    HAVING count(*) > 0";

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    index_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    build: Option<String>,
    #[diesel(sql_type = Text)]
    attach: String,
}

#[derive(QueryableByName)]
struct InterruptedIndex {
    #[diesel(sql_type = Text)]
    statement: String,
}

impl Migrator {
    /// Builds and attaches the missing parts of the indexes of partitioned tables.
    pub(super) async fn complete_monthly_indexes(&mut self) -> anyhow::Result<()> {
        let mut has_dropped_interrupted = false;
        loop {
            let part: Vec<Part> = diesel::sql_query(FIND_NEXT_PART).load(self.conn()?).await?;
            let Some(Part { index_name, build, attach }) = part.into_iter().next() else { return Ok(()) };
            if !has_dropped_interrupted {
                self.drop_interrupted_indexes().await?;
                has_dropped_interrupted = true;
                continue;
            }
            if let Some(build) = build {
                info!("Building {index_name}");
                self.execute_with_retries(&Step::Statement(build), Duration::ZERO).await?;
            }
            self.execute_with_retries(&Step::Statement(attach), LOCK_TIMEOUT).await?;
        }
    }

    /// Drops the invalid indexes that interrupted concurrent builds left behind.
    pub(super) async fn drop_interrupted_indexes(&mut self) -> anyhow::Result<()> {
        loop {
            let found: Vec<InterruptedIndex> = diesel::sql_query(FIND_INTERRUPTED).load(self.conn()?).await?;
            let Some(InterruptedIndex { statement }) = found.into_iter().next() else { return Ok(()) };
            info!("{statement}: its build was interrupted");
            self.execute_with_retries(&Step::Statement(statement), Duration::ZERO).await?;
        }
    }
}
