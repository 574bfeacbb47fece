//! The tables, as diesel sees them.
//!
//! Generated from a migrated database by the test `generated::the_diesel_schema_is_current`, comments included.
//! Change a migration, not this file.

diesel::table! {
    /// Alarms that people were notified of. The server that advances `notified_at` sends the notifications, so that of several servers only one does.
    alarms (name) {
        /// What the alarm is about, such as `telemetry_backlog`.
        name -> Text,
        /// When people were last notified of the alarm.
        notified_at -> Timestamptz,
        /// When people were first notified of the alarm; null once they were notified of its end.
        active_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Tokens for scripts and services. Each has a subset of its owner's permissions.
    api_tokens (id) {
        /// Id of the token; not a secret.
        id -> Int8,
        /// The owner; the row is deleted with the user.
        user_id -> Int8,
        /// Name that the owner gave it.
        name -> Text,
        /// First characters of the token, by which its owner recognizes it.
        prefix -> Text,
        /// SHA-256 of the token, which is shown once and not stored.
        token_hash -> Bytea,
        /// Permissions of the token: read, export, import, sync, record, platform.
        scopes -> Array<Text>,
        /// When the token was created.
        created_at -> Timestamptz,
        /// When the token expires; null for never.
        expires_at -> Nullable<Timestamptz>,
        /// When the token was last accepted.
        last_used_at -> Nullable<Timestamptz>,
        /// When the token was revoked by its owner or an admin.
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Current assignments of teachers to courses.
    course_teacher (id) {
        /// Breaks ties in the order of the dataset.
        id -> Int8,
        /// The course.
        course_id -> Int8,
        /// The teacher.
        teacher_id -> Int8,
        /// Who assigned the teacher; null if unknown.
        assigned_by -> Nullable<Int8>,
        /// When the teacher was assigned; the date of the dataset.
        assigned_at -> Timestamptz,
    }
}

diesel::table! {
    /// Courses, mirrored from the learning platform.
    courses (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// Name in the platform's URLs.
        slug -> Text,
        /// Title by language, at least one: {"es": "…", "en": "…"}.
        titles -> Jsonb,
        /// When the row was created.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Students' requests for a practice of a lesson that has none planned.
    discord_practice_requests (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// The lesson.
        lesson_id -> Int8,
        /// The student.
        user_id -> Int8,
        /// pending, escalated, resolved or cancelled.
        status -> Text,
        /// When the student requested it.
        created_at -> Timestamptz,
        /// When the teachers were notified.
        escalated_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Reserved seats in practices: at most one for each practice and user.
    discord_practice_reservations (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// The practice.
        practice_id -> Int8,
        /// The student.
        user_id -> Int8,
        /// pending, confirmed, attended or cancelled. Reservations take a seat unless they are cancelled.
        status -> Text,
        /// Order whose session pays for the seat.
        order_id -> Nullable<Int8>,
        /// When the seat was reserved.
        reserved_at -> Timestamptz,
        /// When it was cancelled; set exactly when the status is cancelled.
        cancelled_at -> Nullable<Timestamptz>,
        /// When attendance was established.
        attended_at -> Nullable<Timestamptz>,
        /// When a snapshot of the attendance or the cancellation was recorded. It is set once, so there is at most one such snapshot.
        outcome_recorded_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Practice sessions on Discord, mirrored from the learning platform.
    discord_practices (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// Lesson of the practice, which determines its course.
        lesson_id -> Int8,
        /// Title.
        title -> Text,
        /// cohort, global, or another type of the platform.
        #[sql_name = "type"]
        type_ -> Text,
        /// scheduled, cancelled or completed.
        status -> Text,
        /// When it starts; the date of the dataset.
        start_at -> Timestamptz,
        /// When it ends; null for `start_at` plus `duration_minutes`.
        end_at -> Nullable<Timestamptz>,
        /// Planned duration, in minutes.
        duration_minutes -> Int4,
        /// Number of seats.
        capacity -> Int4,
        /// Whether a seat costs a session of a pack.
        requires_package -> Bool,
        /// The pack that pays for seats; null for any pack.
        practice_package_id -> Nullable<Int8>,
        /// Who planned it.
        creator_id -> Nullable<Int8>,
        /// Name of its cohort.
        cohort_label -> Nullable<Text>,
        /// URL of the Discord channel.
        discord_channel_url -> Nullable<Text>,
        /// Secret that opens the meeting; never selected for a dataset, an export or a log.
        meeting_token -> Nullable<Text>,
        /// When the row was created.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// The audit log of exports.
    export_audits (id) {
        /// Id of the audit record.
        id -> Int8,
        /// Who exported; null for the command line.
        user_id -> Nullable<Int8>,
        /// Key of the dataset, such as `video_player_events`.
        dataset -> Text,
        /// csv, json, ndjson, xlsx or parquet.
        format -> Text,
        /// The filters, by key.
        filters -> Jsonb,
        /// The selected columns; null for all.
        column_keys -> Nullable<Array<Text>>,
        /// Number of rows that the reader received.
        rows -> Int8,
        /// Number of bytes that the reader received, before compression.
        bytes -> Int8,
        /// SHA-256 of the content before compression; null if the file is not complete.
        sha256 -> Nullable<Bytea>,
        /// complete, aborted (by the reader or by a crash of the server) or failed. An export in progress counts as aborted.
        outcome -> Text,
        /// Network address of the reader; null for the command line.
        address -> Nullable<Inet>,
        /// When it started.
        started_at -> Timestamptz,
        /// Duration, in milliseconds.
        duration_ms -> Int8,
        /// When its process last reported that it is in progress, which it does every few seconds; null after its end.
        heartbeat_at -> Nullable<Timestamptz>,
        /// Why the export failed, if the user can do something about it.
        message -> Nullable<Text>,
    }
}

diesel::table! {
    /// Rows that an import rejected, to be corrected and imported again.
    import_rows_rejected (id) {
        /// Breaks ties in the order.
        id -> Int8,
        /// The import; the row is deleted with it.
        import_id -> Int8,
        /// Line of the file where the row starts, counted from 1.
        line -> Int8,
        /// Column with the invalid value; null if the row as a whole is invalid.
        column_name -> Nullable<Text>,
        /// The invalid value.
        value -> Nullable<Text>,
        /// Why the row was rejected.
        reason -> Text,
        /// The cells of the row, in the order of `imports.file_columns`.
        cells -> Array<Text>,
    }
}

diesel::table! {
    /// Imports of snapshot files, including dry runs.
    imports (id) {
        /// Id of the import.
        id -> Int8,
        /// Key of the dataset, such as `student_activity_snapshots`.
        dataset -> Text,
        /// running, done, rejected, failed or undone.
        state -> Text,
        /// `all_or_nothing` or `skip_invalid`.
        mode -> Text,
        /// Whether rows are validated and counted, but not inserted.
        dry_run -> Bool,
        /// Name of the uploaded file; never used as a path.
        filename -> Text,
        /// Number of received bytes.
        size_bytes -> Int8,
        /// Number of bytes that were read.
        bytes_read -> Int8,
        /// SHA-256 of the file; null if the file was not read to its end.
        content_sha256 -> Nullable<Bytea>,
        /// Names of the columns, as they are in the file; null if it was not read to its end.
        file_columns -> Nullable<Array<Text>>,
        /// Number of rows that were read.
        rows_read -> Int8,
        /// Number of inserted rows, or of rows that a dry run would have inserted.
        rows_inserted -> Int8,
        /// Number of rows that existed already.
        rows_duplicate -> Int8,
        /// Number of rejected rows, which are in `import_rows_rejected`.
        rows_rejected -> Int8,
        /// Why it was rejected or failed, in the importer's language.
        message -> Nullable<Text>,
        /// Who imported the file.
        imported_by -> Int8,
        /// When it started; also the date of rows without a date.
        started_at -> Timestamptz,
        /// When it ended; null while it is running.
        finished_at -> Nullable<Timestamptz>,
        /// When it was undone; set exactly when the state is undone.
        undone_at -> Nullable<Timestamptz>,
        /// Who undid it.
        undone_by -> Nullable<Int8>,
    }
}

diesel::table! {
    /// This hub, in one row.
    installation (id) {
        /// Identifies this hub. Analytics services detect repeated events by it.
        id -> Uuid,
        /// Always true, so that there is only one row.
        singleton -> Bool,
    }
}

diesel::table! {
    /// Lessons, mirrored from the learning platform.
    lessons (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// Course of the lesson. A course with lessons cannot be deleted.
        course_id -> Int8,
        /// Title.
        title -> Text,
        /// When the row was created.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Mails to send, one row for each notification that is also sent by mail.
    mail_outbox (notification_id) {
        /// The notification to send to its user; the row is deleted with it.
        notification_id -> Int8,
        /// When it was queued.
        created_at -> Timestamptz,
        /// Time of the next attempt. During an attempt, the time after which the process that sends it counts as dead.
        next_attempt_at -> Timestamptz,
        /// Number of attempts that were started.
        attempts -> Int4,
        /// When the mail server accepted it; null until then.
        sent_at -> Nullable<Timestamptz>,
        /// When its last attempt failed, or when a newer mail replaced it; null for a mail that is sent or to be sent.
        failed_at -> Nullable<Timestamptz>,
        /// Why the last attempt failed; never contains a secret.
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    /// Notifications in the Hub, one row for each person.
    notifications (id) {
        /// Id of the notification.
        id -> Int8,
        /// The recipient; the row is deleted with the user.
        user_id -> Int8,
        /// What it is about, such as `telemetry_backlog`.
        kind -> Text,
        /// Values for its text, which is written in the language of the reader.
        data -> Jsonb,
        /// When it was sent.
        created_at -> Timestamptz,
        /// When it was read; null while it is unread.
        read_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Domain events of the learning platform that were applied, so that none is applied twice.
    platform_events (event_id) {
        /// Id that the platform assigned.
        event_id -> Uuid,
        /// Kind of the event.
        kind -> Text,
        /// When it was applied.
        applied_at -> Timestamptz,
        /// Snapshots that it created: of teachers for an escalated request, of students for all others.
        snapshot_ids -> Array<Int8>,
    }
}

diesel::table! {
    /// Ids that video players generate for their events, kept for a month, so that a retry records no event twice. They are part of a user's data. Distribution column: `user_id`.
    player_event_keys (client_event_id, user_id) {
        /// Id that the player generated.
        client_event_id -> Uuid,
        /// The viewer. Equal ids of two viewers are different keys.
        user_id -> Int8,
        /// The recorded event.
        event_id -> Int8,
        /// Lesson whose progress the event updated; null if it was not a progress event.
        progress_lesson_id -> Nullable<Int8>,
        /// When the event was recorded.
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// Purchases of packs, with the sessions that remain.
    practice_package_orders (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// The pack.
        practice_package_id -> Int8,
        /// The student who bought it.
        user_id -> Int8,
        /// pending, paid, cancelled or completed.
        status -> Text,
        /// Number of sessions that are not consumed yet.
        sessions_remaining -> Int4,
        /// When it was paid.
        paid_at -> Nullable<Timestamptz>,
        /// Reference of the payment provider.
        payment_reference -> Nullable<Text>,
        /// Other data that the learning platform keeps with the order.
        meta -> Nullable<Jsonb>,
        /// When it was ordered; the date of the dataset.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
        /// When a snapshot of the purchase was recorded. It is set once, so there is at most one such snapshot.
        purchase_recorded_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Packs of practice sessions that teachers offer, mirrored from the learning platform.
    practice_packages (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// Teacher who offers the pack.
        creator_id -> Int8,
        /// Lesson of the pack, which determines its course; null for none.
        lesson_id -> Nullable<Int8>,
        /// Title.
        title -> Text,
        /// Number of sessions in one purchase.
        sessions_count -> Int4,
        /// Price, in units of the currency.
        price_amount -> Numeric,
        /// ISO 4217 code of the currency.
        price_currency -> Text,
        /// Status on the learning platform, as the platform names it.
        status -> Text,
        /// When the row was created.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Exports that users saved, to repeat them.
    saved_exports (id) {
        /// Id of the saved export.
        id -> Int8,
        /// Who saved it; the row is deleted with the user.
        user_id -> Int8,
        /// Name that the user gave it, unique among theirs.
        name -> Text,
        /// Key of the dataset.
        dataset -> Text,
        /// File format.
        format -> Text,
        /// The other fields of a request for an export link, such as filters. They are checked at each use.
        options -> Jsonb,
        /// When it was saved.
        created_at -> Timestamptz,
        /// When a link was last created from it; null for never.
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Scheduled jobs. The server that advances `due_at` runs the job, so that of several servers only one does. A job without a row is due.
    scheduled_jobs (name) {
        /// Name of the job, such as `telemetry_monitor_backlog`.
        name -> Text,
        /// When it is due.
        due_at -> Timestamptz,
        /// When it was last started.
        last_started_at -> Timestamptz,
        /// When to retry it before `due_at`, because it could not run; null if it could.
        retry_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Refresh tokens: one row per token, one family per sign-in.
    sessions (id) {
        /// Id of the token; not a secret.
        id -> Uuid,
        /// Shared by all tokens of one sign-in.
        family_id -> Uuid,
        /// The user who signed in; the row is deleted with the user.
        user_id -> Int8,
        /// SHA-256 of the token. The token itself is not stored.
        token_hash -> Bytea,
        /// When the token was issued.
        created_at -> Timestamptz,
        /// When the token expires.
        expires_at -> Timestamptz,
        /// When the token was replaced by its successor. Using it after that ends the family.
        rotated_at -> Nullable<Timestamptz>,
        /// When the token was revoked, by a sign-out or because a token was reused.
        revoked_at -> Nullable<Timestamptz>,
        /// Network address that the token was issued to.
        address -> Nullable<Inet>,
        /// User agent that the token was issued to.
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    /// Activity of students, captured from the platform or imported. Distribution column: id.
    student_activity_snapshots (id) {
        /// Breaks ties in the order of the dataset.
        id -> Int8,
        /// The time that it describes; the date of the dataset.
        captured_at -> Timestamptz,
        /// When the row was created.
        created_at -> Timestamptz,
        /// The student. Users are anonymized and not deleted, so counts stay the same.
        user_id -> Int8,
        /// Course that it is about; null for none.
        course_id -> Nullable<Int8>,
        /// Lesson that it is about; null for none.
        lesson_id -> Nullable<Int8>,
        /// Pack that it is about; null for none.
        practice_package_id -> Nullable<Int8>,
        /// Import that inserted it; null if it was captured from the platform.
        import_id -> Nullable<Int8>,
        /// The captured number, whose meaning depends on the category.
        value -> Nullable<Int4>,
        /// What was captured, such as `practice_reservation` or `practice_attendance`. Imports may use other categories.
        category -> Text,
        /// Part of the platform that it is about, such as `discord_practice`.
        scope -> Nullable<Text>,
        /// Details, whose keys depend on the category.
        payload -> Nullable<Jsonb>,
    }
}

diesel::table! {
    /// Activity of teachers, captured from the platform or imported; for admins only. Distribution column: id.
    teacher_activity_snapshots (id) {
        /// Breaks ties in the order of the dataset.
        id -> Int8,
        /// The time that it describes; the date of the dataset.
        captured_at -> Timestamptz,
        /// When the row was created.
        created_at -> Timestamptz,
        /// The teacher. Users are anonymized and not deleted, so counts stay the same.
        teacher_id -> Int8,
        /// Course that it is about; null for none.
        course_id -> Nullable<Int8>,
        /// Lesson that it is about; null for none.
        lesson_id -> Nullable<Int8>,
        /// Pack that it is about; null for none.
        practice_package_id -> Nullable<Int8>,
        /// Import that inserted it; null if it was captured from the platform.
        import_id -> Nullable<Int8>,
        /// The captured number, whose meaning depends on the category.
        value -> Nullable<Int4>,
        /// What was captured, such as `practice_request_escalated`. Imports may use other categories.
        category -> Text,
        /// Part of the platform that it is about, such as `discord_practice`.
        scope -> Nullable<Text>,
        /// Details, whose keys depend on the category.
        payload -> Nullable<Jsonb>,
    }
}

diesel::table! {
    /// Status changes of teacher submissions, ordered by `changed_at` and id.
    teacher_submission_histories (id) {
        /// Breaks ties in the order.
        id -> Int8,
        /// The submission; the row is deleted with it.
        submission_id -> Int8,
        /// The new status.
        status -> Text,
        /// Who changed it; null if unknown.
        changed_by -> Nullable<Int8>,
        /// When it changed.
        changed_at -> Timestamptz,
        /// The stated reason.
        notes -> Nullable<Text>,
    }
}

diesel::table! {
    /// Modules, lessons and packs that teachers propose, mirrored from the learning platform.
    teacher_submissions (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// Who proposes it.
        teacher_id -> Int8,
        /// Course that it is proposed for; null for none.
        course_id -> Nullable<Int8>,
        /// module, lesson or pack.
        #[sql_name = "type"]
        type_ -> Text,
        /// Proposed title.
        title -> Text,
        /// Summary.
        summary -> Nullable<Text>,
        /// Content of the proposal, in the format of the platform.
        payload -> Nullable<Jsonb>,
        /// pending, approved or rejected. `teacher_submission_histories` has every change.
        status -> Text,
        /// The reviewer's answer.
        feedback -> Nullable<Text>,
        /// Who reviewed it.
        reviewed_by -> Nullable<Int8>,
        /// When it was reviewed.
        reviewed_at -> Nullable<Timestamptz>,
        /// Type of the platform's object that it became.
        result_type -> Nullable<Text>,
        /// Id of the platform's object that it became.
        result_id -> Nullable<Int8>,
        /// When it was proposed; the date of the dataset.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Deliveries of player events to analytics drivers. An event gets a row for a driver with its first outcome, or when its run ends while it is pending for that driver. Distribution column: `event_id`.
    telemetry_deliveries (event_id, driver) {
        /// The player event.
        event_id -> Int8,
        /// When the event happened, as in `video_player_events`.
        recorded_at -> Timestamptz,
        /// When the event arrived at the hub; null if it was delivered at the first attempt.
        arrived_at -> Nullable<Timestamptz>,
        /// When it was first sent.
        first_attempt_at -> Nullable<Timestamptz>,
        /// When it was last sent.
        last_attempt_at -> Nullable<Timestamptz>,
        /// It is not sent again before this time.
        next_attempt_at -> Nullable<Timestamptz>,
        /// When the driver accepted it; set exactly when the state is delivered.
        delivered_at -> Nullable<Timestamptz>,
        /// The last run that processed it.
        batch_id -> Nullable<Int8>,
        /// Number of attempts.
        attempts -> Int4,
        /// Number of attempts without a response, including those of runs that died.
        unanswered -> Int4,
        /// HTTP status of the last response.
        http_status -> Nullable<Int4>,
        /// Whether an attempt may have succeeded before another one was made or became necessary, so that the service may have the event twice.
        maybe_duplicate -> Bool,
        /// ga4 or mixpanel.
        driver -> Text,
        /// pending or retry while unfinished; finally delivered, dead, expired or skipped.
        state -> Text,
        /// URL that it was last sent to, without the query.
        endpoint -> Nullable<Text>,
        /// Class of the last failure, such as ambiguous, throttled or refused.
        error_class -> Nullable<Text>,
        /// The driver's error code.
        error_code -> Nullable<Text>,
        /// The driver's error message; never contains a secret.
        error_message -> Nullable<Text>,
    }
}

diesel::table! {
    /// The analytics drivers: whether they are enabled, and their state between two runs of the sync.
    telemetry_drivers (driver) {
        /// ga4 or mixpanel.
        driver -> Text,
        /// When a process first had settings for it; null if none had, or since telemetry:sync --forget.
        enabled_since -> Nullable<Timestamptz>,
        /// Older events are not pending for it, because they were too old when it was enabled.
        sends_from -> Nullable<Timestamptz>,
        /// Nothing is sent before this time, because the service asked for a pause.
        paused_until -> Nullable<Timestamptz>,
        /// Why the last run stopped sending to it; null once it accepts events again; never contains a secret.
        outage -> Nullable<Jsonb>,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Player events in flight, many per row. If their run dies, they may have been delivered.
    telemetry_leases (id) {
        /// Id of the lease.
        id -> Int8,
        /// The run that sends them. Only one run holds the run lock, so leases of other runs are stale.
        run_id -> Int8,
        /// ga4 or mixpanel.
        driver -> Text,
        /// When it was stored, just before the first event was sent.
        taken_at -> Timestamptz,
        /// The events without an outcome.
        event_ids -> Array<Int8>,
        /// When each of these events happened, as in `video_player_events`.
        recorded_at -> Array<Timestamptz>,
    }
}

diesel::table! {
    /// Player events for which at least one driver has no row in `telemetry_deliveries`. Distribution column: `event_id`.
    telemetry_pending (recorded_at, event_id) {
        /// When the event happened, as in `video_player_events`.
        recorded_at -> Timestamptz,
        /// The player event.
        event_id -> Int8,
        /// When the event arrived at the hub.
        arrived_at -> Timestamptz,
        /// The drivers without a delivery of it. Null while no driver has one: it is then pending for each enabled driver whose `sends_from` is not later.
        drivers -> Nullable<Array<Text>>,
    }
}

diesel::table! {
    /// Runs of the sync with the analytics services.
    telemetry_sync_logs (id) {
        /// Id of the run.
        id -> Int8,
        /// running, success, partial, failed or skipped.
        status -> Text,
        /// schedule, command or user.
        trigger -> Text,
        /// Who started it; null for the schedule and the command line.
        triggered_by -> Nullable<Int8>,
        /// Maximum number of events to send; null for no limit.
        event_limit -> Nullable<Int4>,
        /// One object for each driver, with its counts: attempted, delivered, retrying, dead, expired, requests.
        drivers -> Jsonb,
        /// Enabled drivers that its process has no settings for. Their events stay pending.
        drivers_left_out -> Jsonb,
        /// Number of events that reached their final outcome.
        processed -> Int4,
        /// When it started.
        started_at -> Timestamptz,
        /// When it ended; null exactly while it is running.
        finished_at -> Nullable<Timestamptz>,
        /// Duration, in milliseconds.
        duration_ms -> Nullable<Int8>,
        /// Why it ended as it did, as data that is translated for the reader; never contains a secret.
        message -> Nullable<Text>,
        /// When its process last reported that it is working, by the database's clock. After two minutes without a report another run takes over.
        heartbeat_at -> Nullable<Timestamptz>,
        /// The database session that holds the run lock; null once another run takes over.
        backend_pid -> Nullable<Int4>,
    }
}

diesel::table! {
    /// People and services that sign in or appear in datasets. Rows are never deleted: erasing a person's data anonymizes the row.
    users (id) {
        /// Id on the learning platform, or an id of the hub from 1000000001 on.
        id -> Int8,
        /// Display name.
        name -> Text,
        /// E-mail address as entered; unique regardless of case.
        email -> Text,
        /// admin, `teacher_admin`, teacher, student or service.
        role -> Text,
        /// The manage-settings permission: true grants it, false denies it, null follows the role (only admins have it).
        manage_settings -> Nullable<Bool>,
        /// False disables the account at once, including signed links.
        active -> Bool,
        /// Argon2id hash in PHC format; null for a person who signs in elsewhere.
        password_hash -> Nullable<Text>,
        /// Language, es or en; null for the default of the hub.
        locale -> Nullable<Text>,
        /// IANA time zone; null for the default of the hub.
        timezone -> Nullable<Text>,
        /// When the person's data was erased; null if it was not.
        erased_at -> Nullable<Timestamptz>,
        /// When the row was created.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
        /// The admin who erased the person's data; null if it was not erased.
        erased_by -> Nullable<Int8>,
    }
}

diesel::table! {
    /// Raw events of video players, partitioned by month of `recorded_at` (UTC). Distribution column: id.
    video_player_events (recorded_at, id) {
        /// Unique across partitions. Breaks ties in the order of the dataset.
        id -> Int8,
        /// When it happened in the player; the date of the dataset.
        recorded_at -> Timestamptz,
        /// When it arrived at the hub.
        created_at -> Timestamptz,
        /// When it had a final outcome for every enabled analytics driver; null while it is pending, and for events that were too old when the first driver was enabled.
        synced_at -> Nullable<Timestamptz>,
        /// The viewer; null for a guest or an erased user.
        user_id -> Nullable<Int8>,
        /// Course of the lesson when the event happened.
        course_id -> Nullable<Int8>,
        /// The lesson; null if the player was not in a lesson.
        lesson_id -> Nullable<Int8>,
        /// Playback rate; 1 is normal speed.
        playback_rate -> Float8,
        /// Position in the video, in seconds.
        playback_seconds -> Int4,
        /// Time watched so far, in seconds, as counted by the player.
        watched_seconds -> Int4,
        /// Length of the video, in seconds; null if unknown.
        video_duration -> Nullable<Int4>,
        /// Id that the player generated, by which a retry is recognized.
        client_event_id -> Nullable<Uuid>,
        /// Name of the event: `progress_tick`, play, pause, seek, `cta_click` and others.
        event -> Text,
        /// Host of the video: youtube, vimeo, cloudflare or another.
        provider -> Nullable<Text>,
        /// Part of the page where it happened.
        context_tag -> Text,
        /// Other data of the player.
        metadata -> Nullable<Jsonb>,
    }
}

diesel::table! {
    /// Progress of each user in the video of each lesson. Distribution column: `user_id`.
    video_progress (user_id, lesson_id) {
        /// The viewer; the row is deleted with the user.
        user_id -> Int8,
        /// The lesson.
        lesson_id -> Int8,
        /// When the viewer first watched it.
        created_at -> Timestamptz,
        /// When the viewer last watched it.
        updated_at -> Timestamptz,
        /// Last playback rate; 1 is normal speed.
        playback_rate -> Float8,
        /// Last reported position, in seconds.
        last_second -> Int4,
        /// Furthest reported position, in seconds.
        furthest_second -> Int4,
        /// Time watched, in seconds.
        watched_seconds -> Int4,
        /// Length of the video, in seconds; null if unknown.
        duration -> Nullable<Int4>,
        /// Video player: vimeo, cloudflare or youtube.
        source -> Text,
    }
}

diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(course_teacher -> courses (course_id));
diesel::joinable!(discord_practice_requests -> lessons (lesson_id));
diesel::joinable!(discord_practice_requests -> users (user_id));
diesel::joinable!(discord_practice_reservations -> discord_practices (practice_id));
diesel::joinable!(discord_practice_reservations -> practice_package_orders (order_id));
diesel::joinable!(discord_practice_reservations -> users (user_id));
diesel::joinable!(discord_practices -> lessons (lesson_id));
diesel::joinable!(discord_practices -> practice_packages (practice_package_id));
diesel::joinable!(discord_practices -> users (creator_id));
diesel::joinable!(export_audits -> users (user_id));
diesel::joinable!(import_rows_rejected -> imports (import_id));
diesel::joinable!(lessons -> courses (course_id));
diesel::joinable!(mail_outbox -> notifications (notification_id));
diesel::joinable!(notifications -> users (user_id));
diesel::joinable!(practice_package_orders -> practice_packages (practice_package_id));
diesel::joinable!(practice_package_orders -> users (user_id));
diesel::joinable!(practice_packages -> lessons (lesson_id));
diesel::joinable!(practice_packages -> users (creator_id));
diesel::joinable!(saved_exports -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(student_activity_snapshots -> courses (course_id));
diesel::joinable!(student_activity_snapshots -> imports (import_id));
diesel::joinable!(student_activity_snapshots -> lessons (lesson_id));
diesel::joinable!(student_activity_snapshots -> practice_packages (practice_package_id));
diesel::joinable!(student_activity_snapshots -> users (user_id));
diesel::joinable!(teacher_activity_snapshots -> courses (course_id));
diesel::joinable!(teacher_activity_snapshots -> imports (import_id));
diesel::joinable!(teacher_activity_snapshots -> lessons (lesson_id));
diesel::joinable!(teacher_activity_snapshots -> practice_packages (practice_package_id));
diesel::joinable!(teacher_activity_snapshots -> users (teacher_id));
diesel::joinable!(teacher_submission_histories -> teacher_submissions (submission_id));
diesel::joinable!(teacher_submission_histories -> users (changed_by));
diesel::joinable!(teacher_submissions -> courses (course_id));
diesel::joinable!(telemetry_sync_logs -> users (triggered_by));
diesel::joinable!(video_progress -> lessons (lesson_id));
diesel::joinable!(video_progress -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    alarms,
    api_tokens,
    course_teacher,
    courses,
    discord_practice_requests,
    discord_practice_reservations,
    discord_practices,
    export_audits,
    import_rows_rejected,
    imports,
    installation,
    lessons,
    mail_outbox,
    notifications,
    platform_events,
    player_event_keys,
    practice_package_orders,
    practice_packages,
    saved_exports,
    scheduled_jobs,
    sessions,
    student_activity_snapshots,
    teacher_activity_snapshots,
    teacher_submission_histories,
    teacher_submissions,
    telemetry_deliveries,
    telemetry_drivers,
    telemetry_leases,
    telemetry_pending,
    telemetry_sync_logs,
    users,
    video_player_events,
    video_progress,
);
