SELECT lock_tables('users', 'lessons', 'video_player_events', 'courses');

DROP TRIGGER keep_all_that_player_events_name ON users;
DROP TRIGGER keep_all_that_player_events_name ON courses;
DROP TRIGGER keep_all_that_player_events_name ON lessons;
DROP TRIGGER keep_what_player_events_name ON users;
DROP TRIGGER keep_what_player_events_name ON courses;
DROP TRIGGER keep_what_player_events_name ON lessons;
DROP FUNCTION keep_what_player_events_name();

ALTER TABLE video_player_events
    ADD CONSTRAINT video_player_events_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL,
    ADD CONSTRAINT video_player_events_course_id_fkey FOREIGN KEY (course_id) REFERENCES courses ON DELETE RESTRICT,
    ADD CONSTRAINT video_player_events_lesson_id_fkey FOREIGN KEY (lesson_id) REFERENCES lessons ON DELETE RESTRICT;
