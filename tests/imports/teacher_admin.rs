//! What a Teacher Admin imports stays within what they could read, so that no answer tells of anything else.

use backend::config::access::TeacherAdminScope;
use domain::access::{Role, TokenScope};
use rand::SeedableRng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{ALL, How, SKIP, counts, import, send};
use crate::harness::hub::{Hub, TestUser};

/// Courses 1 and 2, of which 1 is assigned to the Teacher Admin, each with a lesson and a pack of it; one pack is of no
/// lesson.
const CATALOGUE: &str = "
    INSERT INTO users (id, name, email, role) VALUES
        (7, 'Luz', 'luz@example.com', 'student'), (8, 'Teo', 'teo@example.com', 'student');
    INSERT INTO courses (id, slug, titles) VALUES (1, 'uno', '{\"es\": \"Uno\"}'), (2, 'dos', '{\"es\": \"Dos\"}');
    INSERT INTO lessons (id, course_id, title) VALUES (11, 1, 'Once'), (21, 2, 'Veintiuno');
    INSERT INTO practice_packages
        (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status)
    SELECT id, 7, lesson, 'Pack', 4, 10, 'EUR', 'active'
    FROM (VALUES (111, 11), (121, 21), (131, NULL)) AS packs (id, lesson)";

/// What is elsewhere, where only the assigned course counts.
const ELSEWHERE: &str = "
    INSERT INTO courses (id, slug, titles) VALUES (3, 'tres', '{\"es\": \"Tres\"}');
    INSERT INTO lessons (id, course_id, title) VALUES (31, 3, 'Treinta y uno'), (22, 2, 'Veintidós');
    INSERT INTO practice_packages
        (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status)
    SELECT id, 7, lesson, 'Pack', 4, 10, 'EUR', 'active' FROM (VALUES (122, 22), (132, 31)) AS packs (id, lesson)";

const HEADER: &str = "user_id,course_id,lesson_id,practice_package_id,category,value,captured_at";

/// A hub with such a scope, and somebody who imports there.
async fn hub(scope: TeacherAdminScope) -> (Hub, TestUser) {
    let hub = Hub::with(|config| config.access.teacher_admin_scope = scope).await;
    hub.sql(CATALOGUE).await;
    let teacher_admin = hub.user(Role::TeacherAdmin).await;
    hub.academy.grant_manage_settings(teacher_admin.id).await;
    hub.academy.assign(1, teacher_admin.id, "2026-11-09T08:00:00Z").await;
    (hub, teacher_admin)
}

/// Line, column, value and reason of each refused row.
fn refused(import: &Value) -> Vec<String> {
    let rows = import["rejectedRows"].as_array().unwrap().iter();
    let cell = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.map(|row| {
        format!("{}: {} {:?} {}", row["line"], cell(row, "column"), cell(row, "value"), cell(row, "reason"))
    })
    .collect()
}

#[tokio::test]
async fn teacher_snapshots_are_never_imported_by_a_teacher_admin() {
    let (hub, teacher_admin) = hub(TeacherAdminScope::Any).await;
    let token = hub.api_token(teacher_admin.id, &[TokenScope::Import, TokenScope::Read]).await;
    let program = TestUser { id: teacher_admin.id, token };
    let file = "teacher_id,course_id\n7,1\n";
    let how = How { dataset: "TEACHER_ACTIVITY_SNAPSHOTS", ..ALL };
    for by in [&teacher_admin, &program] {
        for dry_run in [true, false] {
            assert_eq!(send(&hub, by, How { dry_run, ..how }, file).await.code(), "FORBIDDEN");
        }
    }
    assert_eq!(hub.rows("SELECT 1 FROM imports").await, json!([]));
    let datasets = "{ datasets { key importable } }";
    let datasets = hub.graphql(datasets).by(&teacher_admin.token).data().await;
    let importable: Vec<&Value> =
        datasets["datasets"].as_array().unwrap().iter().filter(|info| info["importable"] == true).collect();
    assert_eq!(importable, [&json!({"key": "student_activity_snapshots", "importable": true})]);
}

