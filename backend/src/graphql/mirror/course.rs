//! Courses and lessons as they are sent.

use async_graphql::InputObject;
use domain::Text;
use serde_json::Value;

use super::Statement;
use super::sent::Sent;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::course::MirroredCourse;
use crate::models::mirrored::lesson::MirroredLesson;
use crate::models::reference::Referenced;

/// The most characters of a slug.
const MOST_SLUG: usize = 200;
/// The most characters of a title.
pub const MOST_TITLE: usize = 500;

const NOT_A_SLUG: Text = Text::new(
    "No es un slug. Se aceptan de 1 a 200 letras, cifras y los signos - _ . ~",
    "Not a slug. Accepted: from 1 to 200 letters, digits and the characters - _ . ~",
);
const NOT_TITLES: Text = Text::new(
    "Se acepta un objeto de idioma a título, como {\"es\": \"Álgebra\", \"en\": \"Algebra\"}, con títulos de 1 a 500 caracteres.",
    "Accepted: an object from language to title, such as {\"es\": \"Álgebra\", \"en\": \"Algebra\"}, with titles of 1 to 500 characters.",
);

/// A course of the learning platform.
#[derive(InputObject)]
pub struct CourseInput {
    /// Its id on the platform.
    id: Sent<Id>,
    /// Its short name in addresses, which no other course may have: up to 200 letters, digits and `-_.~`.
    slug: String,
    /// Its title by language: `{"es": "Álgebra", "en": "Algebra"}`, at least one.
    titles: Value,
}

/// A lesson of the learning platform.
#[derive(InputObject)]
pub struct LessonInput {
    /// Its id on the platform.
    id: Sent<Id>,
    /// The course that it belongs to.
    course_id: Sent<Id>,
    /// Its title, up to 500 characters.
    title: String,
}

impl Statement for CourseInput {
    type Row = MirroredCourse;

    fn read(self, fields: &mut Reader) -> Option<MirroredCourse> {
        let id = fields.id("id", self.id.number());
        let slug = if is_slug(&self.slug) { Some(self.slug) } else { fields.invalid("slug", NOT_A_SLUG) };
        let titles =
            if are_titles(&self.titles) { Some(self.titles) } else { fields.invalid("titles", NOT_TITLES) };
        Some(MirroredCourse { id: id?, slug: slug?, titles: titles? })
    }
}

impl Statement for LessonInput {
    type Row = MirroredLesson;

    fn read(self, fields: &mut Reader) -> Option<MirroredLesson> {
        let id = fields.id("id", self.id.number());
        let course_id = fields.reference("courseId", Referenced::Course, self.course_id.number());
        let title = fields.required_text("title", self.title, MOST_TITLE);
        Some(MirroredLesson { id: id?, course_id: course_id?, title: title? })
    }
}

fn is_slug(text: &str) -> bool {
    (1..=MOST_SLUG).contains(&text.chars().count())
        && text.chars().all(|letter| letter.is_alphanumeric() || "-_.~".contains(letter))
}

fn are_titles(titles: &Value) -> bool {
    let is_tag = |tag: &str| {
        (2..=35).contains(&tag.len())
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_title = |title: &str| {
        !title.trim().is_empty() && title.chars().count() <= MOST_TITLE && !title.contains('\0')
    };
    titles.as_object().is_some_and(|titles| {
        !titles.is_empty()
            && titles.iter().all(|(tag, title)| is_tag(tag) && title.as_str().is_some_and(is_title))
    })
}
