//! Which argument or variable the library finds wrong, read from what it says, in the form that our own errors have.

/// How the library says what it is about, and what follows up to the next quote.
const ARGUMENTS: [&str; 2] = [r#"Unknown argument ""#, r#"There can only be one argument named ""#];
const VARIABLES: [&str; 3] = [
    r#"Variable ""#,
    r#"There can only be one variable named ""#,
    r#"Invalid default value for argument: ""#,
];

/// The path of an argument, as `filter.courseId` or `input[3].email`, or the name of a variable, as `$course`; nothing
/// when it is about neither.
pub fn named_in(message: &str) -> Option<String> {
    if let Some((path, problem)) = quoted_behind(message, r#"Invalid value for argument ""#) {
        let missing = ["unknown field \"", "field \""];
        let inner = missing.iter().find_map(|words| quoted_behind(problem.trim_start_matches(", "), words));
        return Some(inner.map_or_else(|| dotted(path), |(field, _)| format!("{}.{field}", dotted(path))));
    }
    let argument = ARGUMENTS.iter().find_map(|words| quoted_behind(message, words));
    let missing = || quoted_behind(message.split_once(r#"" argument ""#)?.1, "");
    if let Some((argument, _)) = argument.or_else(missing) {
        return Some(argument.to_owned());
    }
    let variable = VARIABLES.iter().find_map(|words| quoted_behind(message, words)).map(|(name, _)| name);
    let undefined = || message.strip_prefix("Variable ")?.strip_suffix(" is not defined.");
    Some(format!("${}", variable.or_else(undefined)?.trim_start_matches('$')))
}

/// What stands behind these words up to the next quote, and what stands behind that.
fn quoted_behind<'a>(message: &'a str, words: &str) -> Option<(&'a str, &'a str)> {
    message.strip_prefix(words)?.split_once('"')
}

/// `input.3.email` as `input[3].email`.
fn dotted(path: &str) -> String {
    let mut told = String::new();
    for segment in path.split('.') {
        let is_index = segment.bytes().all(|byte| byte.is_ascii_digit());
        let (before, behind) = match (is_index, told.is_empty()) {
            (true, _) => ("[", "]"),
            (false, true) => ("", ""),
            (false, false) => (".", ""),
        };
        told.extend([before, segment, behind]);
    }
    told
}

/// The argument whose value begins here in a document; line and column count from 1.
pub fn at(document: &str, line: usize, column: usize) -> Option<String> {
    let line_begin = match line.checked_sub(2) {
        Some(breaks) => document.match_indices('\n').nth(breaks)?.0 + 1,
        None => 0,
    };
    let behind = document[line_begin..].char_indices().nth(column.checked_sub(1)?)?.0;
    let before = document[..line_begin + behind].trim_end().strip_suffix(':')?.trim_end();
    let name = before.rsplit(|char: char| !char.is_alphanumeric() && char != '_').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}
