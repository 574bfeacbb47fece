//! The people of the demo academy.

use domain::Role;
use rand::Rng;
use rand::seq::SliceRandom as _;

use super::ids::Ids;
use super::names::person;
use super::sign_in::ADMIN;
use crate::models::mirrored::user::MirroredUser;

/// The number of teachers besides the one who can sign in.
const OTHER_TEACHERS: usize = 7;
/// The maximum number of courses that a student takes.
const MAX_COURSES_PER_STUDENT: usize = 3;

/// The people of the academy, by role.
pub struct People {
    /// The rows of all people.
    pub rows: Vec<MirroredUser>,
    /// The id of the admin.
    pub admin: i64,
    /// The ids of the teacher admins.
    pub teacher_admins: Vec<i64>,
    /// The ids of the teachers.
    pub teachers: Vec<i64>,
    pub students: Vec<Student>,
}

/// A student and their courses.
pub struct Student {
    pub id: i64,
    /// Indexes into the curriculum, in the order in which the student takes the courses.
    pub courses: Vec<usize>,
}

impl People {
    /// Generates the people, with this number of students for this number of courses.
    pub fn generate(rng: &mut impl Rng, ids: &mut Ids, students: usize, courses: usize) -> Self {
        let mut people = Self {
            rows: Vec::with_capacity(students + OTHER_TEACHERS + 6),
            admin: 0,
            teacher_admins: Vec::new(),
            teachers: Vec::new(),
            students: Vec::with_capacity(students),
        };
        people.admin = people.add(ids, Role::Admin, "Lucía Herrera Campos", ADMIN);
        people.add(ids, Role::Service, "Plataforma de la academia", "plataforma@academia.example");
        let coordination =
            people.add(ids, Role::TeacherAdmin, "Andrés Ibáñez Rojas", "coordinacion@academia.example");
        let head = people.add(ids, Role::TeacherAdmin, "Inés Quiñones Vega", "jefatura@academia.example");
        people.teacher_admins = vec![coordination, head];
        people.grant_manage_settings(head);
        let teacher = people.add(ids, Role::Teacher, "Óscar Domínguez Peña", "docente@academia.example");
        people.teachers.push(teacher);
        for number in 1..=OTHER_TEACHERS {
            let (name, email) = person(rng, number);
            let teacher = people.add(ids, Role::Teacher, &name, &format!("docente.{email}"));
            people.teachers.push(teacher);
        }
        for number in 1..=students {
            let (name, email) = match number {
                1 => ("Noelia Núñez D'Angelo".to_owned(), "estudiante@academia.example".to_owned()),
                _ => person(rng, number),
            };
            let id = people.add(ids, Role::Student, &name, &email);
            let mut taken: Vec<usize> = (0..courses).collect();
            taken.shuffle(rng);
            taken.truncate(rng.random_range(1..=MAX_COURSES_PER_STUDENT));
            people.students.push(Student { id, courses: taken });
        }
        people
    }

    fn add(&mut self, ids: &mut Ids, role: Role, name: &str, email: &str) -> i64 {
        let id = ids.take();
        self.rows.push(MirroredUser {
            id,
            name: name.to_owned(),
            email: email.to_owned(),
            role: role.key(),
            manage_settings: None,
            active: true,
        });
        id
    }

    fn grant_manage_settings(&mut self, id: i64) {
        for row in self.rows.iter_mut().filter(|row| row.id == id) {
            row.manage_settings = Some(true);
        }
    }
}
