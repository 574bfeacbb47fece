//! Indexes of partitioned tables, built month by month beside those who write.
//!
//! A migration makes the index of the whole with `CREATE INDEX … ON ONLY`, which is quick and leaves it invalid. What it
//! lacks follows from the catalogue: each month gets the index concurrently, and then it is attached. With the last one
//! PostgreSQL makes the whole valid. Whoever is interrupted goes on with the next start.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl as _;
use tracing::info;

use super::{LOCK_TIMEOUT, Migrator, Work};

/// The next month that lacks a part of an index, what is to be done first for it, and how it is attached then.
const NEXT_PART: &str = "\
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

/// An index that somebody began to build concurrently, and that nobody builds any more: it costs every write and helps
/// nobody.
const INTERRUPTED: &str = "\
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
struct Leftover {
    #[diesel(sql_type = Text)]
    statement: String,
}

impl Migrator {
    /// Builds and attaches what indexes of partitioned tables lack.
    pub(super) async fn complete_monthly_indexes(&mut self) -> anyhow::Result<()> {
        let mut is_tidy = false;
        loop {
            let part: Vec<Part> = diesel::sql_query(NEXT_PART).load(self.conn()?).await?;
            let Some(Part { index_name, build, attach }) = part.into_iter().next() else { return Ok(()) };
            if !is_tidy {
                self.drop_interrupted_indexes().await?;
                is_tidy = true;
                continue;
            }
            if let Some(build) = build {
                info!("Building {index_name}");
                self.perform(&Work::Statement(build), Duration::ZERO).await?;
            }
            self.perform(&Work::Statement(attach), LOCK_TIMEOUT).await?;
        }
    }

    /// Drops what concurrent builds left behind that did not come to their end.
    pub(super) async fn drop_interrupted_indexes(&mut self) -> anyhow::Result<()> {
        loop {
            let found: Vec<Leftover> = diesel::sql_query(INTERRUPTED).load(self.conn()?).await?;
            let Some(Leftover { statement }) = found.into_iter().next() else { return Ok(()) };
            info!("{statement}: it was not built to its end");
            self.perform(&Work::Statement(statement), Duration::ZERO).await?;
        }
    }
}
