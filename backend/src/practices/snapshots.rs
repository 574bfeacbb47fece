//! The snapshots that platform events and the attendance of practices record.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::models::course::LessonRow;
use crate::models::dataset::student_activity_snapshot::NewStudentSnapshot;
use crate::models::dataset::teacher_activity_snapshot::NewTeacherSnapshot;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::order::Order;
use crate::models::practice::Practice;
use crate::models::reservation::Reservation;

/// The scope of snapshots about practices.
const PRACTICE: &str = "discord_practice";
/// The scope of snapshots about packs.
const PACK: &str = "practice_pack";

#[derive(Serialize)]
struct ReservationPayload<'a> {
    practice_id: i64,
    practice_title: &'a str,
    practice_type: &'a str,
    cohort_label: Option<&'a str>,
    start_at: DateTime<Utc>,
    reservation_id: i64,
    reservation_status: &'static str,
}

#[derive(Serialize)]
struct PurchasePayload<'a> {
    order_id: i64,
    sessions_remaining: i32,
    /// A decimal number as text, such as `49.90`.
    price_amount: String,
    price_currency: &'a str,
    package_title: &'a str,
    paid_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct ConsumptionPayload<'a> {
    order_id: i64,
    sessions_remaining: i32,
    package_title: &'a str,
    consumed_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct EscalationPayload<'a> {
    course_slug: &'a str,
    lesson_title: &'a str,
    pending_requests: i32,
    recipients: &'a [i64],
}

#[derive(Serialize)]
struct AttendancePayload {
    practice_id: i64,
    reservation_id: i64,
    status: &'static str,
    start_at: DateTime<Utc>,
    attended_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct CancellationPayload {
    practice_id: i64,
    reservation_id: i64,
    status: &'static str,
    cancelled_at: DateTime<Utc>,
    late: bool,
    late_window_minutes: i64,
}

/// A seat was reserved. `lesson` is the lesson of the practice.
pub fn reservation(
    reservation: &Reservation,
    practice: &Practice,
    lesson: &LessonRow,
) -> NewStudentSnapshot<'static> {
    let payload = ReservationPayload {
        practice_id: practice.id,
        practice_title: &practice.title,
        practice_type: &practice.kind,
        cohort_label: practice.cohort_label.as_deref(),
        start_at: practice.start_at,
        reservation_id: reservation.id,
        reservation_status: reservation.status.key(),
    };
    of_practice("practice_reservation", reservation.user_id, lesson, reservation.reserved_at, &payload)
}

/// A student attended a practice.
pub fn attendance(
    reservation: &Reservation,
    practice: &Practice,
    lesson: &LessonRow,
    attended_at: DateTime<Utc>,
) -> NewStudentSnapshot<'static> {
    let payload = AttendancePayload {
        practice_id: practice.id,
        reservation_id: reservation.id,
        status: reservation.status.key(),
        start_at: practice.start_at,
        attended_at,
    };
    of_practice("practice_attendance", reservation.user_id, lesson, attended_at, &payload)
}

/// A student gave a seat back. `late_window` is the time before the start in which that is late.
pub fn cancellation(
    reservation: &Reservation,
    practice: &Practice,
    lesson: &LessonRow,
    cancelled_at: DateTime<Utc>,
    late_window: TimeDelta,
) -> NewStudentSnapshot<'static> {
    let payload = CancellationPayload {
        practice_id: practice.id,
        reservation_id: reservation.id,
        status: reservation.status.key(),
        cancelled_at,
        late: is_late(cancelled_at, practice, late_window),
        late_window_minutes: late_window.num_minutes(),
    };
    of_practice("practice_cancellation", reservation.user_id, lesson, cancelled_at, &payload)
}

/// Whether a cancellation is late.
pub fn is_late(cancelled_at: DateTime<Utc>, practice: &Practice, late_window: TimeDelta) -> bool {
    practice.start_at - cancelled_at < late_window
}

/// A pack was bought. `lesson` is the lesson of the pack.
pub fn purchase(
    order: &Order,
    package: &MirroredPackage,
    lesson: Option<&LessonRow>,
    at: DateTime<Utc>,
) -> NewStudentSnapshot<'static> {
    let payload = json(&PurchasePayload {
        order_id: order.id,
        sessions_remaining: order.sessions_remaining,
        price_amount: package.price_amount.to_string(),
        price_currency: &package.price_currency,
        package_title: &package.title,
        paid_at: order.paid_at,
    });
    let snapshot = of_pack("practice_pack_purchase", order, package, lesson, at);
    NewStudentSnapshot { value: Some(package.sessions_count), payload: Some(payload), ..snapshot }
}

/// A session of a pack was used. `lesson` is the lesson of the pack.
pub fn consumption(
    order: &Order,
    package: &MirroredPackage,
    lesson: Option<&LessonRow>,
    at: DateTime<Utc>,
) -> NewStudentSnapshot<'static> {
    let payload = json(&ConsumptionPayload {
        order_id: order.id,
        sessions_remaining: order.sessions_remaining,
        package_title: &package.title,
        consumed_at: at,
    });
    let snapshot = of_pack("practice_pack_consumption", order, package, lesson, at);
    NewStudentSnapshot { value: Some(1), payload: Some(payload), ..snapshot }
}

/// Requests for a practice of a lesson were escalated: one snapshot for each recipient.
pub fn escalations(
    lesson: &LessonRow,
    pending_requests: i32,
    recipients: &[i64],
    at: DateTime<Utc>,
) -> impl Iterator<Item = NewTeacherSnapshot<'static>> {
    let payload = json(&EscalationPayload {
        course_slug: &lesson.course.slug,
        lesson_title: &lesson.title,
        pending_requests,
        recipients,
    });
    let (course_id, lesson_id) = (lesson.course.id.0, lesson.id.0);
    recipients.iter().map(move |teacher_id| NewTeacherSnapshot {
        captured_at: at,
        teacher_id: *teacher_id,
        course_id: Some(course_id),
        lesson_id: Some(lesson_id),
        practice_package_id: None,
        category: "practice_request_escalated",
        scope: Some(PRACTICE),
        value: Some(pending_requests),
        payload: Some(payload.clone()),
    })
}

fn of_practice(
    category: &'static str,
    user_id: i64,
    lesson: &LessonRow,
    at: DateTime<Utc>,
    payload: &impl Serialize,
) -> NewStudentSnapshot<'static> {
    NewStudentSnapshot {
        captured_at: at,
        user_id,
        course_id: Some(lesson.course.id.0),
        lesson_id: Some(lesson.id.0),
        practice_package_id: None,
        category,
        scope: Some(PRACTICE),
        value: Some(1),
        payload: Some(json(payload)),
    }
}

fn of_pack(
    category: &'static str,
    order: &Order,
    package: &MirroredPackage,
    lesson: Option<&LessonRow>,
    at: DateTime<Utc>,
) -> NewStudentSnapshot<'static> {
    NewStudentSnapshot {
        captured_at: at,
        user_id: order.user_id,
        course_id: lesson.map(|lesson| lesson.course.id.0),
        lesson_id: package.lesson_id,
        practice_package_id: Some(package.id),
        category,
        scope: Some(PACK),
        value: None,
        payload: None,
    }
}

fn json(payload: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(payload).expect("payloads have text keys and finite numbers")
}
