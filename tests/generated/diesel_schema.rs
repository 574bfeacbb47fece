//! Prints the tables of a migrated database as diesel's `table!` blocks, with their comments.
//!
//! Partitions are left out, because queries use the partitioned table.

use std::fmt::Write as _;

use tokio_postgres::{Client, Row};

const HEADER: &str = "\
//! The tables, as diesel sees them.
//!
//! Generated from a migrated database by the test `generated::the_diesel_schema_is_current`, comments included.
//! Change a migration, not this file.
";

const TABLES: &str = r"
    SELECT c.relname::text AS name,
           obj_description(c.oid, 'pg_class') AS comment,
           ARRAY(
               SELECT a.attname::text
               FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
               WHERE i.indrelid = c.oid AND i.indisprimary
               ORDER BY k.place
           ) AS key
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace
      AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
      AND c.relname NOT LIKE '\_\_diesel%'
    ORDER BY c.relname";

const COLUMNS: &str = r"
    SELECT a.attname::text AS name,
           format_type(a.atttypid, NULL) AS sql_type,
           a.attnotnull AS required,
           col_description(a.attrelid, a.attnum) AS comment
    FROM pg_attribute a
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum";

/// Single-column foreign keys that are the only foreign key between two tables.
const JOINS: &str = r"
    SELECT child, parent, min(column_name) AS column_name
    FROM (
        SELECT k.conrelid::regclass::text AS child,
               k.confrelid::regclass::text AS parent,
               a.attname::text AS column_name
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid AND NOT c.relispartition
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND cardinality(k.conkey) = 1
    ) AS foreign_key
    GROUP BY child, parent
    HAVING count(*) = 1
    ORDER BY child, parent";

/// Prints the content of `schema.rs`.
pub async fn print(client: &Client) -> String {
    let mut text = HEADER.to_owned();
    let tables = rows(client, TABLES, &[]).await;
    for table in &tables {
        let name: &str = table.get("name");
        let key: Vec<&str> = table.get("key");
        let mut columns = String::new();
        for column in rows(client, COLUMNS, &[&name]).await {
            columns += &print_column(&column);
        }
        let comment = doc(4, table.get("comment"));
        let key = key.join(", ");
        writeln!(text, "\ndiesel::table! {{\n{comment}    {name} ({key}) {{\n{columns}    }}\n}}")
            .expect("writing to a string cannot fail");
    }
    text.push('\n');
    for join in rows(client, JOINS, &[]).await {
        let (child, parent): (&str, &str) = (join.get("child"), join.get("parent"));
        let column: &str = join.get("column_name");
        writeln!(text, "diesel::joinable!({child} -> {parent} ({column}));")
            .expect("writing to a string cannot fail");
    }
    text += "\ndiesel::allow_tables_to_appear_in_same_query!(\n";
    for table in &tables {
        writeln!(text, "    {},", table.get::<_, &str>("name")).expect("writing to a string cannot fail");
    }
    text + ");\n"
}

fn print_column(column: &Row) -> String {
    let name: &str = column.get("name");
    let sql_type = diesel_type(column.get("sql_type"));
    let sql_type = if column.get("required") { sql_type.to_owned() } else { format!("Nullable<{sql_type}>") };
    // A Rust keyword gets an underscore, as in diesel's own `print-schema`.
    let declaration = match name {
        "type" => "#[sql_name = \"type\"]\n        type_".to_owned(),
        _ => name.to_owned(),
    };
    format!("{}        {declaration} -> {sql_type},\n", doc(8, column.get("comment")))
}

fn diesel_type(sql_type: &str) -> &'static str {
    match sql_type {
        "bigint" => "Int8",
        "bigint[]" => "Array<Int8>",
        "timestamp with time zone[]" => "Array<Timestamptz>",
        "boolean" => "Bool",
        "bytea" => "Bytea",
        "double precision" => "Float8",
        "inet" => "Inet",
        "integer" => "Int4",
        "jsonb" => "Jsonb",
        "numeric" => "Numeric",
        "text" => "Text",
        // A check constraint on the column excludes nulls inside the array.
        "text[]" => "Array<Text>",
        "timestamp with time zone" => "Timestamptz",
        "uuid" => "Uuid",
        other => panic!("add diesel's name of the type {other} here"),
    }
}

/// Formats a comment as a doc comment. Names with an underscore are marked as code.
fn doc(indent: usize, comment: Option<&str>) -> String {
    let comment = comment.expect("a test of the migrations checks that everything has a comment");
    let words: Vec<String> = comment
        .split(' ')
        .map(|word| {
            let name = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            if name.contains('_') { word.replace(name, &format!("`{name}`")) } else { word.to_owned() }
        })
        .collect();
    format!("{:indent$}/// {}\n", "", words.join(" "))
}

async fn rows(
    client: &Client,
    query: &str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Vec<Row> {
    client.query(query, parameters).await.expect("the PostgreSQL catalog is readable")
}