#[tokio::test]
async fn each_row_of_a_teacher_admin_names_a_course_or_a_lesson() {
    let (hub, teacher_admin) = hub(TeacherAdminScope::Any).await;
    let file = format!(
        "{HEADER}\n7,1,,,a,1,\n7,,21,,a,2,\n7,1,21,131,a,3,\n7,,,,a,4,\n7,,,111,a,5,\n99,,,,a,6,\n\
         7,404,,,a,7,\n7,,404,,a,8,\n99,1,,,a,9,\n"
    );
    for dry_run in [true, false] {
        let import = import(&hub, &teacher_admin, How { dry_run, ..SKIP }, file.as_str()).await;
        assert_eq!(counts(&import), json!(["DONE", 3, 0, 6]));
        let nowhere = "As a Teacher Admin, each row that you import must name a course or a lesson.";
        let unknown = "There is nothing with this id.";
        assert_eq!(
            refused(&import),
            [
                format!("5: course_id \"\" {nowhere}"),
                format!("6: course_id \"\" {nowhere}"),
                format!("7: course_id \"\" {nowhere}"),
                format!("8: course_id \"404\" {unknown}"),
                format!("9: lesson_id \"404\" {unknown}"),
                format!("10: user_id \"99\" {unknown}"),
            ]
        );
    }
    let admin = hub.user(Role::Admin).await;
    let import = import(&hub, &admin, ALL, format!("{HEADER}\n7,,,,a,4,\n")).await;
    assert_eq!(counts(&import), json!(["DONE", 1, 0, 0]), "an admin's rows need not");
}

#[tokio::test]
async fn where_only_assigned_courses_count_a_row_names_nothing_of_another_course() {
    let (hub, teacher_admin) = hub(TeacherAdminScope::Assigned).await;
    let file = format!(
        "{HEADER}\n7,1,,,a,1,\n7,,11,111,a,2,\n7,1,11,,a,3,\n7,,,,a,4,\n7,2,,,a,5,\n7,404,,,a,6,\n\
         7,1,21,,a,7,\n7,2,11,,a,8,\n7,,404,,a,9,\n7,1,,121,a,10,\n7,1,,131,a,11,\n7,1,,404,a,12,\n99,2,,,a,13,\n"
    );
    let import = import(&hub, &teacher_admin, SKIP, file).await;
    assert_eq!(counts(&import), json!(["DONE", 3, 0, 10]));
    let elsewhere = "There is nothing with this id in the courses assigned to you.";
    let nowhere = "As a Teacher Admin, each row that you import must name a course or a lesson.";
    assert_eq!(
        refused(&import),
        [
            format!("5: course_id \"\" {nowhere}"),
            format!("6: course_id \"2\" {elsewhere}"),
            format!("7: course_id \"404\" {elsewhere}"),
            format!("8: lesson_id \"21\" {elsewhere}"),
            format!("9: course_id \"2\" {elsewhere}"),
            format!("10: lesson_id \"404\" {elsewhere}"),
            format!("11: practice_package_id \"121\" {elsewhere}"),
            format!("12: practice_package_id \"131\" {elsewhere}"),
            format!("13: practice_package_id \"404\" {elsewhere}"),
            format!("14: course_id \"2\" {elsewhere}"),
        ]
    );

    let count = "query ($filter: StudentActivitySnapshotFilter) { found: studentActivitySnapshots(filter: $filter) { totalCount } }";
    for (filter, found) in [
        (json!({"courseId": "1"}), json!({"data": {"found": {"totalCount": 2}}})),
        (json!({"lessonId": "11"}), json!({"data": {"found": {"totalCount": 2}}})),
        (json!({"courseId": "1", "lessonId": "11"}), json!({"data": {"found": {"totalCount": 1}}})),
    ] {
        let ask = hub.graphql(count).by(&teacher_admin.token).variables(json!({"filter": filter}));
        assert_eq!(ask.send().await.body, found, "what they imported they can read: {filter}");
    }
    let mut told = Vec::new();
    for lesson in ["21", "404"] {
        let filter = json!({"filter": {"lessonId": lesson}});
        let ask = hub.graphql(count).by(&teacher_admin.token).variables(filter);
        told.push(ask.header("accept-language", "en").send().await.body["errors"][0].clone());
    }
    assert_eq!(told[0]["message"], "That course is not assigned to you.");
    assert_eq!(told[0]["message"], told[1]["message"], "a lesson elsewhere is as good as none");
    assert_eq!(told[0]["extensions"]["code"], told[1]["extensions"]["code"]);
}

