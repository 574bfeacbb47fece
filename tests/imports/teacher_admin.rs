//! A Teacher Admin only imports rows that they may read, so that responses reveal nothing about other rows.

use backend::config::access::TeacherAdminScope;
use domain::access::{Role, TokenScope};
use rand::SeedableRng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{ALL_OR_NOTHING, ImportOptions, SKIP_INVALID, counts, import, send};
use crate::harness::hub::{Hub, TestUser};

/// Courses 1 and 2, each with a lesson and a pack for it, and a pack without a lesson. Course 1 is assigned
/// to the Teacher Admin.
const CATALOG: &str = "
    INSERT INTO users (id, name, email, role) VALUES
        (7, 'Luz', 'luz@example.com', 'student'), (8, 'Teo', 'teo@example.com', 'student');
    INSERT INTO courses (id, slug, titles) VALUES (1, 'uno', '{\"es\": \"Uno\"}'), (2, 'dos', '{\"es\": \"Dos\"}');
    INSERT INTO lessons (id, course_id, title) VALUES (11, 1, 'Once'), (21, 2, 'Veintiuno');
    INSERT INTO practice_packages
        (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status)
    SELECT id, 7, lesson, 'Pack', 4, 10, 'EUR', 'active'
    FROM (VALUES (111, 11), (121, 21), (131, NULL)) AS packs (id, lesson)";

/// More rows that the Teacher Admin may not read if access is limited to assigned courses.
const OTHER_COURSES: &str = "
    INSERT INTO courses (id, slug, titles) VALUES (3, 'tres', '{\"es\": \"Tres\"}');
    INSERT INTO lessons (id, course_id, title) VALUES (31, 3, 'Treinta y uno'), (22, 2, 'Veintidós');
    INSERT INTO practice_packages
        (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status)
    SELECT id, 7, lesson, 'Pack', 4, 10, 'EUR', 'active' FROM (VALUES (122, 22), (132, 31)) AS packs (id, lesson)";

const HEADER: &str = "user_id,course_id,lesson_id,practice_package_id,category,value,captured_at";

/// A hub with this scope, and a Teacher Admin who may import.
async fn hub(scope: TeacherAdminScope) -> (Hub, TestUser) {
    let hub = Hub::with(|config| config.access.teacher_admin_scope = scope).await;
    hub.sql(CATALOG).await;
    let teacher_admin = hub.user(Role::TeacherAdmin).await;
    hub.academy.grant_manage_settings(teacher_admin.id).await;
    hub.academy.assign(1, teacher_admin.id, "2026-11-09T08:00:00Z").await;
    (hub, teacher_admin)
}

/// The line, column, value and reason of each rejected row.
fn rejected_rows(import: &Value) -> Vec<String> {
    let rows = import["rejectedRows"].as_array().unwrap().iter();
    let cell = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.map(|row| {
        format!("{}: {} {:?} {}", row["line"], cell(row, "column"), cell(row, "value"), cell(row, "reason"))
    })
    .collect()
}

