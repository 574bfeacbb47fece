//! What came back of a request: an answer, or none.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};

use super::outcome::{Failure, FailureClass, SendOutcome};
use super::secrets::Secrets;
use crate::models::sync_run::Outage;

/// The most that is read of an answer, in bytes: the list of 2,000 events that were refused is far smaller.
const MOST: usize = 4 << 20;

/// A pause that a service asks for is held to these limits.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body; as much as came, where `is_whole` is false.
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub is_whole: bool,
    /// For how long the service wants to be left alone.
    pub pause: Option<Duration>,
}

/// Sends a request and waits for the whole answer; an error says why there is none, without the address, in which GA4's
/// secret stands. By `now` a pause is measured where the answer does not say when it was given.
pub async fn send(request: RequestBuilder, now: DateTime<Utc>) -> Result<Reply, SendOutcome> {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Err(SendOutcome::RetryLater {
                failure: Failure::of(FailureClass::Unreachable),
                pause: None,
                maybe_delivered: false,
            });
        }
        Err(_) => return Err(SendOutcome::Unanswered(Failure::of(FailureClass::Unanswered))),
    };
    let (status, pause) = (response.status(), pause(response.headers(), now));
    let mut body = Vec::new();
    let is_whole = loop {
        match response.chunk().await {
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => break true,
            Err(_) => break false,
        }
        if body.len() > MOST {
            break false;
        }
    };
    Ok(Reply { status, body, is_whole, pause })
}

/// For how long a service wants to be left alone, by seconds or by a date (RFC 9110, section 10.2.3), which is
/// measured by the service's own clock, or by ours where it does not tell what its own shows.
fn pause(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let answered_at = headers.get(DATE).and_then(|value| date(value.to_str().ok()?));
            (date(text)? - answered_at.unwrap_or(now)).to_std().unwrap_or_default()
        }
    };
    Some(pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

/// What an answer means by its status alone, unless all is well or the request is to blame.
///
/// 408, 429 and what is wrong on the service's side passes; what says that the service is not
/// to be spoken to like this (401, 403, 404, 405, redirects and whatever is not known) is not the events' fault.
pub fn by_status(reply: &Reply, secrets: &Secrets) -> Option<SendOutcome> {
    let status = reply.status.as_u16();
    let said = || secrets.redact(&String::from_utf8_lossy(&reply.body));
    match status {
        200..=299 | 400 | 413 | 422 => None,
        429 => {
            let failure = Failure::with_status(FailureClass::Throttled, status, said());
            Some(SendOutcome::RetryLater { failure, pause: reply.pause, maybe_delivered: false })
        }
        408 | 500 | 502 | 503 | 504 | 507..=599 => {
            let failure = Failure::with_status(FailureClass::Down, status, said());
            // 503 says that the request is not dealt with for the time being (RFC 9110, section 15.6.4), as 429 does.
            // The others only say that something failed, which may have been after the event was stored: 500 the
            // service itself, 502, 504 and 520 to 599 whatever stands before it and lost the answer, and 408 comes
            // from proxies that gave up on a request as well as from those that never had the whole of it.
            Some(SendOutcome::RetryLater { failure, pause: reply.pause, maybe_delivered: status != 503 })
        }
        _ => {
            let failure = Failure::with_status(FailureClass::Closed, status, said());
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

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_795_600_800, 0).expect("10:00 that day");

    /// The pause that is asked for in an answer which was given, as it says, at this date.
    fn asked(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        headers.extend(date.map(|date| (DATE, date.parse().unwrap())));
        pause(&headers, NOW).map(|pause| pause.as_secs())
    }

    #[test]
    fn a_pause_is_read_in_seconds_or_as_a_date_and_held_to_its_limits() {
        // Its clock is a quarter of an hour ahead of ours.
        let asked = |retry_after| asked(retry_after, Some("Wed, 25 Nov 2026 10:15:00 GMT"));
        assert_eq!(asked("30"), Some(30));
        assert_eq!(asked("0"), Some(1));
        assert_eq!(asked("86400"), Some(900));
        assert_eq!(asked("Wed, 25 Nov 2026 10:17:00 GMT"), Some(120));
        assert_eq!(asked("Wed, 25 Nov 2026 10:02:00 GMT"), Some(1));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-5"), None);
    }

    #[test]
    fn where_an_answer_has_no_date_of_its_own_a_pause_is_measured_by_our_clock() {
        for no_date in [None, Some("today"), Some("")] {
            assert_eq!(asked("Wed, 25 Nov 2026 10:02:00 GMT", no_date), Some(120), "{no_date:?}");
            assert_eq!(asked("Wed, 25 Nov 2026 09:00:00 GMT", no_date), Some(1), "{no_date:?}");
            assert_eq!(asked("Thu, 26 Nov 2026 10:00:00 GMT", no_date), Some(900), "{no_date:?}");
            assert_eq!(asked("soon", no_date), None, "{no_date:?}");
        }
    }

    /// What comes of an answer of which a service sends so many bytes at once before it hangs up.
    async fn received(answer: &str, at_once: usize) -> Reply {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            for piece in answer.as_bytes().chunks(at_once) {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let client = outbound::telemetry_client(Duration::from_secs(30));
        let ((), reply) = tokio::join!(serve, send(client.get(url), NOW));
        reply.unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_whole_in_pieces_of_any_size_and_said_not_to_be_when_it_is_cut_off() {
        let body = r#"{"code":200,"num_records_imported":2,"status":"ñ€😀"}"#;
        let by_length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let pieces = [&body[..1], &body[1..30], &body[30..]];
        let chunks: Vec<String> =
            pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
        let by_chunks =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunks.concat());
        for at_once in [1, 2, 3, 7, 31, 64, 1000] {
            for answer in [&by_length, &by_chunks] {
                let reply = received(answer, at_once).await;
                assert_eq!((reply.is_whole, &reply.body[..]), (true, body.as_bytes()), "{at_once} at once");
                let cut = received(&answer[..answer.len() - 6], at_once).await;
                assert!(!cut.is_whole, "{at_once} at once: {cut:?}");
            }
        }
    }

    #[test]
    fn statuses_are_told_apart() {
        let answer = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            by_status(&Reply { status, body: Vec::new(), is_whole: true, pause: None }, &Secrets::default())
        };
        for nothing in [200, 204, 400, 413, 422] {
            assert_eq!(answer(nothing), None, "{nothing}");
        }
        for later in [408, 429, 500, 502, 503, 504, 520] {
            assert!(matches!(answer(later), Some(SendOutcome::RetryLater { .. })), "{later}");
        }
        for closed in [301, 307, 401, 403, 404, 405, 410, 501, 505] {
            assert!(matches!(answer(closed), Some(SendOutcome::Unusable(..))), "{closed}");
        }
    }
}
