DROP TABLE teacher_submissions;
