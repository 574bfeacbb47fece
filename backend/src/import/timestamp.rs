//! Parses dates and timestamps as databases, pandas and Spark write them, and says what is wrong with others.

use chrono::DateTime;
use domain::filter::DateBound;

use super::cell_problem::CellProblem;
use super::number::is_digits;

/// Parses a date (`2026-11-16`) or a timestamp with an offset, such as `2026-11-16T09:00:00Z`,
/// `2026-11-16 09:00:00.25+01` or `2026-11-16 09:00 UTC`.
pub fn parse(text: &str) -> Result<DateBound, CellProblem> {
    let is_date = text.len() == 10 && text.is_ascii();
    if is_date && let Some(date) = DateBound::parse(text) {
        return Ok(date);
    }
    let (Some(date), Some(rest)) = (text.get(..10), text.get(10..)) else { return Err(notation(text)) };
    let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else { return Err(notation(text)) };
    let time_length = rest.find(|character| !matches!(character, '0'..='9' | ':' | '.' | ','));
    let (time, zone) = rest.split_at(time_length.unwrap_or(rest.len()));
    let seconds = if time.split(':').count() == 2 { ":00" } else { "" };
    let time = time.replace(',', ".");
    let at = |offset: &str| DateTime::parse_from_rfc3339(&format!("{date}T{time}{seconds}{offset}"));
    let zone = zone.trim_start();
    let moment = match zone {
        "" if at("Z").is_ok() => return Err(CellProblem::NoOffset),
        "Z" | "z" | "UTC" => at("Z"),
        _ => at(&offset(zone).ok_or_else(|| notation(text))?),
    };
    moment.map(|moment| DateBound::Moment(moment.to_utc())).map_err(|_| notation(text))
}

/// Writes `+01`, `+0130` and `+01:30` as RFC 3339 does.
fn offset(zone: &str) -> Option<String> {
    let digits = zone.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        _ => digits.split_once(':')?,
    };
    let is_offset = hours.len() == 2 && minutes.len() == 2 && is_digits(hours) && is_digits(minutes);
    is_offset.then(|| format!("{}{hours}:{minutes}", &zone[..1]))
}

/// What is wrong with a text that is neither a date nor a timestamp.
fn notation(text: &str) -> CellProblem {
    let date = text.split([' ', 'T']).next().unwrap_or(text);
    let parts: Vec<&str> = date.split(['/', '.', '-']).collect();
    match parts[..] {
        [first, second, year]
            if [first, second, year].into_iter().all(is_digits)
                && first.len() <= 2
                && second.len() <= 2
                && matches!(year.len(), 2 | 4) =>
        {
            CellProblem::DayMonthOrder
        }
        _ => {
            let number = text.replacen(',', ".", 1);
            let whole = number.split('.').next().unwrap_or_default();
            // The years from 1927 to 2173.
            let is_serial = is_digits(whole) && whole.len() == 5 && number.parse::<f64>().is_ok();
            if is_serial { CellProblem::SerialDate } else { CellProblem::NotADate }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    #[test]
    fn timestamps_of_databases_and_programs_are_accepted() {
        for (text, expected) in [
            ("2025-11-16", "2025-11-16T00:00:00+00:00"),
            ("2025-11-16T09:00:00Z", "2025-11-16T09:00:00+00:00"),
            ("2025-11-16t09:00:00z", "2025-11-16T09:00:00+00:00"),
            ("2025-11-16 09:00:00+00:00", "2025-11-16T09:00:00+00:00"),
            ("2025-11-16 09:00:00Z", "2025-11-16T09:00:00+00:00"),
            ("2025-11-16 09:00:00 UTC", "2025-11-16T09:00:00+00:00"),
            ("2025-11-16 09:00:00.123456+05:30", "2025-11-16T03:30:00.123456+00:00"),
            ("2025-11-16 09:00:00,5-03", "2025-11-16T12:00:00.500+00:00"),
            ("2025-11-16T09:00:00+0530", "2025-11-16T03:30:00+00:00"),
            ("2025-11-16 09:00+01", "2025-11-16T08:00:00+00:00"),
            ("2025-11-16 09:00:00 +0100", "2025-11-16T08:00:00+00:00"),
        ] {
            let parsed = parse(text).map(|date| date.start(Tz::UTC).to_rfc3339());
            assert_eq!(parsed.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_notations_are_named() {
        for (text, expected) in [
            ("16/11/2025", CellProblem::DayMonthOrder),
            ("11/16/25", CellProblem::DayMonthOrder),
            ("16.11.2025 09:00", CellProblem::DayMonthOrder),
            ("1-2-2025", CellProblem::DayMonthOrder),
            ("45977", CellProblem::SerialDate),
            ("45977.375", CellProblem::SerialDate),
            ("45977,375", CellProblem::SerialDate),
            ("2025-11-16 09:00:00", CellProblem::NoOffset),
            ("2025-11-16T09:00", CellProblem::NoOffset),
            ("2025-11-16T09:00:00.000000", CellProblem::NoOffset),
            ("1763283600", CellProblem::NotADate),
            ("2025", CellProblem::NotADate),
            ("2025/11/16", CellProblem::NotADate),
            ("2025-02-30", CellProblem::NotADate),
            ("2025-11-16 25:00:00Z", CellProblem::NotADate),
            ("2025-11-16 09:00:00 CET", CellProblem::NotADate),
            ("2025-11-16 09:00:00+1", CellProblem::NotADate),
            ("2025-11-16 09:00:00+01:00:00", CellProblem::NotADate),
            ("2025-11-16  09:00:00Z", CellProblem::NotADate),
            ("ayer", CellProblem::NotADate),
            ("16 de noviembre", CellProblem::NotADate),
            ("ñññññññññ", CellProblem::NotADate),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }
}
