//! Splits a migration into statements without comments and quoted text.

/// Splits SQL into statements in lower case, with single spaces and without the content of quotes.
pub fn statements(sql: &str) -> Vec<String> {
    let bare = without_quotes(&without_comments(sql)).to_lowercase();
    bare.split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// Removes comments. No quoted text in the migrations contains two hyphens.
fn without_comments(sql: &str) -> String {
    sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Removes the content of quotes, which is every second part. A doubled quote starts the next part.
fn without_quotes(sql: &str) -> String {
    let undollared: String = sql.split("$$").step_by(2).collect::<Vec<_>>().join("''");
    undollared.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}
