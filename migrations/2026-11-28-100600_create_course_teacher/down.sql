DROP TABLE course_teacher;
