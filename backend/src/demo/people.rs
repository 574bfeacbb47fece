//! Who is at the demo academy.

use domain::Role;
use rand::Rng;
use rand::seq::SliceRandom as _;

use super::ids::Ids;
use super::names::person;
use super::sign_in::ADMIN;
use crate::models::mirrored::user::MirroredUser;

/// How many teachers there are beside the one who signs in.
const TEACHERS: usize = 7;
/// Courses a student takes, at most.
const MOST_COURSES: usize = 3;

/// Everybody, by what they are.
pub struct People {
    /// As they are stored.
    pub rows: Vec<MirroredUser>,
    /// The admin's id.
    pub admin: i64,
    /// The Teacher Admins' ids.
    pub teacher_admins: Vec<i64>,
    /// The teachers' ids.
    pub teachers: Vec<i64>,
    /// The students.
    pub students: Vec<Student>,
}

/// A student and what they take.
pub struct Student {
    /// Their id.
    pub id: i64,
    /// Indexes of their courses, in the order in which they take them.
    pub courses: Vec<usize>,
}

impl People {
    /// Everybody, with so many students of so many courses.
    pub fn gather(rng: &mut impl Rng, ids: &mut Ids, students: usize, courses: usize) -> Self {
        let mut people = Self {
            rows: Vec::with_capacity(students + TEACHERS + 6),
            admin: 0,
            teacher_admins: Vec::new(),
            teachers: Vec::new(),
            students: Vec::with_capacity(students),
        };
        people.admin = people.join(ids, Role::Admin, "Lucía Herrera Campos", ADMIN);
        people.join(ids, Role::Service, "Plataforma de la academia", "plataforma@academia.example");
        let coordination =
            people.join(ids, Role::TeacherAdmin, "Andrés Ibáñez Rojas", "coordinacion@academia.example");
        let head = people.join(ids, Role::TeacherAdmin, "Inés Quiñones Vega", "jefatura@academia.example");
        people.teacher_admins = vec![coordination, head];
        people.grant_settings(head);
        let teacher = people.join(ids, Role::Teacher, "Óscar Domínguez Peña", "docente@academia.example");
        people.teachers.push(teacher);
        for number in 1..=TEACHERS {
            let (name, email) = person(rng, number);
            let teacher = people.join(ids, Role::Teacher, &name, &format!("docente.{email}"));
            people.teachers.push(teacher);
        }
        for number in 1..=students {
            let (name, email) = match number {
                1 => ("Noelia Núñez D'Angelo".to_owned(), "estudiante@academia.example".to_owned()),
                _ => person(rng, number),
            };
            let id = people.join(ids, Role::Student, &name, &email);
            let mut taken: Vec<usize> = (0..courses).collect();
            taken.shuffle(rng);
            taken.truncate(rng.random_range(1..=MOST_COURSES));
            people.students.push(Student { id, courses: taken });
        }
        people
    }

    fn join(&mut self, ids: &mut Ids, role: Role, name: &str, email: &str) -> i64 {
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

    fn grant_settings(&mut self, id: i64) {
        for row in self.rows.iter_mut().filter(|row| row.id == id) {
            row.manage_settings = Some(true);
        }
    }
}
