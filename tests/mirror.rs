//! Mirroring rows of the learning platform: rows are stored by ID, and every error has its position.

mod concurrency;
mod permissions;

use domain::Role;
use serde_json::{Value, json};

use crate::harness::hub::{Hub, TestUser};

/// A hub and a service user that mirrors rows into it.
struct Mirror {
    hub: Hub,
    service: TestUser,
}

impl Mirror {
    async fn start() -> Self {
        let hub = Hub::start().await;
        let service = hub.user(Role::Service).await;
        Self { hub, service }
    }

    /// Sends rows with a mutation and its input type, and returns the response.
    async fn send(&self, mutation: &str, input_type: &str, input: Value) -> Value {
        let query = format!("mutation ($input: [{input_type}!]!) {{ {mutation}(input: $input) }}");
        let response = self.hub.graphql(&query).by(&self.service.token).variables(json!({ "input": input }));
        response.send().await.body
    }

    /// Sends rows that must be accepted, and returns how many were written.
    async fn send_valid(&self, mutation: &str, input_type: &str, input: Value) -> Value {
        let response = self.send(mutation, input_type, input).await;
        assert!(response["errors"].is_null(), "{response}");
        response["data"][mutation].clone()
    }

    /// Sends rows that must be rejected, and returns the invalid fields.
    async fn send_invalid(&self, mutation: &str, input_type: &str, input: Value) -> Vec<String> {
        let response = self.send(mutation, input_type, input).await;
        let extensions = &response["errors"][0]["extensions"];
        assert_eq!(extensions["code"], "BAD_USER_INPUT", "{response}");
        let fields = extensions["fields"].as_array().unwrap_or_else(|| panic!("{response}"));
        fields.iter().map(|invalid| invalid["field"].as_str().unwrap().to_owned()).collect()
    }

    async fn send_users(&self, input: Value) -> Value {
        self.send_valid("mirrorUsers", "UserInput", input).await
    }

    /// A hub with a teacher (1), a student (2), a course (1) with a lesson (1), and a pack (1).
    async fn with_an_academy() -> Self {
        let mirror = Self::start().await;
        mirror.send_users(json!([user(1, "TEACHER"), user(2, "STUDENT")])).await;
        let course = json!({"id": "1", "slug": "algebra", "titles": {"es": "Álgebra"}});
        mirror.send_valid("mirrorCourses", "CourseInput", json!([course])).await;
        let lesson = json!({"id": "1", "courseId": "1", "title": "Grupos"});
        mirror.send_valid("mirrorLessons", "LessonInput", json!([lesson])).await;
        mirror.send_valid("mirrorPracticePackages", "PracticePackageInput", json!([pack()])).await;
        mirror
    }
}

fn user(id: i64, role: &str) -> Value {
    json!({"id": id.to_string(), "name": format!("Persona {id}"), "email": format!("p{id}@platform.example"), "role": role})
}

fn pack() -> Value {
    json!({
        "id": "1", "creatorId": "1", "lessonId": "1", "title": "Cuatro sesiones", "sessionsCount": 4,
        "priceAmount": "49.9", "priceCurrency": "eur", "status": "active"
    })
}

fn order() -> Value {
    json!({
        "id": "1", "practicePackageId": "1", "userId": "2", "status": "paid", "sessionsRemaining": 4,
        "createdAt": "2026-11-16T09:00:00Z"
    })
}

fn submission(status: &str) -> Value {
    json!({
        "id": "1", "teacherId": "1", "courseId": "1", "type": "lesson", "title": "Anillos", "status": status,
        "createdAt": "2026-11-16T09:00:00Z"
    })
}

/// Returns the object with some fields changed.
fn with(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    object.as_object_mut().unwrap().extend(changes);
    object
}

