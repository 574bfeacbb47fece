//! Finds the argument or variable that an error of the library is about, in the notation of the hub's own
//! errors.

/// The text before the name of an argument, which ends at the next quote.
const ARGUMENT_PREFIXES: [&str; 2] = [r#"Unknown argument ""#, r#"There can only be one argument named ""#];
/// The text before the name of a variable, which ends at the next quote.
const VARIABLE_PREFIXES: [&str; 3] = [
    r#"Variable ""#,
    r#"There can only be one variable named ""#,
    r#"Invalid default value for argument: ""#,
];

/// The path of the argument, such as `filter.courseId` or `input[3].email`, or the name of the variable, such
/// as `$course`. `None` if the message is about neither.
pub fn from_message(message: &str) -> Option<String> {
    if let Some((path, problem)) = quoted_after(message, r#"Invalid value for argument ""#) {
        let field_prefixes = ["unknown field \"", "field \""];
        let inner =
            field_prefixes.iter().find_map(|prefix| quoted_after(problem.trim_start_matches(", "), prefix));
        return Some(
            inner
                .map_or_else(|| with_brackets(path), |(field, _)| format!("{}.{field}", with_brackets(path))),
        );
    }
    let argument = ARGUMENT_PREFIXES.iter().find_map(|prefix| quoted_after(message, prefix));
    let required = || quoted_after(message.split_once(r#"" argument ""#)?.1, "");
    if let Some((argument, _)) = argument.or_else(required) {
        return Some(argument.to_owned());
    }
    let variable =
        VARIABLE_PREFIXES.iter().find_map(|prefix| quoted_after(message, prefix)).map(|(name, _)| name);
    let undefined = || message.strip_prefix("Variable ")?.strip_suffix(" is not defined.");
    Some(format!("${}", variable.or_else(undefined)?.trim_start_matches('$')))
}

/// The text after the prefix up to the next quote, and the text after that quote.
fn quoted_after<'a>(message: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    message.strip_prefix(prefix)?.split_once('"')
}

/// Converts `input.3.email` to `input[3].email`.
fn with_brackets(path: &str) -> String {
    let mut converted = String::new();
    for segment in path.split('.') {
        let is_index = segment.bytes().all(|byte| byte.is_ascii_digit());
        let (before, after) = match (is_index, converted.is_empty()) {
            (true, _) => ("[", "]"),
            (false, true) => ("", ""),
            (false, false) => (".", ""),
        };
        converted.extend([before, segment, after]);
    }
    converted
}

/// The argument with the value that starts at this position of a document. Line and column count from 1.
pub fn at_position(document: &str, line: usize, column: usize) -> Option<String> {
    let line_start = match line.checked_sub(2) {
        Some(breaks) => document.match_indices('\n').nth(breaks)?.0 + 1,
        None => 0,
    };
    let offset = document[line_start..].char_indices().nth(column.checked_sub(1)?)?.0;
    let before = document[..line_start + offset].trim_end().strip_suffix(':')?.trim_end();
    let name = before.rsplit(|char: char| !char.is_alphanumeric() && char != '_').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}
