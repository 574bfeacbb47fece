//! Parses whole numbers as spreadsheets, databases and pandas write them, and says what is wrong with others.

use super::cell_problem::CellProblem;

/// The digits of a whole number. `None` if the text is blank.
///
/// `12345.0` is 12345, since pandas writes whole numbers like this if others in the column are missing. Every
/// other notation is an error. `otherwise` is the problem of a text that is no number.
pub fn whole_number(text: &str, otherwise: CellProblem) -> Result<Option<&str>, CellProblem> {
    let text = text.trim();
    let digits = text.strip_suffix(".0").unwrap_or(text);
    if text.is_empty() {
        Ok(None)
    } else if is_digits(digits) {
        Ok(Some(digits))
    } else {
        Err(notation(text).unwrap_or(otherwise))
    }
}

/// What is special about the notation of a number. `None` if the text is no number.
fn notation(text: &str) -> Option<CellProblem> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let is_number = is_digits(exponent) && mantissa.split(['.', ',']).all(is_digits);
        return is_number.then_some(CellProblem::Exponent);
    }
    // A no-break space or an apostrophe separates thousands in some languages.
    let separators = ['.', ',', ' ', '\u{a0}', '\u{202f}', '\'', '’'];
    let mut groups = unsigned.split(separators);
    let first = groups.next()?;
    let groups: Vec<&str> = groups.collect();
    if !is_digits(first) || groups.is_empty() || !groups.iter().all(|group| is_digits(group)) {
        None
    } else if groups.len() > 1 || first.len() <= 3 && groups[0].len() == 3 {
        Some(CellProblem::ThousandsSeparator)
    } else {
        unsigned.contains(['.', ',']).then_some(CellProblem::Fraction)
    }
}

/// Whether the text consists of ASCII digits, at least one.
pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notation_is_accepted_or_named() {
        for (text, expected) in [
            ("", Ok(None)),
            (" \u{a0}", Ok(None)),
            ("12345", Ok(Some("12345"))),
            (" 007 ", Ok(Some("007"))),
            ("12345.0", Ok(Some("12345"))),
            ("12345,0", Err(CellProblem::Fraction)),
            ("1e3", Err(CellProblem::Exponent)),
            ("1.5E+07", Err(CellProblem::Exponent)),
            ("1,5E-07", Err(CellProblem::Exponent)),
            ("1.234", Err(CellProblem::ThousandsSeparator)),
            ("1,234,567", Err(CellProblem::ThousandsSeparator)),
            ("1,234.50", Err(CellProblem::ThousandsSeparator)),
            ("1,23,456", Err(CellProblem::ThousandsSeparator)),
            ("1 234", Err(CellProblem::ThousandsSeparator)),
            ("1\u{a0}234", Err(CellProblem::ThousandsSeparator)),
            ("1'234", Err(CellProblem::ThousandsSeparator)),
            ("1.5", Err(CellProblem::Fraction)),
            ("-1,25", Err(CellProblem::Fraction)),
            ("12345.00", Err(CellProblem::Fraction)),
            ("-1", Err(CellProblem::NotAValue)),
            ("+1", Err(CellProblem::NotAValue)),
            ("1.", Err(CellProblem::NotAValue)),
            (".0", Err(CellProblem::NotAValue)),
            ("e3", Err(CellProblem::NotAValue)),
            ("0x1F", Err(CellProblem::NotAValue)),
            ("١٢", Err(CellProblem::NotAValue)),
            ("NaN", Err(CellProblem::NotAValue)),
        ] {
            assert_eq!(whole_number(text, CellProblem::NotAValue), expected, "{text:?}");
        }
    }
}