#[tokio::test]
async fn unchanged_rows_are_not_written_again() {
    let mirror = Mirror::start().await;
    let users = json!([user(1, "STUDENT"), user(2, "TEACHER")]);
    assert_eq!(mirror.send_users(users.clone()).await, 2);
    mirror.hub.clock.advance(chrono::TimeDelta::minutes(5));
    assert_eq!(mirror.send_users(users).await, 0);
    let renamed = with(user(2, "TEACHER"), json!({"name": "Eva"}));
    assert_eq!(mirror.send_users(json!([user(1, "STUDENT"), renamed])).await, 1);
    let rows = mirror
        .hub.rows("SELECT id, name, extract(epoch FROM updated_at - created_at)::int AS age FROM users WHERE id < 9 ORDER BY id")
        .await;
    let expected = json!([{"id": 1, "name": "Persona 1", "age": 0}, {"id": 2, "name": "Eva", "age": 300}]);
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn all_errors_are_reported_at_once_by_index_and_field() {
    let mirror = Mirror::start().await;
    let invalid = json!([
        user(1, "STUDENT"),
        {"id": "zero", "name": " ", "email": "nobody", "role": "STUDENT"},
        with(user(3, "STUDENT"), json!({"name": "n\u{0}", "email": "P1@Platform.example"})),
        user(1, "TEACHER"),
    ]);
    let fields = mirror.send_invalid("mirrorUsers", "UserInput", invalid).await;
    let expected =
        ["input[1].id", "input[1].name", "input[1].email", "input[2].name", "input[3].id", "input[3].email"];
    assert_eq!(fields, expected);
    assert_eq!(mirror.hub.rows("SELECT id FROM users WHERE id < 9").await, json!([]));
}

#[tokio::test]
async fn a_call_accepts_at_most_a_thousand_rows() {
    let mirror = Mirror::start().await;
    let users: Vec<Value> = (1..=1001).map(|id| user(id, "STUDENT")).collect();
    assert_eq!(mirror.send_users(json!(users[..1000])).await, 1000);
    assert_eq!(mirror.send_invalid("mirrorUsers", "UserInput", json!(users)).await, ["input"]);
    assert_eq!(mirror.send_users(json!([])).await, 0);
}

#[tokio::test]
async fn an_email_belongs_to_one_user_but_may_be_swapped_in_a_call() {
    let mirror = Mirror::start().await;
    mirror.send_users(json!([user(1, "STUDENT"), user(2, "STUDENT")])).await;
    let with_email_of =
        |id, owner| with(user(id, "STUDENT"), json!({"email": format!("P{owner}@platform.example")}));
    let fields = mirror
        .send_invalid("mirrorUsers", "UserInput", json!([user(1, "STUDENT"), with_email_of(3, 2)]))
        .await;
    assert_eq!(fields, ["input[1].email"]);
    assert_eq!(mirror.send_users(json!([with_email_of(1, 2), with_email_of(2, 1)])).await, 2);
    let addresses = "SELECT id, email FROM users WHERE id < 9 ORDER BY id";
    let expected =
        json!([{"id": 1, "email": "P2@platform.example"}, {"id": 2, "email": "P1@platform.example"}]);
    assert_eq!(mirror.hub.rows(addresses).await, expected);

    // A service may not do this if one of the users has a password here.
    mirror.hub.sql("UPDATE users SET password_hash = 'hash' WHERE id = 1").await;
    let response =
        mirror.send("mirrorUsers", "UserInput", json!([with_email_of(1, 1), with_email_of(2, 2)])).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "FORBIDDEN", "{response}");
    assert_eq!(mirror.hub.rows(addresses).await, expected);
}

