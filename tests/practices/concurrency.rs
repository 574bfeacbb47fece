//! Many clients at once: seats and sessions are never sold twice, and no event is applied twice.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::{Platform, cancelled, consumed, escalated, purchased, reserved};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_many_reserves_the_last_seat() {
    let platform = Platform::start().await;
    for round in 0..20 {
        platform.hub.sql("DELETE FROM discord_practice_reservations").await;
        let clients = (101..=108).map(|user| platform.publish(json!([reserved(36, user, json!({}))])));
        let results = join_all(clients).await;
        let applied = results.iter().filter(|results| results[0]["applied"] == true).count();
        let full = results.iter().filter(|results| results[0]["error"]["reason"] == "PRACTICE_FULL").count();
        assert_eq!((applied, full), (1, 7), "round {round}: {results:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_many_send_at_once_is_applied_once() {
    let platform = Platform::start().await;
    let order = platform.order(101, 21, 50).await;
    for event in [
        reserved(31, 101, json!({})),
        purchased(21, 101, json!({})),
        purchased(21, 101, json!({"orderId": "71"})),
        consumed(&order, json!({})),
        escalated(11, &[1], json!({})),
        cancelled(31, 101, json!({})),
    ] {
        let results = join_all((0..8).map(|_| platform.publish(json!([event])))).await;
        let count = |field: &str| results.iter().filter(|results| results[0][field] == true).count();
        assert_eq!((count("applied"), count("duplicate")), (1, 7), "{results:?}");
    }
    assert_eq!(platform.count("SELECT count(*) FROM platform_events").await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_many_buy_at_once_is_bought_once() {
    let platform = Platform::start().await;
    for order in 71..=80 {
        let order = order.to_string();
        let buy = |user| {
            platform
                .publish(json!([purchased(21, user, json!({"orderId": order})), consumed(&order, json!({}))]))
        };
        let results = join_all((101..=108).map(buy)).await;
        let bought = results.iter().filter(|results| results[0]["applied"] == true).count();
        assert_eq!(bought, 1, "{results:?}");
        let others =
            results.iter().filter(|results| results[0]["error"]["reason"] == "ORDER_OF_ANOTHER_USER");
        assert_eq!(others.count(), 7);
    }
    assert_eq!(platform.count(INVARIANTS).await, 0);
}

/// The number of violated invariants, which is zero at any time.
const INVARIANTS: &str = "\
    SELECT (SELECT count(*) FROM discord_practices AS practice WHERE capacity < ( \
            SELECT count(*) FROM discord_practice_reservations WHERE practice_id = practice.id AND status <> 'cancelled')) \
        + abs((SELECT count(*) FROM platform_events WHERE kind = 'practice_package_purchased') \
            - (SELECT count(*) FROM practice_package_orders WHERE purchase_recorded_at IS NOT NULL)) \
        + (SELECT count(*) FROM practice_package_orders AS orders \
            JOIN practice_packages AS pack ON pack.id = practice_package_id \
            WHERE sessions_count - sessions_remaining <> (SELECT count(*) FROM student_activity_snapshots \
                WHERE category = 'practice_pack_consumption' AND (payload ->> 'order_id')::bigint = orders.id)) \
        + (SELECT count(*) FROM student_activity_snapshots AS snapshot \
            JOIN practice_package_orders AS orders ON orders.id = (payload ->> 'order_id')::bigint \
            WHERE snapshot.user_id <> orders.user_id OR snapshot.practice_package_id <> orders.practice_package_id) \
        + (SELECT count(*) FROM discord_practice_reservations AS seat WHERE NOT EXISTS ( \
            SELECT FROM student_activity_snapshots WHERE category = 'practice_reservation' \
                AND (payload ->> 'reservation_id')::bigint = seat.id AND user_id = seat.user_id)) \
        + (SELECT count(*) FROM platform_events WHERE cardinality(snapshot_ids) <> \
            CASE kind WHEN 'reservation_cancelled' THEN 0 WHEN 'practice_request_escalated' THEN 2 ELSE 1 END) \
        + abs((SELECT count(*) FROM platform_events WHERE kind IN ( \
            'practice_reserved', 'practice_package_purchased', 'practice_session_consumed')) \
            - (SELECT count(*) FROM student_activity_snapshots)) \
        + abs(2 * (SELECT count(*) FROM platform_events WHERE kind = 'practice_request_escalated') \
            - (SELECT count(*) FROM teacher_activity_snapshots))";

fn random_event(rng: &mut StdRng) -> Value {
    let practice = *[31, 32, 33, 36].choose(rng).unwrap();
    let user = rng.random_range(101..=108);
    let order = rng.random_range(81..=86).to_string();
    match rng.random_range(0..20) {
        0..8 => reserved(practice, user, json!({})),
        8..12 => cancelled(practice, user, json!({})),
        12..15 => purchased(rng.random_range(21..=22), user, json!({ "orderId": order })),
        15..19 => consumed(&order, json!({})),
        _ => escalated(11, &[1, 2], json!({})),
    }
}

/// The id of an event.
fn id_of(event: &Value) -> String {
    let content = event.as_object().unwrap().values().next().unwrap();
    content["eventId"].as_str().unwrap().to_owned()
}

/// Eight clients send the same events, each in its own order, in calls of different sizes, and some of them twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_events_of_eight_clients_keep_the_invariants() {
    for seed in 0..6 {
        let platform = Platform::start().await;
        let mut rng = StdRng::seed_from_u64(seed);
        let events: Vec<Value> = (0..60).map(|_| random_event(&mut rng)).collect();
        let clients = (0..8).map(|client| {
            let (platform, events) = (&platform, &events);
            async move {
                let mut rng = StdRng::seed_from_u64(seed * 100 + client);
                let mut results = Vec::new();
                for _ in 0..12 {
                    let size = *[1, 2, 5, 20].choose(&mut rng).unwrap();
                    let call: Vec<Value> =
                        (0..size).map(|_| events.choose(&mut rng).unwrap().clone()).collect();
                    let outcomes = platform.publish(Value::Array(call.clone())).await;
                    results.extend(call.iter().map(id_of).zip(outcomes));
                }
                results
            }
        });
        let all_sent = join_all(clients);
        let watched = async {
            let mut checks = 0;
            let client = platform.hub.database.client().await;
            loop {
                let broken: i64 = client.query_one(INVARIANTS, &[]).await.unwrap().get(0);
                assert_eq!(broken, 0, "seed {seed}");
                checks += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
                if checks > 10_000 {
                    break;
                }
            }
        };
        let results = tokio::select! {
            results = all_sent => results,
            () = watched => panic!("the clients take too long"),
        };
        assert_eq!(platform.count(INVARIANTS).await, 0);
        let mut applied: HashMap<String, Vec<Value>> = HashMap::new();
        for (id, result) in results.into_iter().flatten() {
            if result["error"].is_null() {
                applied.entry(id).or_default().push(result);
            }
        }
        for (id, results) in &applied {
            let first = results.iter().filter(|result| result["applied"] == true).count();
            assert_eq!(first, 1, "{id} is applied once");
            assert!(results.iter().all(|result| result["snapshotIds"] == results[0]["snapshotIds"]));
        }
        let recorded = platform.count("SELECT count(*) FROM platform_events").await;
        assert_eq!(usize::try_from(recorded).unwrap(), applied.len());
    }
}

#[tokio::test]
async fn a_practice_that_others_have_locked_is_waited_for_only_for_a_while() {
    let platform = Platform::start().await;
    let mut blocker = platform.hub.database.client().await;
    let transaction = blocker.transaction().await.unwrap();
    transaction.execute("SELECT FROM discord_practices WHERE id = 31 FOR UPDATE", &[]).await.unwrap();
    let started = Instant::now();
    // Events of other practices do not wait.
    platform.apply(reserved(36, 101, json!({}))).await;
    let response =
        platform.send(&json!([reserved(36, 102, json!({})), reserved(31, 101, json!({}))])).send().await;
    let extensions = &response.body["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["retryAfterSeconds"]), (&json!("RATE_LIMITED"), &json!(5)));
    assert!(started.elapsed() < Duration::from_secs(8));
    transaction.rollback().await.unwrap();
    platform.apply(reserved(31, 101, json!({}))).await;
    assert_eq!(platform.count("SELECT count(*) FROM platform_events").await, 2);
}

/// A constraint of the operator's refuses one row.
#[tokio::test]
async fn an_event_that_the_database_refuses_fails_alone() {
    let platform = Platform::start().await;
    platform
        .hub
        .sql(
            "ALTER TABLE discord_practice_reservations ADD CONSTRAINT operators_own CHECK (user_id <> 102) NOT VALID",
        )
        .await;
    let refused = reserved(31, 102, json!({}));
    let others = [purchased(21, 101, json!({})), reserved(31, 103, json!({}))];
    let results = platform.publish(json!([refused, others[0], others[1]])).await;
    assert_eq!(super::refusal(&results[0]), "INTERNAL FAILED ");
    assert_eq!((&results[1]["applied"], &results[2]["applied"]), (&json!(true), &json!(true)));
    platform.hub.sql("ALTER TABLE discord_practice_reservations DROP CONSTRAINT operators_own").await;
    platform.apply(refused).await;
}
