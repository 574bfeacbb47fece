//! The statements of a migration, without comments, and with nothing in their quotes.

/// Splits SQL into its statements, in lower case and with single spaces. What stands in quotes, dollars included, is left
/// out.
pub fn statements(sql: &str) -> Vec<String> {
    let bare = without_quotes(&without_comments(sql)).to_lowercase();
    bare.split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// No quoted text of a migration holds two hyphens.
fn without_comments(sql: &str) -> String {
    sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every second part stands in quotes; a quote that is doubled begins another one at once.
fn without_quotes(sql: &str) -> String {
    let undollared: String = sql.split("$$").step_by(2).collect::<Vec<_>>().join("''");
    undollared.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}
