//! Sends a request and reads its response, and decides the outcomes that follow from the HTTP status alone.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};

use super::outcome::{Failure, FailureClass, SendOutcome};
use super::secrets::Secrets;
use crate::models::sync_run::Outage;

/// Maximum number of bytes that are read of a response body. A list of 2,000 refused events is far smaller.
const MAX_BODY_BYTES: usize = 4 << 20;

/// The limits of a pause that a service asks for.
const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);
const MAX_RETRY_AFTER: Duration = Duration::from_mins(15);

/// A response to a request.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    /// The body, or a part of it if `is_complete` is false.
    pub body: Vec<u8>,
    pub is_complete: bool,
    /// The pause that the service asked for.
    pub retry_after: Option<Duration>,
}

/// Sends a request and reads the response. The error says why there is no response. It omits the URL, which
/// contains GA4's secret. A `Retry-After` date is compared with `now` if the response has no `Date`.
pub async fn send(request: RequestBuilder, now: DateTime<Utc>) -> Result<Response, SendOutcome> {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Err(SendOutcome::RetryLater {
                failure: Failure::of(FailureClass::Unreachable),
                retry_after: None,
                maybe_delivered: false,
            });
        }
        Err(_) => return Err(SendOutcome::Unanswered(Failure::of(FailureClass::Unanswered))),
    };
    let (status, retry_after) = (response.status(), retry_after(response.headers(), now));
    let mut body = Vec::new();
    let is_complete = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break true,
            Err(_) => break false,
        }
        if body.len() > MAX_BODY_BYTES {
            break false;
        }
    };
    Ok(Response { status, body, is_complete, retry_after })
}

/// The pause that a service asks for, in seconds or as a date (RFC 9110, section 10.2.3). A date is compared
/// with the `Date` of the response, which is the service's own clock, or with ours if there is none.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let responded_at = headers.get(DATE).and_then(|value| parse_date(value.to_str().ok()?));
            (parse_date(text)? - responded_at.unwrap_or(now)).to_std().unwrap_or_default()
        }
    };
    Some(pause.clamp(MIN_RETRY_AFTER, MAX_RETRY_AFTER))
}

fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

/// The outcome that follows from the status alone. `None` if the request succeeded, or failed because of its
/// events.
///
/// 408, 429 and server errors are temporary. All other statuses, such as 401, 403, 404, 405 and redirects,
/// mean that the service cannot be used with these settings, whatever the events are.
pub fn outcome_from_status(response: &Response, secrets: &Secrets) -> Option<SendOutcome> {
    let status = response.status.as_u16();
    let message = || secrets.redact(&String::from_utf8_lossy(&response.body));
    match status {
        200..=299 | 400 | 413 | 422 => None,
        429 => {
            let failure = Failure::with_status(FailureClass::Throttled, status, message());
            Some(SendOutcome::RetryLater {
                failure,
                retry_after: response.retry_after,
                maybe_delivered: false,
            })
        }
        408 | 500 | 502 | 503 | 504 | 507..=599 => {
            let failure = Failure::with_status(FailureClass::Down, status, message());
            // 503 means that the service cannot handle the request now (RFC 9110, section 15.6.4), like 429.
            // After any other of these errors the events may be stored. 500 means that the service itself
            // failed. 502, 504 and 520 to 599 come from a proxy that got no response. 408 comes from a proxy
            // that gave up on a request, whether or not it had received all of it.
            Some(SendOutcome::RetryLater {
                failure,
                retry_after: response.retry_after,
                maybe_delivered: status != 503,
            })
        }
        _ => {
            let failure = Failure::with_status(FailureClass::Unusable, status, message());
            Some(SendOutcome::Unusable(Outage::Refused { http_status: status }, failure))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::outbound;

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_795_600_800, 0).expect("the timestamp is in range");

    /// The pause in seconds from a response with this `Retry-After` and `Date`.
    fn pause(header: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, header.parse().unwrap());
        headers.extend(date.map(|date| (DATE, date.parse().unwrap())));
        retry_after(&headers, NOW).map(|pause| pause.as_secs())
    }

    #[test]
    fn a_pause_is_given_in_seconds_or_as_a_date_and_is_limited() {
        // The service's clock is a quarter of an hour ahead of ours.
        let pause = |header| pause(header, Some("Wed, 25 Nov 2026 10:15:00 GMT"));
        assert_eq!(pause("30"), Some(30));
        assert_eq!(pause("0"), Some(1));
        assert_eq!(pause("86400"), Some(900));
        assert_eq!(pause("Wed, 25 Nov 2026 10:17:00 GMT"), Some(120));
        assert_eq!(pause("Wed, 25 Nov 2026 10:02:00 GMT"), Some(1));
        assert_eq!(pause("soon"), None);
        assert_eq!(pause("-5"), None);
    }

    #[test]
    fn without_a_date_in_the_response_a_pause_is_measured_by_our_clock() {
        for no_date in [None, Some("today"), Some("")] {
            assert_eq!(pause("Wed, 25 Nov 2026 10:02:00 GMT", no_date), Some(120), "{no_date:?}");
            assert_eq!(pause("Wed, 25 Nov 2026 09:00:00 GMT", no_date), Some(1), "{no_date:?}");
            assert_eq!(pause("Thu, 26 Nov 2026 10:00:00 GMT", no_date), Some(900), "{no_date:?}");
            assert_eq!(pause("soon", no_date), None, "{no_date:?}");
        }
    }

    /// Receives a response that the service sends in chunks of `chunk_size` bytes before it closes the
    /// connection.
    async fn receive(sent: &str, chunk_size: usize) -> Response {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            for chunk in sent.as_bytes().chunks(chunk_size) {
                stream.write_all(chunk).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let client = outbound::telemetry_client(Duration::from_secs(30));
        let ((), response) = tokio::join!(serve, send(client.get(url), NOW));
        response.unwrap()
    }

    #[tokio::test]
    async fn a_truncated_response_is_incomplete_whatever_the_chunk_size() {
        let body = r#"{"code":200,"num_records_imported":2,"status":"ñ€😀"}"#;
        let with_length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let parts = [&body[..1], &body[1..30], &body[30..]];
        let chunks: Vec<String> =
            parts.iter().map(|part| format!("{:x}\r\n{part}\r\n", part.len())).collect();
        let chunked =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunks.concat());
        for chunk_size in [1, 2, 3, 7, 31, 64, 1000] {
            for sent in [&with_length, &chunked] {
                let response = receive(sent, chunk_size).await;
                assert_eq!(
                    (response.is_complete, &response.body[..]),
                    (true, body.as_bytes()),
                    "{chunk_size}"
                );
                let truncated = receive(&sent[..sent.len() - 6], chunk_size).await;
                assert!(!truncated.is_complete, "{chunk_size}: {truncated:?}");
            }
        }
    }

    #[test]
    fn each_status_has_its_outcome() {
        let outcome = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            outcome_from_status(
                &Response { status, body: Vec::new(), is_complete: true, retry_after: None },
                &Secrets::default(),
            )
        };
        for status in [200, 204, 400, 413, 422] {
            assert_eq!(outcome(status), None, "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504, 520] {
            assert!(matches!(outcome(status), Some(SendOutcome::RetryLater { .. })), "{status}");
        }
        for status in [301, 307, 401, 403, 404, 405, 410, 501, 505] {
            assert!(matches!(outcome(status), Some(SendOutcome::Unusable(..))), "{status}");
        }
    }
}