/// Fills the tables with every row that an upload of the test below may hold and that its sender may not read.
async fn fill_what_is_out_of_sight(hub: &Hub, in_sight: &str) {
    let id = |values: &str| format!("unnest(ARRAY[{values}, NULL]::bigint[])");
    let rows = format!(
        "SELECT captured_at, person, course, lesson, pack, 'a', value
         FROM unnest(ARRAY['2026-11-16', '2027-01-15 08:00Z']::timestamptz[]) AS captured_at, unnest(ARRAY[7, 8]) AS person,
             {} AS course, {} AS lesson, {} AS pack, unnest(ARRAY[1, 2]) AS value
         WHERE (course IS NULL OR EXISTS (SELECT FROM courses WHERE id = course))
           AND (lesson IS NULL OR EXISTS (SELECT FROM lessons WHERE id = lesson))
           AND (pack IS NULL OR EXISTS (SELECT FROM practice_packages WHERE id = pack))",
        id("1, 2, 3"),
        id("11, 21, 22, 31"),
        id("111, 121, 122, 131, 132"),
    );
    let columns = "course_id, lesson_id, practice_package_id, category, value";
    hub.sql(&format!(
        "INSERT INTO teacher_activity_snapshots (captured_at, teacher_id, {columns}) {rows};
         INSERT INTO student_activity_snapshots (captured_at, user_id, {columns}) {rows} AND NOT ({in_sight})"
    ))
    .await;
}

fn upload(rng: &mut ChaCha8Rng) -> String {
    let mut file = format!("{HEADER}\n");
    for _ in 0..20 {
        let mut any = |cells: &[&'static str]| *cells.choose(rng).unwrap();
        let cells = [
            any(&["7", "8"]),
            any(&["", "1", "1", "2", "3", "404"]),
            any(&["", "", "11", "21", "22", "31", "404"]),
            any(&["", "", "", "111", "121", "131", "132", "404"]),
            "a",
            any(&["1", "2", "2", "x"]),
            any(&["2026-11-16", ""]),
        ];
        file += &format!("{}\n", cells.join(","));
    }
    file
}

/// What an import is answered, but for its id.
async fn answer(hub: &Hub, by: &TestUser, how: How, file: &str) -> Value {
    let mut answer = import(hub, by, how, file).await;
    answer.as_object_mut().unwrap().remove("id");
    answer
}

#[tokio::test]
async fn answers_do_not_depend_on_what_a_teacher_admin_may_not_read() {
    let mut rng = ChaCha8Rng::seed_from_u64(19);
    let (mut inserted, mut duplicate, mut rejected) = (0, 0, 0);
    for (scope, in_sight) in [
        (TeacherAdminScope::Any, "course IS NOT NULL OR lesson IS NOT NULL"),
        (TeacherAdminScope::Assigned, "coalesce(course = 1 OR (course IS NULL AND lesson = 11), false)"),
    ] {
        let ((bare, reader), (full, other_reader)) = (hub(scope).await, hub(scope).await);
        // Where assigned courses count, the catalogue does not tell of it either.
        if scope == TeacherAdminScope::Any {
            bare.sql(ELSEWHERE).await;
        }
        full.sql(ELSEWHERE).await;
        fill_what_is_out_of_sight(&full, in_sight).await;
        for round in 0..4 {
            let file = upload(&mut rng);
            let mode = if round % 4 == 3 { ALL } else { SKIP };
            let dry = How { dry_run: true, ..mode };
            for how in [dry, mode, dry] {
                let expected = answer(&bare, &reader, how, &file).await;
                assert_eq!(answer(&full, &other_reader, how, &file).await, expected, "{file}");
                inserted += expected["rowsInserted"].as_i64().unwrap();
                duplicate += expected["rowsDuplicate"].as_i64().unwrap();
                rejected += expected["rowsRejected"].as_i64().unwrap();
            }
        }
    }
    assert!(inserted > 20 && duplicate > 10 && rejected > 100, "{inserted} {duplicate} {rejected}");
}