#[tokio::test]
async fn a_teacher_admin_cannot_import_teacher_snapshots() {
    let (hub, teacher_admin) = hub(TeacherAdminScope::Any).await;
    let token = hub.api_token(teacher_admin.id, &[TokenScope::Import, TokenScope::Read]).await;
    let api_client = TestUser { id: teacher_admin.id, token };
    let file = "teacher_id,course_id\n7,1\n";
    let options = ImportOptions { dataset: "TEACHER_ACTIVITY_SNAPSHOTS", ..ALL_OR_NOTHING };
    for by in [&teacher_admin, &api_client] {
        for dry_run in [true, false] {
            assert_eq!(send(&hub, by, ImportOptions { dry_run, ..options }, file).await.code(), "FORBIDDEN");
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
async fn a_teacher_admins_rows_must_name_a_course_or_a_lesson() {
    let (hub, teacher_admin) = hub(TeacherAdminScope::Any).await;
    let file = format!(
        "{HEADER}\n7,1,,,a,1,\n7,,21,,a,2,\n7,1,21,131,a,3,\n7,,,,a,4,\n7,,,111,a,5,\n99,,,,a,6,\n\
         7,404,,,a,7,\n7,,404,,a,8,\n99,1,,,a,9,\n"
    );
    for dry_run in [true, false] {
        let import =
            import(&hub, &teacher_admin, ImportOptions { dry_run, ..SKIP_INVALID }, file.as_str()).await;
        assert_eq!(counts(&import), json!(["DONE", 3, 0, 6]));
        let no_course = "Each row that a Teacher Admin imports must name a course or a lesson.";
        let unknown = "Nothing with this ID exists.";
        assert_eq!(
            rejected_rows(&import),
            [
                format!("5: course_id \"\" {no_course}"),
                format!("6: course_id \"\" {no_course}"),
                format!("7: course_id \"\" {no_course}"),
                format!("8: course_id \"404\" {unknown}"),
                format!("9: lesson_id \"404\" {unknown}"),
                format!("10: user_id \"99\" {unknown}"),
            ]
        );
    }
    let admin = hub.user(Role::Admin).await;
    let import = import(&hub, &admin, ALL_OR_NOTHING, format!("{HEADER}\n7,,,,a,4,\n")).await;
    assert_eq!(counts(&import), json!(["DONE", 1, 0, 0]), "an admin's rows may omit both");
}

#[tokio::test]
async fn with_assigned_scope_rows_may_not_refer_to_other_courses() {
    let (hub, teacher_admin) = hub(TeacherAdminScope::Assigned).await;
    let file = format!(
        "{HEADER}\n7,1,,,a,1,\n7,,11,111,a,2,\n7,1,11,,a,3,\n7,,,,a,4,\n7,2,,,a,5,\n7,404,,,a,6,\n\
         7,1,21,,a,7,\n7,2,11,,a,8,\n7,,404,,a,9,\n7,1,,121,a,10,\n7,1,,131,a,11,\n7,1,,404,a,12,\n99,2,,,a,13,\n"
    );
    let import = import(&hub, &teacher_admin, SKIP_INVALID, file).await;
    assert_eq!(counts(&import), json!(["DONE", 3, 0, 10]));
    let not_assigned = "Nothing with this ID exists in the courses assigned to you.";
    let no_course = "Each row that a Teacher Admin imports must name a course or a lesson.";
    assert_eq!(
        rejected_rows(&import),
        [
            format!("5: course_id \"\" {no_course}"),
            format!("6: course_id \"2\" {not_assigned}"),
            format!("7: course_id \"404\" {not_assigned}"),
            format!("8: lesson_id \"21\" {not_assigned}"),
            format!("9: course_id \"2\" {not_assigned}"),
            format!("10: lesson_id \"404\" {not_assigned}"),
            format!("11: practice_package_id \"121\" {not_assigned}"),
            format!("12: practice_package_id \"131\" {not_assigned}"),
            format!("13: practice_package_id \"404\" {not_assigned}"),
            format!("14: course_id \"2\" {not_assigned}"),
        ]
    );

    let count = "query ($filter: StudentActivitySnapshotFilter) { found: studentActivitySnapshots(filter: $filter) { totalCount } }";
    for (filter, found) in [
        (json!({"courseId": "1"}), json!({"data": {"found": {"totalCount": 2}}})),
        (json!({"lessonId": "11"}), json!({"data": {"found": {"totalCount": 2}}})),
        (json!({"courseId": "1", "lessonId": "11"}), json!({"data": {"found": {"totalCount": 1}}})),
    ] {
        let request = hub.graphql(count).by(&teacher_admin.token).variables(json!({"filter": filter}));
        assert_eq!(request.send().await.body, found, "they can read what they imported: {filter}");
    }
    let mut errors = Vec::new();
    for lesson in ["21", "404"] {
        let filter = json!({"filter": {"lessonId": lesson}});
        let request = hub.graphql(count).by(&teacher_admin.token).variables(filter);
        errors.push(request.header("accept-language", "en").send().await.body["errors"][0].clone());
    }
    assert_eq!(errors[0]["message"], "That course is not assigned to you.");
    assert_eq!(
        errors[0]["message"], errors[1]["message"],
        "a lesson of another course looks like an unknown one"
    );
    assert_eq!(errors[0]["extensions"]["code"], errors[1]["extensions"]["code"]);
}

/// Inserts every row that a file of the test below may contain and that the Teacher Admin may not read.
async fn insert_unreadable_rows(hub: &Hub, readable: &str) {
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
         INSERT INTO student_activity_snapshots (captured_at, user_id, {columns}) {rows} AND NOT ({readable})"
    ))
    .await;
}

/// A file with random rows, some of them invalid.
fn random_file(rng: &mut ChaCha8Rng) -> String {
    let mut file = format!("{HEADER}\n");
    for _ in 0..20 {
        let mut choose = |cells: &[&'static str]| *cells.choose(rng).unwrap();
        let cells = [
            choose(&["7", "8"]),
            choose(&["", "1", "1", "2", "3", "404"]),
            choose(&["", "", "11", "21", "22", "31", "404"]),
            choose(&["", "", "", "111", "121", "131", "132", "404"]),
            "a",
            choose(&["1", "2", "2", "x"]),
            choose(&["2026-11-16", ""]),
        ];
        file += &format!("{}\n", cells.join(","));
    }
    file
}

/// The response to an import, without its ID.
async fn response(hub: &Hub, by: &TestUser, options: ImportOptions, file: &str) -> Value {
    let mut import = import(hub, by, options, file).await;
    import.as_object_mut().unwrap().remove("id");
    import
}

#[tokio::test]
async fn responses_do_not_depend_on_unreadable_rows() {
    let mut rng = ChaCha8Rng::seed_from_u64(19);
    let (mut inserted, mut duplicate, mut rejected) = (0, 0, 0);
    for (scope, readable) in [
        (TeacherAdminScope::Any, "course IS NOT NULL OR lesson IS NOT NULL"),
        (TeacherAdminScope::Assigned, "coalesce(course = 1 OR (course IS NULL AND lesson = 11), false)"),
    ] {
        let ((empty, teacher_admin), (full, other_teacher_admin)) = (hub(scope).await, hub(scope).await);
        // With assigned scope, responses must not depend on other courses either.
        if scope == TeacherAdminScope::Any {
            empty.sql(OTHER_COURSES).await;
        }
        full.sql(OTHER_COURSES).await;
        insert_unreadable_rows(&full, readable).await;
        for round in 0..4 {
            let file = random_file(&mut rng);
            let mode = if round % 4 == 3 { ALL_OR_NOTHING } else { SKIP_INVALID };
            let dry_run = ImportOptions { dry_run: true, ..mode };
            for options in [dry_run, mode, dry_run] {
                let expected = response(&empty, &teacher_admin, options, &file).await;
                assert_eq!(response(&full, &other_teacher_admin, options, &file).await, expected, "{file}");
                inserted += expected["rowsInserted"].as_i64().unwrap();
                duplicate += expected["rowsDuplicate"].as_i64().unwrap();
                rejected += expected["rowsRejected"].as_i64().unwrap();
            }
        }
    }
    assert!(inserted > 20 && duplicate > 10 && rejected > 100, "{inserted} {duplicate} {rejected}");
}
