//! Writes JSON that a query built, with its timestamps converted to the file's time zone.

use chrono::DateTime;

use super::cell;
use super::timestamp::{TimestampWriter, postgres_micros};

/// The text before a timestamp, as PostgreSQL's `json_build_object` writes it. It cannot occur inside a JSON
/// string, where each quote is escaped.
const TIMESTAMP_PREFIX: &[u8] = br#""changed_at" : ""#;

/// The JSON with its timestamps in the file's time zone, as a cell of its own.
pub fn converted(json: &[u8], timestamps: &mut TimestampWriter) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len());
    write(&mut text, json, timestamps);
    text
}

/// Appends the JSON. Values after the prefix that are not timestamps are left unchanged.
pub fn write(out: &mut Vec<u8>, json: &[u8], timestamps: &mut TimestampWriter) {
    let mut rest = json;
    while let Some(position) = find(rest, TIMESTAMP_PREFIX) {
        let (before, after) = rest.split_at(position + TIMESTAMP_PREFIX.len());
        out.extend_from_slice(before);
        let end = after.iter().position(|byte| *byte == b'"').unwrap_or(after.len());
        let (text, tail) = after.split_at(end);
        match parse_micros(text) {
            Some(micros) => timestamps.write(out, micros),
            None => out.extend_from_slice(text),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

fn parse_micros(text: &[u8]) -> Option<i64> {
    let timestamp = DateTime::parse_from_rfc3339(str::from_utf8(text).ok()?).ok()?;
    cell::check_timestamp(postgres_micros(timestamp.to_utc())).ok()
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn written(json: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, json.as_bytes(), &mut TimestampWriter::new(Tz::America__Bogota));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_timestamps_are_converted() {
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
