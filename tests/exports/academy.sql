-- A few rows in every dataset, with values that are difficult to write to files.
INSERT INTO users (id, name, email, role) VALUES
    (11, 'Ana', 'ana.ñandú@example.com', 'student'),
    (12, 'Bo', '+bo@example.com', 'student'),
    (21, 'Eva', 'eva@example.com', 'teacher'),
    (22, 'Iván', 'ivan@example.com', 'teacher');
INSERT INTO courses (id, slug, titles) VALUES
    (1, 'rust-101', '{"es": "Rust"}'),
    (2, '=cmd', '{"es": "Órdenes"}');
INSERT INTO lessons (id, course_id, title) VALUES
    (101, 1, E'Título; con "comillas", comas y\nsaltos 🎬'),
    (102, 1, '=1+1'),
    (201, 2, '-1');
INSERT INTO course_teacher (id, course_id, teacher_id, assigned_by, assigned_at) VALUES
    (1, 1, 21, 22, '2026-11-02 09:00Z'),
    (2, 2, 21, NULL, '2026-11-02 09:00Z');
INSERT INTO practice_packages (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status) VALUES
    (301, 21, 101, '@SUM(A1:A9)', 4, 10, 'EUR', 'published'),
    (302, 22, NULL, 'Sin lección', 4, 10, 'EUR', 'published');
INSERT INTO practice_package_orders
    (id, practice_package_id, user_id, status, sessions_remaining, paid_at, payment_reference, meta, created_at, updated_at)
VALUES
    (401, 301, 11, 'paid', 3, '2026-11-03 10:00:00.25Z', '-1', '{"note": "a;b,\"c\"\n=d", "n": -1.5, "é": null}',
        '2026-11-03 09:00Z', '2026-11-03 10:00Z'),
    (402, 302, 12, 'pending', 4, NULL, NULL, NULL, '2026-11-04 09:00Z', '2026-11-04 09:00Z');
INSERT INTO discord_practices
    (id, lesson_id, title, type, status, start_at, end_at, capacity, requires_package, practice_package_id, creator_id,
     cohort_label, discord_channel_url, meeting_token)
VALUES
    (501, 101, E' \t=HYPERLINK("https://evil.example")', 'cohort', 'completed', '2026-11-05 18:00Z', '2026-11-05 19:00Z', 12,
        true, 301, 21, 'Año 1; tarde', 'https://discord.example/1', 'a-secret'),
    (502, 201, '''quoted''', 'global', 'scheduled', '2026-12-05 18:00Z', NULL, 5, false, NULL, NULL, NULL, NULL, 'a-secret');
INSERT INTO discord_practice_reservations (practice_id, user_id, status, cancelled_at) VALUES
    (501, 11, 'attended', NULL),
    (501, 12, 'cancelled', '2026-11-05 12:00Z');
INSERT INTO teacher_submissions
    (id, teacher_id, course_id, type, title, summary, status, feedback, reviewed_by, reviewed_at, result_type, result_id, created_at)
VALUES
    (601, 21, 1, 'lesson', '＝1', E'Dos\r\nlíneas', 'approved', 'Muy "bien"', 22, '2026-11-07 09:00Z', 'lesson', 102,
        '2026-11-06 09:00Z'),
    (602, 21, NULL, 'pack', 'Pack', NULL, 'pending', NULL, NULL, NULL, NULL, NULL, '2026-11-06 09:00Z');
INSERT INTO teacher_submission_histories (id, submission_id, status, changed_by, changed_at, notes) VALUES
    (1, 601, 'pending', 21, '2026-11-06 09:00Z', NULL),
    (2, 601, 'approved', 22, '2026-11-07 09:00:00.5Z', 'Sí, "listo"');
SELECT ensure_player_event_partitions('2026-10-01', '2026-11-30');
INSERT INTO video_player_events
    (id, recorded_at, synced_at, user_id, course_id, lesson_id, playback_rate, playback_seconds, watched_seconds,
     video_duration, event, provider, context_tag, metadata)
VALUES
    (701, '2026-10-31 23:59:59.999999Z', '2026-11-01 01:00Z', 11, 1, 101, 1.25, 30, 25, 600, 'progress_tick', 'youtube',
        'player', '{"quality": "hd", "list": [1, 2.5, "a\tb"]}'),
    (702, '2026-11-01 00:00Z', NULL, NULL, NULL, NULL, 1, 0, 0, NULL, 'cta_click', NULL, '=tag', NULL),
    (703, '2026-11-01 00:00Z', NULL, 12, 2, 201, 0.333, 9, 9, 60, 'play', '-vimeo', 'player', '"=text"');
INSERT INTO student_activity_snapshots
    (id, captured_at, user_id, course_id, lesson_id, practice_package_id, category, scope, value, payload)
VALUES
    (801, '2026-11-08 09:00Z', 11, 1, 101, 301, 'practice_reservation', 'discord_practice', 1, '{"a": {"b": [null, true]}}'),
    (802, '2026-11-08 09:00:00.001Z', 12, NULL, NULL, NULL, '-cat', E'|x\u00a0"y"', NULL, NULL);
INSERT INTO teacher_activity_snapshots (id, captured_at, teacher_id, course_id, category, scope, value, payload) VALUES
    (901, '2026-11-09 09:00Z', 21, 1, 'custom', 'teacher', 2147483647, '[]'),
    (902, '2026-11-09 09:00Z', 22, NULL, 'custom', NULL, 0, '-1');
