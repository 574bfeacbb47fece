//! A viewer's clock that is wrong neither loses their events nor dates them wrongly.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Classroom, refusal, with};
use crate::harness::hub::NOW;

const EVENTS: &str = "mutation ($events: [PlayerEventInput!]!, $sentAt: DateTime) {
    recordPlayerEvents(events: $events, sentAt: $sentAt) { eventId duplicate error { code reason field message } } }";

/// The ways in for several events at once.
#[derive(Clone, Copy, Debug)]
enum Way {
    Graphql,
    Rest,
}

impl Classroom {
    /// Sends these events by a clock that shows `sent_at`, and answers with the results.
    async fn send_at(&self, way: Way, sent_at: DateTime<Utc>, events: Value) -> Vec<Value> {
        let results = match way {
            Way::Graphql => {
                let variables = json!({"events": events, "sentAt": sent_at});
                let ask = self.hub.graphql(EVENTS).by(&self.student.token).variables(variables);
                ask.data().await["recordPlayerEvents"].take()
            }
            Way::Rest => {
                let token = self.hub.player_token(self.student.id);
                let body = json!({"token": token, "sentAt": sent_at, "events": events});
                let request = self.hub.http.post(self.hub.url("/api/video/progress"));
                let request = request.header("content-type", "text/plain").body(body.to_string());
                request.send().await.unwrap().json::<Value>().await.unwrap()["results"].take()
            }
        };
        serde_json::from_value(results).unwrap()
    }

