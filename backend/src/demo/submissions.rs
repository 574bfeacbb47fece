//! Submissions of teachers, and their reviews.

use chrono::TimeDelta;
use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::ids::Ids;
use super::people::People;
use crate::models::mirrored::teacher_submission::{MirroredSubmission, NewSubmissionChange};

/// The number of past days in which submissions are made.
const HISTORY_DAYS: i64 = 80;

/// A proposal: the index of the course in the curriculum, the type, the title and the summary.
type Proposal = (usize, &'static str, &'static str, &'static str);

const PROPOSALS: [Proposal; 12] = [
    (
        0,
        "module",
        "Módulo extra: «pronunciación»",
        "Diez ejercicios de escucha, grabados con alumnos reales.",
    ),
    (
        2,
        "lesson",
        "=PROMEDIO(B2:B20) explicado con calma",
        "La duda que más se repite; con hoja de práctica.",
    ),
    (0, "pack", "Pack intensivo, 12 sesiones", "Para quien se examina en junio. Precio por hablar."),
    (1, "lesson", "Cómo leer un mensaje de error", "Línea a línea, sin prisa:\n1. qué\n2. dónde\n3. por qué"),
    (3, "module", "Portafolio \"en una tarde\"", "Guía y plantilla; falta grabar el último vídeo."),
    (4, "lesson", "+10 ideas para tu primer anuncio", "Ejemplos de comercios del barrio, con cifras."),
    (5, "lesson", "El IVA, contado a mi abuela 👵", "Corto y con humor; 6 minutos."),
    (1, "pack", "Pack de repaso; 3 sesiones", "Solo en agosto."),
    (3, "module", "Accesibilidad: de la teoría al teclado", "Checklist, demos y una práctica en vivo."),
    (4, "lesson", "@menciones, hilos y canales en Discord", "Lo mínimo para la primera práctica."),
    (5, "lesson", "-50 % de gastos hormiga: reto de un mes", "Con plantilla descargable."),
    (0, "module", "Entrevistas simuladas", "Guiones para parejas, niveles A2–B2."),
];

/// Generates two submissions for each proposal, with their histories.
pub fn generate(
    rng: &mut impl Rng,
    calendar: Calendar,
    people: &People,
    catalog: &Catalog,
    ids: &mut Ids,
) -> (Vec<MirroredSubmission>, Vec<NewSubmissionChange>) {
    let mut submitted = Vec::new();
    for (course, kind, title, summary) in PROPOSALS.iter().chain(&PROPOSALS) {
        let teacher_id = catalog.teachers[*course].choose(rng).copied().unwrap_or(people.admin);
        let created_at = calendar.study_time(rng, HISTORY_DAYS) - TimeDelta::days(3);
        let (status, feedback) = match rng.random_range(0..10) {
            0..3 => ("pending", None),
            3..8 => ("approved", Some("¡Muy bien! Se publica el lunes.")),
            _ => ("rejected", Some("Buena idea, pero \"ya existe\": mira el módulo 4, lección 2.")),
        };
        let reviewed_at =
            feedback.map(|_| created_at + TimeDelta::minutes(rng.random_range(200..2 * 24 * 60)));
        submitted.push(MirroredSubmission {
            id: ids.take(),
            teacher_id,
            course_id: Some(catalog.courses[*course].id),
            kind: (*kind).into(),
            title: (*title).to_owned(),
            summary: Some((*summary).to_owned()),
            payload: Some(json!({ "pages": rng.random_range(2..30), "language": "es" })),
            status: status.into(),
            feedback: feedback.map(str::to_owned),
            reviewed_by: reviewed_at.map(|_| people.teacher_admins[rng.random_range(0..2)]),
            reviewed_at,
            result_type: (status == "approved").then(|| (*kind).to_owned()),
            result_id: (status == "approved" && *kind == "lesson")
                .then(|| catalog.videos[*course].choose(rng).map(|video| video.lesson_id))
                .flatten(),
            created_at,
        });
    }
    let changes = submitted.iter().flat_map(history).collect();
    (submitted, changes)
}

fn history(row: &MirroredSubmission) -> impl Iterator<Item = NewSubmissionChange> {
    let submitted = NewSubmissionChange {
        submission_id: row.id,
        status: "pending".into(),
        changed_by: Some(row.teacher_id),
        changed_at: row.created_at,
        notes: None,
    };
    let reviewed = row.reviewed_at.map(|changed_at| NewSubmissionChange {
        submission_id: row.id,
        status: row.status.clone(),
        changed_by: row.reviewed_by,
        changed_at,
        notes: row.feedback.clone(),
    });
    std::iter::once(submitted).chain(reviewed)
}
