//! Events from a viewer with a wrong clock are recorded with corrected times.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{RecordingFixture, error_of, with};
use crate::harness::hub::NOW;

const EVENTS: &str = "mutation ($events: [PlayerEventInput!]!, $sentAt: DateTime) {
    recordPlayerEvents(events: $events, sentAt: $sentAt) { eventId duplicate error { code reason field message } } }";

/// The endpoints that accept several events at once.
#[derive(Clone, Copy, Debug)]
enum Endpoint {
    Graphql,
    Rest,
}

impl RecordingFixture {
    /// Sends these events from a clock that shows `sent_at`. Returns the results.
    async fn send_at(&self, endpoint: Endpoint, sent_at: DateTime<Utc>, events: Value) -> Vec<Value> {
        let results = match endpoint {
            Endpoint::Graphql => {
                let variables = json!({"events": events, "sentAt": sent_at});
                let request = self.hub.graphql(EVENTS).by(&self.student.token).variables(variables);
                request.data().await["recordPlayerEvents"].take()
            }
            Endpoint::Rest => {
                let token = self.hub.player_token(self.student.id);
                let body = json!({"token": token, "sentAt": sent_at, "events": events});
                let request = self.hub.http.post(self.hub.url("/api/video/progress"));
                let request = request.header("content-type", "text/plain").body(body.to_string());
                request.send().await.unwrap().json::<Value>().await.unwrap()["results"].take()
            }
        };
        serde_json::from_value(results).unwrap()
    }

    /// The ages of the stored events in seconds before [`NOW`], in the order of their ids.
    async fn ages(&self) -> Value {
        let now = NOW.timestamp();
        let ages = format!(
            "SELECT json_agg({now} - extract(epoch FROM recorded_at)::bigint ORDER BY id) AS ages \
             FROM video_player_events"
        );
        self.hub.rows(&ages).await[0]["ages"].take()
    }
}

#[tokio::test]
async fn times_are_corrected_by_the_difference_of_the_clocks() {
    let hour = 3600;
    for endpoint in [Endpoint::Graphql, Endpoint::Rest] {
        let fixture = RecordingFixture::new().await;
        // How far the clock is ahead, and the stored age of the event, both in seconds.
        for (seconds_ahead, age) in [
            (2 * hour, 90),
            (121, 90),
            (22 * hour, 90),
            (-2 * hour, 90),
            (-22 * hour, 90),
            (0, 90),
            // Small differences may come from the transfer time and are not corrected.
            (-4, 94),
            (4, 86),
            // Differences of more than a day are not corrected.
            (-25 * hour, 25 * hour + 90),
        ] {
            let sent_at = NOW + TimeDelta::seconds(seconds_ahead);
            let event = fixture.event(json!({"recordedAt": sent_at - TimeDelta::seconds(90)}));
            let results = fixture.send_at(endpoint, sent_at, json!([event])).await;
            assert!(results[0]["error"].is_null(), "{endpoint:?} {seconds_ahead} s ahead: {results:?}");
            assert_eq!(fixture.ages().await, json!([age]), "{endpoint:?} {seconds_ahead} s ahead");
            fixture.hub.sql("DELETE FROM video_player_events").await;
        }
    }
}

#[tokio::test]
async fn events_that_waited_offline_keep_their_order_and_intervals() {
    for endpoint in [Endpoint::Graphql, Endpoint::Rest] {
        let fixture = RecordingFixture::new().await;
        let ages = [20 * 86_400, 3 * 86_400 + 5, 3 * 86_400, 60, 0];
        for seconds_ahead in [2 * 3600, -2 * 3600] {
            let sent_at = NOW + TimeDelta::seconds(seconds_ahead);
            let time = |age: &i64| sent_at - TimeDelta::seconds(*age);
            let events: Vec<Value> =
                ages.iter().map(|age| fixture.event(json!({"recordedAt": time(age)}))).collect();
            fixture.send_at(endpoint, sent_at, json!(events)).await;
            assert_eq!(fixture.ages().await, json!(ages), "{endpoint:?} {seconds_ahead} s ahead");
            fixture.hub.sql("DELETE FROM video_player_events").await;
        }
    }
}