    /// How many seconds before [`NOW`] the stored events happened, in the order in which they were stored.
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
async fn events_happened_as_long_before_they_arrived_as_before_they_were_sent() {
    let hour = 3600;
    for way in [Way::Graphql, Way::Rest] {
        let class = Classroom::open().await;
        // By how much the clock is fast, and how old an event stored by it then is.
        for (fast, age) in [
            (2 * hour, 90),
            (121, 90),
            (22 * hour, 90),
            (-2 * hour, 90),
            (-22 * hour, 90),
            (0, 90),
            // As long as a request may be on its way.
            (-4, 94),
            (4, 86),
            // Further off than is believed.
            (-25 * hour, 25 * hour + 90),
        ] {
            let sent_at = NOW + TimeDelta::seconds(fast);
            let event = class.event(json!({"recordedAt": sent_at - TimeDelta::seconds(90)}));
            let results = class.send_at(way, sent_at, json!([event])).await;
            assert!(results[0]["error"].is_null(), "{way:?} {fast} s fast: {results:?}");
            assert_eq!(class.ages().await, json!([age]), "{way:?} {fast} s fast");
            class.hub.sql("DELETE FROM video_player_events").await;
        }
    }
}

#[tokio::test]
async fn what_waited_offline_for_days_keeps_its_order_and_its_distances_whatever_the_clock() {
    for way in [Way::Graphql, Way::Rest] {
        let class = Classroom::open().await;
        let ages = [20 * 86_400, 3 * 86_400 + 5, 3 * 86_400, 60, 0];
        for fast in [2 * 3600, -2 * 3600] {
            let sent_at = NOW + TimeDelta::seconds(fast);
            let moment = |age: &i64| sent_at - TimeDelta::seconds(*age);
            let events: Vec<Value> =
                ages.iter().map(|age| class.event(json!({"recordedAt": moment(age)}))).collect();
            class.send_at(way, sent_at, json!(events)).await;
            assert_eq!(class.ages().await, json!(ages), "{way:?} {fast} s fast");
            class.hub.sql("DELETE FROM video_player_events").await;
        }
    }
}

#[tokio::test]
async fn a_corrected_time_is_held_to_the_same_limits() {
    for way in [Way::Graphql, Way::Rest] {
        let class = Classroom::open().await;
        let sent_at = NOW + TimeDelta::hours(2);
        let at = |age: TimeDelta| class.event(json!({"recordedAt": sent_at - age}));
        let events = [
            at(TimeDelta::days(30)),
            at(TimeDelta::days(30) + TimeDelta::seconds(1)),
            // After it was sent.
            at(TimeDelta::seconds(-119)),
            at(TimeDelta::seconds(-121)),
        ];
        let results = class.send_at(way, sent_at, json!(events)).await;
        assert_eq!(refusal(&results[1]), ("BAD_USER_INPUT", "TOO_OLD", "recordedAt"), "{way:?}");
        assert_eq!(refusal(&results[3]), ("BAD_USER_INPUT", "IN_THE_FUTURE", "recordedAt"), "{way:?}");
        assert_eq!(class.ages().await, json!([30 * 86_400, 0]), "{way:?}");
        // A clock that is further off than is believed counts as it is.
        let sent_at = NOW + TimeDelta::days(365);
        let results = class.send_at(way, sent_at, json!([class.event(json!({"recordedAt": sent_at}))])).await;
        assert_eq!(refusal(&results[0]), ("BAD_USER_INPUT", "IN_THE_FUTURE", "recordedAt"), "{way:?}");
    }
}

#[tokio::test]
async fn the_first_recording_wins_whatever_the_clock_shows_at_a_retry() {
    let class = Classroom::open().await;
    let event = class.event(json!({"recordedAt": NOW + TimeDelta::hours(2) - TimeDelta::seconds(90)}));
    let first = class.send_at(Way::Graphql, NOW + TimeDelta::hours(2), json!([event])).await;
    // The clock was put right, went wrong the other way, or shows the time of the event.
    for (way, hours) in [(Way::Rest, 2), (Way::Graphql, 3), (Way::Rest, 20)] {
        let again = class.send_at(way, NOW + TimeDelta::hours(hours), json!([event])).await;
        assert_eq!(
            (&again[0]["eventId"], &again[0]["duplicate"]),
            (&first[0]["eventId"], &json!(true)),
            "{hours} h fast"
        );
    }
    assert_eq!(class.ages().await, json!([90]));
}

#[tokio::test]
async fn a_report_of_progress_is_corrected_too() {
    let class = Classroom::open().await;
    let sent_at = NOW + TimeDelta::hours(2);
    let clock = json!({"sentAt": sent_at, "recordedAt": sent_at - TimeDelta::seconds(30)});
    let progress = class.progress(60, clock.clone()).await;
    assert_eq!(progress["updatedAt"], (NOW - TimeDelta::seconds(30)).to_rfc3339());
    let report = json!({"lessonId": class.lesson.id, "source": "VIMEO", "lastSecond": 70});
    let request = class.hub.http.post(class.hub.url("/api/video/progress")).bearer_auth(&class.student.token);
    let answer = request.json(&with(report, clock)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(class.ages().await, json!([30, 30]));
}

#[tokio::test]
async fn a_sent_at_that_is_no_moment_is_refused_by_name() {
    let class = Classroom::open().await;
    let events = json!([class.event(json!({}))]);
    let variables = json!({"events": events, "sentAt": "yesterday"});
    let answer = class.hub.graphql(EVENTS).by(&class.student.token).variables(variables).send().await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert_eq!(answer.body["errors"][0]["extensions"]["field"], "sentAt");

    let report =
        json!({"lessonId": class.lesson.id, "source": "VIMEO", "lastSecond": 1, "sentAt": "yesterday"});
    let answer = class.report(report.clone()).send().await;
    assert_eq!(answer.body["errors"][0]["extensions"]["field"], "input.sentAt");

    for body in
        [json!({"sentAt": "yesterday", "events": events}), json!({"sentAt": 7, "events": events}), report]
    {
        let request = class.hub.http.post(class.hub.url("/api/video/progress"));
        let answer = request.bearer_auth(&class.student.token).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 422, "{body}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(
            problem["errors"].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["sentAt"],
            "{problem}"
        );
    }
    assert_eq!(class.count("true").await, 0);
}
