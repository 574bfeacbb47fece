//! Splits a migration into statements without comments and quoted text.

/// Splits SQL into statements in lower case, with single spaces and without the content of quotes. A `DO` block
/// is replaced by the statements in its body. `None` if the SQL has a `DO` block of another form.
pub fn statements(sql: &str) -> Option<Vec<String>> {
    let sql = without_comments(sql);
    if let Some(body) = do_block(&sql) {
        return Some(split(body));
    }
    let statements = split(&sql);
    (!statements.iter().any(|statement| statement.starts_with("do "))).then_some(statements)
}

/// Whether the SQL is a single statement. A `DO` block is one.
pub fn is_single(sql: &str) -> bool {
    split(&without_comments(sql)).len() <= 1
}

/// The body of the `DO` block, between `BEGIN` and `END`, if the SQL is one.
fn do_block(sql: &str) -> Option<&str> {
    let body = sql.trim().strip_prefix("DO $$")?.strip_suffix("$$;")?;
    let (_, body) = body.split_once("BEGIN")?;
    Some(body.rsplit_once("END")?.0)
}

fn split(sql: &str) -> Vec<String> {
    let bare = without_quotes(sql).to_lowercase();
    bare.split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|statement| after_control_flow(&statement))
        .map(|statement| match statement.strip_prefix("perform ") {
            Some(call) => format!("select {call}"),
            None => statement,
        })
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// The statement itself, without the `IF … THEN`, `ELSE` or `… LOOP` before it.
fn after_control_flow(statement: &str) -> String {
    let mut rest = statement;
    loop {
        let keyword = match rest.split(' ').next() {
            Some("if" | "elsif") => " then ",
            Some("for" | "foreach" | "while" | "loop") => "loop ",
            Some("else" | "begin") => " ",
            Some(_) | None => return rest.to_owned(),
        };
        match rest.split_once(keyword) {
            Some((_, after)) => rest = after,
            None => return rest.to_owned(),
        }
    }
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
