//! Generates realistic player events: 2,000 viewers of 60 lessons over 60 days.

use std::time::Instant;

use anyhow::Result;

use crate::psql::Psql;

/// Fills the hub's tables and vacuums them, so that they resemble a database in use.
pub fn fill(psql: &Psql, events: u64) -> Result<()> {
    let began = Instant::now();
    psql.run(ACADEMY)?;
    psql.run(&EVENTS.replace(":events", &events.to_string()))?;
    psql.run("VACUUM (ANALYZE) users; VACUUM (ANALYZE) lessons; VACUUM (ANALYZE) video_player_events;")?;
    println!("Inserted {events} events in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// The ids start at 1001, so that they do not collide with other accounts.
const ACADEMY: &str = "
    INSERT INTO users (id, name, email, role)
        SELECT 1000 + n, 'Student ' || n, 'student-' || n || '@academy.example', 'student'
        FROM generate_series(1, 2000) n;
    INSERT INTO courses (id, slug, titles)
        SELECT n, 'course-' || n, jsonb_build_object('es', 'Curso ' || n, 'en', 'Course ' || n)
        FROM generate_series(1, 6) n;
    INSERT INTO lessons (id, course_id, title)
        SELECT n, 1 + (n - 1) / 10, 'Lesson ' || n FROM generate_series(1, 60) n;
";

/// Events in the order of their arrival, with some neighbours swapped.
const EVENTS: &str = r#"
    SET synchronous_commit = off;
    SELECT setseed(0.42);
    SELECT ensure_player_event_partitions((now() - interval '61 days')::date, now()::date);
    INSERT INTO video_player_events (
        recorded_at, synced_at, user_id, course_id, lesson_id, playback_rate, playback_seconds, watched_seconds,
        video_duration, client_event_id, event, provider, context_tag, metadata
    )
    SELECT
        at, CASE WHEN n < :events * 0.99 THEN at + interval '1 hour' END,
        1001 + mod(n * 7919 + viewer, 2000), 1 + (lesson - 1) / 10, lesson,
        CASE WHEN dice < 0.85 THEN 1 WHEN dice < 0.95 THEN 1.25 ELSE 1.5 END,
        mod(n * 15, 1800), 15, 600 + lesson * 20, gen_random_uuid(),
        CASE
            WHEN dice < 0.70 THEN 'progress_tick' WHEN dice < 0.82 THEN 'play' WHEN dice < 0.92 THEN 'pause'
            WHEN dice < 0.97 THEN 'seek' ELSE 'cta_click'
        END,
        (ARRAY['youtube', 'vimeo', 'cloudflare'])[1 + mod(lesson, 3)],
        'player',
        CASE
            WHEN dice >= 0.92 AND dice < 0.97 THEN jsonb_build_object('from', mod(n, 900), 'to', mod(n * 3, 900))
            WHEN dice >= 0.97 THEN '{"label": "Más información", "position": "end"}'::jsonb
        END
    FROM (
        SELECT
            n, random() AS dice, (random() * 40)::int AS viewer, 1 + (random() * 59)::int AS lesson,
            date_trunc('milliseconds',
                now() - interval '60 days' * (1 - n::float8 / :events) - random() * interval '10 seconds') AS at
        FROM generate_series(1::bigint, :events) n
    ) drawn;
"#;
