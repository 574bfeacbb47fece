//! The academy's courses, lessons, teachers of courses, and practice packs.

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

/// What there is to learn and to buy.
pub struct Catalog {
    /// Courses as they are stored.
    pub courses: Vec<MirroredCourse>,
    /// Lessons as they are stored.
    pub lessons: Vec<MirroredLesson>,
    /// Who teaches what.
    pub assignments: Vec<MirroredAssignment>,
    /// Practice packs.
    pub packages: Vec<MirroredPackage>,
    /// For each course, its lessons' videos in order.
    pub videos: Vec<Vec<Video>>,
    /// For each course, its teachers.
    pub teachers: Vec<Vec<i64>>,
}

impl Catalog {
    /// Sets the courses up, two packs each.
    pub fn set_up(
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
            catalog.assign(rng, calendar, people, index, id);
            catalog.offer(package_ids, index);
        }
        catalog
    }

    /// Two teachers a course, and a Teacher Admin.
    fn assign(
        &mut self,
        rng: &mut impl Rng,
        calendar: Calendar,
        people: &People,
        index: usize,
        course_id: i64,
    ) {
        let mut teachers: Vec<i64> = people.teachers.choose_multiple(rng, 2).copied().collect();
        teachers.extend(people.teacher_admins.get(index % 3));
        for (place, teacher_id) in (0..).zip(&teachers) {
            let assigned_at = calendar.at(-ASSIGNED_DAYS_AGO, 9 * 60) + TimeDelta::minutes(place);
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

    fn offer(&mut self, ids: &mut Ids, index: usize) {
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
