//! The academy's courses, lessons, teacher assignments and practice packs.

use chrono::TimeDelta;
use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::calendar::Calendar;
use super::curriculum::COURSES;
use super::ids::Ids;
use super::people::People;
use super::viewing::Video;
use crate::models::mirrored::course::MirroredCourse;
use crate::models::mirrored::course_teacher::MirroredAssignment;
use crate::models::mirrored::lesson::MirroredLesson;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::mirrored::price::Price;

/// Days since the teachers were assigned.
const ASSIGNED_DAYS_AGO: i64 = 90;

/// The courses and packs of the academy.
pub struct Catalog {
    pub courses: Vec<MirroredCourse>,
    pub lessons: Vec<MirroredLesson>,
    pub assignments: Vec<MirroredAssignment>,
    pub packages: Vec<MirroredPackage>,
    /// The videos of each course, in the order of its lessons.
    pub videos: Vec<Vec<Video>>,
    /// The ids of the teachers of each course.
    pub teachers: Vec<Vec<i64>>,
}

impl Catalog {
    /// Generates the courses, with two packs each.
    pub fn generate(
        rng: &mut impl Rng,
        calendar: Calendar,
        people: &People,
        (course_ids, lesson_ids, package_ids): (&mut Ids, &mut Ids, &mut Ids),
    ) -> Self {
        let mut catalog = Self {
            courses: Vec::new(),
            lessons: Vec::new(),
            assignments: Vec::new(),
            packages: Vec::new(),
            videos: Vec::new(),
            teachers: Vec::new(),
        };
        for (index, course) in COURSES.iter().enumerate() {
            let id = course_ids.take();
            let titles = json!({ "es": course.title.es, "en": course.title.en });
            catalog.courses.push(MirroredCourse { id, slug: course.slug.to_owned(), titles });
            let mut videos = Vec::new();
            for title in course.lessons {
                let lesson_id = lesson_ids.take();
                catalog.lessons.push(MirroredLesson {
                    id: lesson_id,
                    course_id: id,
                    title: title.to_owned(),
                });
                let provider = ["vimeo", "cloudflare", "youtube"][rng.random_range(0..3)];
                videos.push(Video {
                    lesson_id,
                    course_id: id,
                    duration: rng.random_range(360..1_300),
                    provider,
                });
            }
            catalog.videos.push(videos);
            catalog.assign_teachers(rng, calendar, people, index, id);
            catalog.add_packs(package_ids, index);
        }
        catalog
    }

    /// Assigns two teachers and a teacher admin to a course.
    fn assign_teachers(
        &mut self,
        rng: &mut impl Rng,
        calendar: Calendar,
        people: &People,
        index: usize,
        course_id: i64,
    ) {
        let mut teachers: Vec<i64> = people.teachers.choose_multiple(rng, 2).copied().collect();
        teachers.extend(people.teacher_admins.get(index % 3));
        for (minute, teacher_id) in (0..).zip(&teachers) {
            let assigned_at = calendar.at(-ASSIGNED_DAYS_AGO, 9 * 60) + TimeDelta::minutes(minute);
            let assigned_by = Some(people.admin);
            self.assignments.push(MirroredAssignment {
                course_id,
                teacher_id: *teacher_id,
                assigned_by,
                assigned_at,
            });
        }
        self.teachers.push(teachers);
    }

    fn add_packs(&mut self, ids: &mut Ids, index: usize) {
        let lesson_id = self.videos[index].first().map(|video| video.lesson_id);
        let creator_id = self.teachers[index][0];
        let title = COURSES[index].title.es;
        for (name, sessions_count, hundredths) in
            [("Pack de 4 prácticas", 4, 3_900), ("Pack \"sin límites\", 8 prácticas", 8, 6_990)]
        {
            self.packages.push(MirroredPackage {
                id: ids.take(),
                creator_id,
                lesson_id,
                title: format!("{name} · {title}"),
                sessions_count,
                price_amount: Price::from_hundredths(hundredths),
                price_currency: "EUR".to_owned(),
                status: "active".to_owned(),
            });
        }
    }

    /// The packs of a course.
    pub fn packages_of(&self, course: usize) -> &[MirroredPackage] {
        &self.packages[course * 2..course * 2 + 2]
    }
}