#[tokio::test]
async fn corrected_times_have_the_same_limits() {
    for endpoint in [Endpoint::Graphql, Endpoint::Rest] {
        let fixture = RecordingFixture::new().await;
        let sent_at = NOW + TimeDelta::hours(2);
        let event_aged = |age: TimeDelta| fixture.event(json!({"recordedAt": sent_at - age}));
        let events = [
            event_aged(TimeDelta::days(30)),
            event_aged(TimeDelta::days(30) + TimeDelta::seconds(1)),
            // Recorded after it was sent.
            event_aged(TimeDelta::seconds(-119)),
            event_aged(TimeDelta::seconds(-121)),
        ];
        let results = fixture.send_at(endpoint, sent_at, json!(events)).await;
        assert_eq!(error_of(&results[1]), ("BAD_USER_INPUT", "TOO_OLD", "recordedAt"), "{endpoint:?}");
        assert_eq!(error_of(&results[3]), ("BAD_USER_INPUT", "IN_THE_FUTURE", "recordedAt"), "{endpoint:?}");
        assert_eq!(fixture.ages().await, json!([30 * 86_400, 0]), "{endpoint:?}");
        // A difference of more than a day is not corrected.
        let sent_at = NOW + TimeDelta::days(365);
        let results =
            fixture.send_at(endpoint, sent_at, json!([fixture.event(json!({"recordedAt": sent_at}))])).await;
        assert_eq!(error_of(&results[0]), ("BAD_USER_INPUT", "IN_THE_FUTURE", "recordedAt"), "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_retry_with_another_clock_is_still_a_duplicate() {
    let fixture = RecordingFixture::new().await;
    let event = fixture.event(json!({"recordedAt": NOW + TimeDelta::hours(2) - TimeDelta::seconds(90)}));
    let first = fixture.send_at(Endpoint::Graphql, NOW + TimeDelta::hours(2), json!([event])).await;
    // The same clock through the other endpoint, and clocks that are further ahead.
    for (endpoint, hours) in [(Endpoint::Rest, 2), (Endpoint::Graphql, 3), (Endpoint::Rest, 20)] {
        let again = fixture.send_at(endpoint, NOW + TimeDelta::hours(hours), json!([event])).await;
        assert_eq!(
            (&again[0]["eventId"], &again[0]["duplicate"]),
            (&first[0]["eventId"], &json!(true)),
            "{hours} h ahead"
        );
    }
    assert_eq!(fixture.ages().await, json!([90]));
}

#[tokio::test]
async fn progress_reports_are_corrected_too() {
    let fixture = RecordingFixture::new().await;
    let sent_at = NOW + TimeDelta::hours(2);
    let clock = json!({"sentAt": sent_at, "recordedAt": sent_at - TimeDelta::seconds(30)});
    let progress = fixture.report_progress(60, clock.clone()).await;
    assert_eq!(progress["updatedAt"], (NOW - TimeDelta::seconds(30)).to_rfc3339());
    let report = json!({"lessonId": fixture.lesson.id, "source": "VIMEO", "lastSecond": 70});
    let request =
        fixture.hub.http.post(fixture.hub.url("/api/video/progress")).bearer_auth(&fixture.student.token);
    let response = request.json(&with(report, clock)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(fixture.ages().await, json!([30, 30]));
}

#[tokio::test]
async fn an_invalid_sent_at_is_refused() {
    let fixture = RecordingFixture::new().await;
    let events = json!([fixture.event(json!({}))]);
    let variables = json!({"events": events, "sentAt": "yesterday"});
    let response = fixture.hub.graphql(EVENTS).by(&fixture.student.token).variables(variables).send().await;
    assert_eq!(response.code(), "BAD_USER_INPUT");
    assert_eq!(response.body["errors"][0]["extensions"]["field"], "sentAt");

    let report =
        json!({"lessonId": fixture.lesson.id, "source": "VIMEO", "lastSecond": 1, "sentAt": "yesterday"});
    let response = fixture.report(report.clone()).send().await;
    assert_eq!(response.body["errors"][0]["extensions"]["field"], "input.sentAt");

    for body in
        [json!({"sentAt": "yesterday", "events": events}), json!({"sentAt": 7, "events": events}), report]
    {
        let request = fixture.hub.http.post(fixture.hub.url("/api/video/progress"));
        let response = request.bearer_auth(&fixture.student.token).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 422, "{body}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(
            problem["errors"].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["sentAt"],
            "{problem}"
        );
    }
    assert_eq!(fixture.count_events("true").await, 0);
}
