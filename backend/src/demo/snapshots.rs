//! The snapshots of orders, reservations and requests, as the hub would have recorded them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::catalog::Catalog;
use super::reservation::NewReservation;
use crate::models::dataset::student_activity_snapshot::NewStudentSnapshot;
use crate::models::dataset::teacher_activity_snapshot::NewTeacherSnapshot;
use crate::models::mirrored::discord_practice::MirroredPractice;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::mirrored::practice_package_order::MirroredOrder;

/// A cancellation within this time before the start of a practice counts as late.
const LATE_WINDOW: TimeDelta = TimeDelta::minutes(180);

/// The snapshots of students and teachers.
#[derive(Default)]
pub struct Snapshots {
    pub students: Vec<NewStudentSnapshot<'static>>,
    pub teachers: Vec<NewTeacherSnapshot<'static>>,
}

impl Snapshots {
    /// Adds the purchase of a pack.
    pub fn add_purchase(&mut self, catalog: &Catalog, order: &MirroredOrder) {
        let (Some(paid_at), Some(package)) = (order.paid_at, package_of(catalog, order)) else { return };
        let payload = json!({
            "order_id": order.id,
            "sessions_remaining": package.sessions_count,
            "price_amount": package.price_amount.to_string(),
            "price_currency": package.price_currency,
            "package_title": package.title,
            "paid_at": paid_at,
        });
        let subject = Subject::pack("practice_pack_purchase", catalog, package);
        self.students.push(subject.student(order.user_id, paid_at, package.sessions_count, payload));
    }

    /// Adds the use of a session of a pack. `order` is the order after that.
    pub fn add_consumption(&mut self, catalog: &Catalog, order: &MirroredOrder, at: DateTime<Utc>) {
        let Some(package) = package_of(catalog, order) else { return };
        let payload = json!({
            "order_id": order.id,
            "sessions_remaining": order.sessions_remaining,
            "package_title": package.title,
            "consumed_at": at,
        });
        let subject = Subject::pack("practice_pack_consumption", catalog, package);
        self.students.push(subject.student(order.user_id, at, 1, payload));
    }

    /// Adds a reservation and, if its outcome is recorded, the attendance or the cancellation.
    pub fn add_reservation(
        &mut self,
        catalog: &Catalog,
        practice: &MirroredPractice,
        reservation: &NewReservation,
    ) {
        let subject = |category| Subject::lesson(category, catalog, practice.lesson_id);
        let user_id = reservation.user_id;
        let reserved = json!({
            "practice_id": practice.id,
            "practice_title": practice.title,
            "practice_type": practice.kind,
            "cohort_label": practice.cohort_label,
            "start_at": practice.start_at,
            "reservation_id": reservation.id,
            "reservation_status": "confirmed",
        });
        let snapshot = subject("practice_reservation").student(user_id, reservation.reserved_at, 1, reserved);
        self.students.push(snapshot);
        if reservation.outcome_recorded_at.is_none() {
            return;
        }
        if let Some(attended_at) = reservation.attended_at {
            let payload = json!({
                "practice_id": practice.id,
                "reservation_id": reservation.id,
                "status": reservation.status,
                "start_at": practice.start_at,
                "attended_at": attended_at,
            });
            self.students.push(subject("practice_attendance").student(user_id, attended_at, 1, payload));
        }
        if let Some(cancelled_at) = reservation.cancelled_at {
            let payload = json!({
                "practice_id": practice.id,
                "reservation_id": reservation.id,
                "status": reservation.status,
                "cancelled_at": cancelled_at,
                "late": cancelled_at > practice.start_at - LATE_WINDOW,
                "late_window_minutes": LATE_WINDOW.num_minutes(),
            });
            self.students.push(subject("practice_cancellation").student(user_id, cancelled_at, 1, payload));
        }
    }

    /// Adds the escalation of the requests for a lesson to its teachers.
    pub fn add_escalation(
        &mut self,
        catalog: &Catalog,
        lesson_id: i64,
        pending: i32,
        recipients: &[i64],
        at: DateTime<Utc>,
    ) {
        let subject = Subject::lesson("practice_request_escalated", catalog, lesson_id);
        let lesson = catalog.lessons.iter().find(|lesson| lesson.id == lesson_id);
        let course = catalog.courses.iter().find(|course| Some(course.id) == subject.course_id);
        let payload = json!({
            "course_slug": course.map(|course| &course.slug),
            "lesson_title": lesson.map(|lesson| &lesson.title),
            "pending_requests": pending,
            "recipients": recipients,
        });
        self.teachers.extend(
            recipients.iter().map(|teacher_id| subject.teacher(*teacher_id, at, pending, payload.clone())),
        );
    }
}

fn package_of<'a>(catalog: &'a Catalog, order: &MirroredOrder) -> Option<&'a MirroredPackage> {
    catalog.packages.iter().find(|package| package.id == order.practice_package_id)
}

/// The subject of a snapshot.
struct Subject {
    category: &'static str,
    scope: &'static str,
    course_id: Option<i64>,
    lesson_id: Option<i64>,
    practice_package_id: Option<i64>,
}

impl Subject {
    fn lesson(category: &'static str, catalog: &Catalog, lesson_id: i64) -> Self {
        let lesson = catalog.lessons.iter().find(|lesson| lesson.id == lesson_id);
        Self {
            category,
            scope: "discord_practice",
            course_id: lesson.map(|lesson| lesson.course_id),
            lesson_id: Some(lesson_id),
            practice_package_id: None,
        }
    }

    fn pack(category: &'static str, catalog: &Catalog, package: &MirroredPackage) -> Self {
        let lesson = catalog.lessons.iter().find(|lesson| Some(lesson.id) == package.lesson_id);
        Self {
            category,
            scope: "practice_pack",
            course_id: lesson.map(|lesson| lesson.course_id),
            lesson_id: package.lesson_id,
            practice_package_id: Some(package.id),
        }
    }

    fn student(
        &self,
        user_id: i64,
        at: DateTime<Utc>,
        value: i32,
        payload: Value,
    ) -> NewStudentSnapshot<'static> {
        NewStudentSnapshot {
            captured_at: at,
            user_id,
            course_id: self.course_id,
            lesson_id: self.lesson_id,
            practice_package_id: self.practice_package_id,
            category: self.category,
            scope: Some(self.scope),
            value: Some(value),
            payload: Some(payload),
        }
    }

    fn teacher(
        &self,
        teacher_id: i64,
        at: DateTime<Utc>,
        value: i32,
        payload: Value,
    ) -> NewTeacherSnapshot<'static> {
        NewTeacherSnapshot {
            captured_at: at,
            teacher_id,
            course_id: self.course_id,
            lesson_id: self.lesson_id,
            practice_package_id: self.practice_package_id,
            category: self.category,
            scope: Some(self.scope),
            value: Some(value),
            payload: Some(payload),
        }
    }
}
