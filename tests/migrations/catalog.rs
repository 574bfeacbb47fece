//! Describes the schema of a database as sorted lines that can be compared.

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

/// All relations, columns, constraints, indexes, sequences, triggers, types and functions, with their
/// comments. Diesel's table of applied migrations is left out.
const EVERYTHING: &str = r"
    WITH ours AS (
        SELECT oid, relname::text AS name, relkind::text AS kind, reloptions, relpartbound
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\_\_diesel%'
    )
    SELECT concat_ws(' | ', 'relation', name, kind, reloptions, pg_get_expr(relpartbound, oid),
                     obj_description(oid, 'pg_class'))
    FROM ours
    UNION ALL
    SELECT concat_ws(' | ', 'column', ours.name, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
                     pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
    FROM pg_attribute
    JOIN ours ON ours.oid = attrelid AND kind IN ('r', 'p', 'v')
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT concat_ws(' | ', 'constraint', ours.name, conname, pg_get_constraintdef(pg_constraint.oid))
    FROM pg_constraint
    JOIN ours ON ours.oid = conrelid
    UNION ALL
    SELECT concat_ws(' | ', 'index', ours.name, pg_get_indexdef(indexrelid))
    FROM pg_index
    JOIN ours ON ours.oid = indrelid
    UNION ALL
    SELECT concat_ws(' | ', 'sequence', ours.name, seqstart, seqincrement, seqcache)
    FROM pg_sequence
    JOIN ours ON ours.oid = seqrelid
    UNION ALL
    SELECT concat_ws(' | ', 'trigger', ours.name, pg_get_triggerdef(pg_trigger.oid))
    FROM pg_trigger
    JOIN ours ON ours.oid = tgrelid
    WHERE NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' | ', 'type', typname, typtype)
    FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e', 'r')
    UNION ALL
    SELECT concat_ws(' | ', 'function', pg_get_functiondef(oid), obj_description(oid, 'pg_proc'))
    FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace";

/// Tables, columns and functions without a comment.
const WITHOUT_COMMENT: &str = r"
    SELECT relname::text
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname NOT LIKE '\_\_diesel%'
      AND obj_description(oid, 'pg_class') IS NULL
    UNION ALL
    SELECT concat(relname, '.', attname)
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname NOT LIKE '\_\_diesel%'
      AND attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL
    UNION ALL
    SELECT proname::text
    FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL";

/// The nullable text columns among these columns of a table that have no check constraint.
const ACCEPTING_EMPTY_TEXT: &str = r"
    SELECT attname::text
    FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attname = ANY ($2) AND atttypid = 'text'::regtype AND NOT attnotnull
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid AND contype = 'c' AND conkey = ARRAY[attnum])";

/// Describes the schema of a database, with one line for each object.
pub async fn describe(client: &Client) -> Vec<String> {
    lines(client, EVERYTHING, &[]).await
}

/// The names of tables, columns and functions without a comment.
pub async fn without_comment(client: &Client) -> Vec<String> {
    lines(client, WITHOUT_COMMENT, &[]).await
}

/// The columns among these that accept both null and the empty text.
pub async fn accepting_empty_text(client: &Client, table: &str, columns: &[&str]) -> Vec<String> {
    lines(client, ACCEPTING_EMPTY_TEXT, &[&table, &columns]).await
}

async fn lines(client: &Client, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<String> {
    let rows = client.query(query, parameters).await.expect("the PostgreSQL catalog is readable");
    let mut lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.sort();
    lines
}
