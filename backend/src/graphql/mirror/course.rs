//! Inputs for courses and lessons.

use async_graphql::InputObject;
use domain::Text;
use serde_json::Value;

use super::RowInput;
use crate::graphql::lenient::Lenient;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::course::MirroredCourse;
use crate::models::mirrored::lesson::MirroredLesson;
use crate::models::reference::ReferencedTable;

const MAX_SLUG_CHARACTERS: usize = 200;
/// The maximum length of a title.
pub const MAX_TITLE_CHARACTERS: usize = 500;

const INVALID_SLUG: Text = Text::new(
    "No es un slug. Se aceptan de 1 a 200 letras, cifras y los signos - _ . ~",
    "Not a slug. Accepted: 1 to 200 letters, digits or the characters - _ . ~",
);
const INVALID_TITLES: Text = Text::new(
    "Se acepta un objeto con un título por idioma, como {\"es\": \"Álgebra\", \"en\": \"Algebra\"}, con títulos de 1 a 500 caracteres.",
    "Accepted: an object with a title for each language, such as {\"es\": \"Álgebra\", \"en\": \"Algebra\"}, with titles of 1 to 500 characters.",
);

/// A course of the learning platform.
#[derive(InputObject)]
pub struct CourseInput {
    /// ID on the platform.
    id: Lenient<Id>,
    /// Unique short name for URLs, 1–200 letters, digits or `-_.~`.
    slug: String,
    /// Titles by language, at least one: `{"es": "Álgebra", "en": "Algebra"}`.
    titles: Value,
}

/// A lesson of the learning platform.
#[derive(InputObject)]
pub struct LessonInput {
    /// ID on the platform.
    id: Lenient<Id>,
    /// ID of its course.
    course_id: Lenient<Id>,
    /// Title, up to 500 characters.
    title: String,
}

impl RowInput for CourseInput {
    type Row = MirroredCourse;

    fn read(self, fields: &mut Reader) -> Option<MirroredCourse> {
        let id = fields.id("id", self.id.number());
        let slug = if is_slug(&self.slug) { Some(self.slug) } else { fields.invalid("slug", INVALID_SLUG) };
        let titles = if are_titles(&self.titles) {
            Some(self.titles)
        } else {
            fields.invalid("titles", INVALID_TITLES)
        };
        Some(MirroredCourse { id: id?, slug: slug?, titles: titles? })
    }
}

impl RowInput for LessonInput {
    type Row = MirroredLesson;

    fn read(self, fields: &mut Reader) -> Option<MirroredLesson> {
        let id = fields.id("id", self.id.number());
        let course_id = fields.reference("courseId", ReferencedTable::Course, self.course_id.number());
        let title = fields.required_text("title", self.title, MAX_TITLE_CHARACTERS);
        Some(MirroredLesson { id: id?, course_id: course_id?, title: title? })
    }
}

fn is_slug(text: &str) -> bool {
    (1..=MAX_SLUG_CHARACTERS).contains(&text.chars().count())
        && text.chars().all(|letter| letter.is_alphanumeric() || "-_.~".contains(letter))
}

fn are_titles(titles: &Value) -> bool {
    let is_tag = |tag: &str| {
        (2..=35).contains(&tag.len())
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_title = |title: &str| {
        !title.trim().is_empty() && title.chars().count() <= MAX_TITLE_CHARACTERS && !title.contains('\0')
    };
    titles.as_object().is_some_and(|titles| {
        !titles.is_empty()
            && titles.iter().all(|(tag, title)| is_tag(tag) && title.as_str().is_some_and(is_title))
    })
}
