//! The events of a request, in all supported formats.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::IMPORT;
use crate::http::Request;

/// Base64 with or without padding.
const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A parsed body.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The size of the decompressed body, in bytes.
    pub size: usize,
    /// `None` if the body is not JSON.
    events: Option<Vec<Value>>,
}

impl Batch {
    /// Parses the body of a request.
    pub(crate) fn read(request: &Request) -> Self {
        let Some(content) = request.content() else { return Self::default() };
        let events = if request.head.path != IMPORT {
            track_events(request, &content)
        } else if request.head.header_starts_with("content-type", "application/x-ndjson") {
            let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            lines.map(|line| serde_json::from_slice(line).ok()).collect()
        } else {
            serde_json::from_slice(&content).ok().map(into_list)
        };
        Self { size: content.len(), events }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.events.is_some()
    }

    pub(crate) fn events(&self) -> &[Value] {
        self.events.as_deref().unwrap_or_default()
    }

    pub(crate) fn into_events(self) -> Vec<Value> {
        self.events.unwrap_or_default()
    }
}

/// The events of a request to `/track`: JSON, or the parameter `data` of a form or query with JSON or base64
/// of JSON.
fn track_events(request: &Request, content: &[u8]) -> Option<Vec<Value>> {
    if let Some(data) = request.head.query_value("data") {
        return form_data(&data);
    }
    if let Ok(value) = serde_json::from_slice(content) {
        return Some(into_list(value));
    }
    let (_, data) = form_urlencoded::parse(content).find(|(key, _)| key == "data")?;
    form_data(&data)
}

fn form_data(data: &str) -> Option<Vec<Value>> {
    let value = serde_json::from_str(data).ok().or_else(|| {
        // A plus sign that the client did not escape was decoded as a space.
        let json = LENIENT_BASE64.decode(data.trim().replace(' ', "+")).ok()?;
        serde_json::from_slice(&json).ok()
    });
    value.map(into_list)
}

/// A single event counts as a list with one event.
fn into_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(events) => events,
        event => vec![event],
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use base64::prelude::BASE64_STANDARD;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;
    use crate::http::Head;
    use crate::mixpanel::TRACK;

    fn read(path: &str, headers: &[(&str, &str)], query: &str, body: &[u8]) -> Batch {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let head = Head {
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
            ..Head::default()
        };
        Batch::read(&Request { head, body: body.to_vec() })
    }

    #[test]
    fn import_accepts_lists_lines_and_gzip() {
        assert_eq!(read(IMPORT, &[], "", b"[{},{}]").events().len(), 2);
        let lines = [("content-type", "application/x-ndjson")];
        assert_eq!(read(IMPORT, &lines, "", b"{}\n{}\n\n{}").events().len(), 3);
        assert!(!read(IMPORT, &lines, "", b"{}\n{").is_json());
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"[{}]").unwrap();
        let batch = read(IMPORT, &[("content-encoding", "gzip")], "", &gzip.finish().unwrap());
        assert_eq!((batch.size, batch.events().len()), (4, 1));
    }

    #[test]
    fn track_accepts_json_forms_base64_and_queries() {
        // The base64 of this event contains plus signs.
        let event = json!({"event": ">>>>???~~~"});
        let base64 = BASE64_STANDARD.encode(event.to_string());
        assert!(base64.contains('+'));
        let escaped: String = form_urlencoded::byte_serialize(base64.as_bytes()).collect();
        let json: String = form_urlencoded::byte_serialize(event.to_string().as_bytes()).collect();
        for form in [format!("data={base64}"), format!("data={escaped}"), format!("verbose=1&data={json}")] {
            assert_eq!(
                read(TRACK, &[], "", form.as_bytes()).events(),
                std::slice::from_ref(&event),
                "{form}"
            );
        }
        assert_eq!(read(TRACK, &[], &format!("data={escaped}"), b"").events(), std::slice::from_ref(&event));
        assert_eq!(read(TRACK, &[], "", event.to_string().as_bytes()).events(), [event]);
        assert!(!read(TRACK, &[], "", b"data=%%%").is_json());
    }
}