#[tokio::test]
async fn passwords_locales_and_omitted_permissions_are_preserved() {
    let mirror = Mirror::start().await;
    let mirror = Mirror { service: mirror.hub.user(Role::Admin).await, ..mirror };
    let granted = with(user(1, "TEACHER_ADMIN"), json!({"permissions": ["MANAGE_SETTINGS"]}));
    mirror.send_users(json!([granted])).await;
    mirror.hub.sql("UPDATE users SET password_hash = 'hash', locale = 'en' WHERE id = 1").await;
    mirror.send_users(json!([with(user(1, "TEACHER_ADMIN"), json!({"name": "Ana"}))])).await;
    let preserved_columns = "SELECT manage_settings, password_hash, locale FROM users WHERE id = 1";
    let kept = json!([{"manage_settings": true, "password_hash": "hash", "locale": "en"}]);
    assert_eq!(mirror.hub.rows(preserved_columns).await, kept);
    assert_eq!(
        mirror.send_users(json!([with(user(1, "TEACHER_ADMIN"), json!({"permissions": []}))])).await,
        1
    );
    assert_eq!(mirror.hub.rows(preserved_columns).await[0]["manage_settings"], false);
}

#[tokio::test]
async fn deactivating_a_user_ends_all_their_sessions() {
    let mirror = Mirror::start().await;
    let student = mirror.hub.user(Role::Student).await;
    mirror.hub.sql(&format!("UPDATE users SET password_hash = NULL WHERE id = {}", student.id)).await;
    let sent = |active: bool| with(user(student.id, "STUDENT"), json!({"active": active}));
    mirror.send_users(json!([sent(false)])).await;
    mirror.send_users(json!([sent(true)])).await;
    assert_eq!(mirror.hub.graphql("{ viewer { id } }").by(&student.token).code().await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_last_active_admin_cannot_be_demoted() {
    let mirror = Mirror::start().await;
    let admin = mirror.hub.user(Role::Admin).await;
    let id = admin.id;
    let mirror = Mirror { service: admin, ..mirror };
    mirror.send_users(json!([user(1, "ADMIN"), user(2, "ADMIN")])).await;
    mirror.send_users(json!([user(1, "STUDENT"), with(user(2, "ADMIN"), json!({"active": false}))])).await;
    let demoted = json!([user(id, "STUDENT")]);
    let response = mirror.send("mirrorUsers", "UserInput", demoted).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "CONFLICT", "{response}");
}

#[tokio::test]
async fn erased_users_stay_erased() {
    let mirror = Mirror::start().await;
    mirror.send_users(json!([user(1, "STUDENT")])).await;
    mirror.hub.sql("UPDATE users SET name = 'x', email = 'erased-1', erased_at = now() WHERE id = 1").await;
    assert_eq!(mirror.send_users(json!([user(1, "STUDENT")])).await, 0);
}

#[tokio::test]
async fn slugs_are_unique_and_titles_are_keyed_by_language() {
    let mirror = Mirror::with_an_academy().await;
    let course = |slug: &str, titles| json!([{"id": "2", "slug": slug, "titles": titles}]);
    for (slug, titles, field) in [
        ("algebra", json!({"es": "Otra"}), "input[0].slug"),
        ("dos palabras", json!({"es": "Otra"}), "input[0].slug"),
        ("otra", json!({}), "input[0].titles"),
        ("otra", json!({"es": " "}), "input[0].titles"),
        ("otra", json!(["Otra"]), "input[0].titles"),
    ] {
        let fields = mirror.send_invalid("mirrorCourses", "CourseInput", course(slug, titles)).await;
        assert_eq!(fields, [field], "{slug}");
    }
    let swapped = json!([
        {"id": "2", "slug": "algebra", "titles": {"es": "Otra"}},
        {"id": "1", "slug": "algebra-1", "titles": {"es": "Álgebra"}},
    ]);
    assert_eq!(mirror.send_valid("mirrorCourses", "CourseInput", swapped).await, 2);
}

#[tokio::test]
async fn referenced_rows_must_exist() {
    let mirror = Mirror::with_an_academy().await;
    let lesson = json!([{"id": "9", "courseId": "404", "title": "x"}]);
    assert_eq!(mirror.send_invalid("mirrorLessons", "LessonInput", lesson).await, ["input[0].courseId"]);
    let dangling = json!([
        with(pack(), json!({"id": "8", "creatorId": "404"})),
        with(pack(), json!({"id": "9", "lessonId": "404"})),
    ]);
    let fields = mirror.send_invalid("mirrorPracticePackages", "PracticePackageInput", dangling).await;
    assert_eq!(fields, ["input[0].creatorId", "input[1].lessonId"]);
    let dangling = json!([with(order(), json!({"practicePackageId": "404", "userId": "405"}))]);
    let fields =
        mirror.send_invalid("mirrorPracticePackageOrders", "PracticePackageOrderInput", dangling).await;
    assert_eq!(fields, ["input[0].practicePackageId", "input[0].userId"]);
}

#[tokio::test]
async fn amounts_dates_and_enum_values_are_validated() {
    let mirror = Mirror::with_an_academy().await;
    let invalid = with(pack(), json!({"priceAmount": "1e3", "priceCurrency": "EURO", "sessionsCount": 0}));
    let fields =
        mirror.send_invalid("mirrorPracticePackages", "PracticePackageInput", json!([invalid])).await;
    assert_eq!(fields, ["input[0].sessionsCount", "input[0].priceAmount", "input[0].priceCurrency"]);
    let invalid = json!([with(
        order(),
        json!({"status": "lost", "sessionsRemaining": -1, "paidAt": "yesterday", "meta": {"a": "\u{0}"}}),
    )]);
    let fields =
        mirror.send_invalid("mirrorPracticePackageOrders", "PracticePackageOrderInput", invalid).await;
    let expected = ["input[0].status", "input[0].sessionsRemaining", "input[0].paidAt", "input[0].meta"];
    assert_eq!(fields, expected);
    let nested = |levels: usize| {
        let meta = (0..levels).fold(json!(1), |meta, _| json!([meta]));
        json!([with(order(), json!({"meta": meta}))])
    };
    let too_deep =
        mirror.send_invalid("mirrorPracticePackageOrders", "PracticePackageOrderInput", nested(65));
    assert_eq!(too_deep.await, ["input[0].meta"]);
    let deep = mirror.send_valid("mirrorPracticePackageOrders", "PracticePackageOrderInput", nested(64));
    assert_eq!(deep.await, 1);

    let price = mirror.hub.rows("SELECT price_amount::text, price_currency FROM practice_packages").await;
    assert_eq!(price, json!([{"price_amount": "49.90", "price_currency": "EUR"}]));
    let written =
        mirror.send_valid("mirrorPracticePackageOrders", "PracticePackageOrderInput", json!([order()]));
    assert_eq!(written.await, 1);
}

#[tokio::test]
async fn a_practice_without_an_end_gets_the_default_duration() {
    let mirror = Mirror::with_an_academy().await;
    let practice = json!({
        "id": "1", "lessonId": "1", "title": "Práctica", "startAt": "2026-11-16T19:00:00+01:00",
        "meetingToken": "opens the room"
    });
    let sent = json!([practice]);
    let written = mirror.send_valid("mirrorDiscordPractices", "DiscordPracticeInput", sent);
    assert_eq!(written.await, 1);
    let stored = mirror
        .hub.rows(
            "SELECT type, status, to_char(end_at, 'HH24:MI') AS \"end\", duration_minutes, capacity, requires_package, \
             meeting_token FROM discord_practices",
        )
        .await;
    let expected = json!([{
        "type": "cohort", "status": "scheduled", "end": "19:00", "duration_minutes": 60, "capacity": 12,
        "requires_package": false, "meeting_token": "opens the room"
    }]);
    assert_eq!(stored, expected);
    let ends_early = json!([with(practice, json!({"endAt": "2026-11-16T17:00:00Z"}))]);
    let fields = mirror.send_invalid("mirrorDiscordPractices", "DiscordPracticeInput", ends_early).await;
    assert_eq!(fields, ["input[0].endAt"]);
}

#[tokio::test]
async fn each_status_change_of_a_submission_is_recorded() {
    let mirror = Mirror::with_an_academy().await;
    let send = async |input| {
        mirror.send_valid("mirrorTeacherSubmissions", "TeacherSubmissionInput", json!([input])).await
    };
    assert_eq!(send(submission("pending")).await, 1);
    assert_eq!(send(submission("pending")).await, 0);
    let review = json!({"reviewedBy": "2", "reviewedAt": "2026-11-17T10:00:00Z", "feedback": "Bien"});
    assert_eq!(send(with(submission("approved"), review.clone())).await, 1);
    let retitled = with(with(submission("approved"), review), json!({"title": "Cuerpos"}));
    assert_eq!(send(retitled).await, 1);
    let history = mirror
        .hub.rows(
            "SELECT status, changed_by, changed_at::date::text AS day, notes FROM teacher_submission_histories ORDER BY id",
        )
        .await;
    let expected = json!([
        {"status": "pending", "changed_by": 1, "day": "2026-11-16", "notes": null},
        {"status": "approved", "changed_by": 2, "day": "2026-11-17", "notes": "Bien"},
    ]);
    assert_eq!(history, expected);
}

#[tokio::test]
async fn blank_optional_texts_are_stored_as_null() {
    let mirror = Mirror::with_an_academy().await;
    let blank = with(order(), json!({"paymentReference": ""}));
    mirror.send_valid("mirrorPracticePackageOrders", "PracticePackageOrderInput", json!([blank])).await;
    let blank = json!({"summary": "", "feedback": " \n", "resultType": ""});
    let rejected = with(submission("rejected"), blank);
    mirror.send_valid("mirrorTeacherSubmissions", "TeacherSubmissionInput", json!([rejected])).await;
    let practice = json!({
        "id": "1", "lessonId": "1", "title": "Práctica", "startAt": "2026-11-16T19:00:00Z",
        "cohortLabel": "", "discordChannelUrl": " ", "meetingToken": ""
    });
    mirror.send_valid("mirrorDiscordPractices", "DiscordPracticeInput", json!([practice])).await;
    let stored = "SELECT payment_reference, summary, feedback, result_type, notes, cohort_label, discord_channel_url, \
                         meeting_token \
                  FROM practice_package_orders, discord_practices, teacher_submissions AS submissions \
                  JOIN teacher_submission_histories ON submission_id = submissions.id";
    let expected = json!([{
        "payment_reference": null, "summary": null, "feedback": null, "result_type": null, "notes": null,
        "cohort_label": null, "discord_channel_url": null, "meeting_token": null
    }]);
    assert_eq!(mirror.hub.rows(stored).await, expected);
}

#[tokio::test]
async fn an_assignment_is_created_changed_and_removed() {
    let mirror = Mirror::with_an_academy().await;
    let assignment = json!({"courseId": "1", "teacherId": "1", "assignedAt": "2026-11-16T09:00:00Z"});
    let send = async |changes| {
        let input = json!([with(assignment.clone(), changes)]);
        mirror.send_valid("mirrorCourseTeachers", "CourseTeacherInput", input).await
    };
    assert_eq!(send(json!({})).await, 1);
    assert_eq!(send(json!({})).await, 0);
    assert_eq!(send(json!({"assignedBy": "2"})).await, 1);
    assert_eq!(send(json!({"removed": true})).await, 1);
    assert_eq!(send(json!({"removed": true})).await, 0);
    let twice =
        mirror.send_invalid("mirrorCourseTeachers", "CourseTeacherInput", json!([assignment, assignment]));
    assert_eq!(twice.await, ["input[1].teacherId"]);
}

#[tokio::test]
async fn only_admins_and_services_may_mirror() {
    let mirror = Mirror::start().await;
    let mutation = "mutation { mirrorUsers(input: []) }";
    for role in Role::ALL {
        let user = mirror.hub.user_named(&format!("mirror-{}", role.key()), role).await;
        let response = mirror.hub.graphql(mutation).by(&user.token).send().await;
        match role {
            Role::Admin | Role::Service => assert!(response.body["errors"].is_null(), "{}", response.body),
            Role::TeacherAdmin | Role::Teacher | Role::Student => assert_eq!(response.code(), "FORBIDDEN"),
        }
    }
}
