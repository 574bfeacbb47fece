//! JSON that a query composed, with its moments in the file's time zone.

use chrono::DateTime;

use super::cell;
use super::moment::{Moments, postgres_micros};

/// What stands before a moment, as PostgreSQL's `json_build_object` writes it. No text can hold it: inside of a JSON
/// string each quote has a backslash before it.
const BEFORE_A_MOMENT: &[u8] = br#""changed_at" : ""#;

/// Appends the JSON. What stands where a moment should, and is none, is left as it is.
pub fn write(out: &mut Vec<u8>, json: &[u8], moments: &mut Moments) {
    let mut rest = json;
    while let Some(place) = find(rest, BEFORE_A_MOMENT) {
        let (before, behind) = rest.split_at(place + BEFORE_A_MOMENT.len());
        out.extend_from_slice(before);
        let end = behind.iter().position(|byte| *byte == b'"').unwrap_or(behind.len());
        let (text, tail) = behind.split_at(end);
        match read(text) {
            Some(micros) => moments.write(out, micros),
            None => out.extend_from_slice(text),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn read(text: &[u8]) -> Option<i64> {
    let moment = DateTime::parse_from_rfc3339(str::from_utf8(text).ok()?).ok()?;
    cell::moment(postgres_micros(moment.to_utc())).ok()
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn written(json: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, json.as_bytes(), &mut Moments::new(Tz::America__Bogota));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn moments_are_moved_and_nothing_else_is() {
        assert_eq!(
            written(
                r#"[{"changed_at" : "2026-11-06T02:00:00.500000Z", "notes" : "2026-11-06T02:00:00.500000Z"}, {"changed_at" : "2026-11-06T09:00:00.000000Z"}]"#
            ),
            r#"[{"changed_at" : "2026-11-05T21:00:00.500-05:00", "notes" : "2026-11-06T02:00:00.500000Z"}, {"changed_at" : "2026-11-06T04:00:00-05:00"}]"#
        );
        for untouched in [
            "[]",
            r#"[{"changed_at" : null}]"#,
            r#"[{"changed_at" : "12026-11-06T09:00:00.000000Z"}]"#,
            r#"[{"notes" : "\"changed_at\" : \"2026-11-06T09:00:00.000000Z\""}]"#,
        ] {
            assert_eq!(written(untouched), untouched);
        }
    }
}
