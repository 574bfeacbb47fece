//! The tables, as diesel sees them.
//!
//! Generated from a migrated database by the test `generated::the_diesel_schema_is_current`, comments included.
//! Change a migration, not this file.

diesel::table! {
    /// What people were told of alarms: whoever moves `notified_at` on tells them, so that of many servers one does.
    alarms (name) {
        /// What the alarm is about, such as `telemetry_backlog`.
        name -> Text,
        /// When people were last told that there is cause for it.
        notified_at -> Timestamptz,
        /// Since when they know of cause that there still is; null once they were told that it is gone.
        standing_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Tokens for scripts and services; each carries a part of its owner's rights.
    api_tokens (id) {
        /// Id of the token, not a secret.
        id -> Int8,
        /// Whose rights the token carries; goes with the user.
        user_id -> Int8,
        /// What its owner calls it.
        name -> Text,
        /// First characters of the token, to recognise it by.
        prefix -> Text,
        /// SHA-256 of the token, which is shown once and stored nowhere.
        token_hash -> Bytea,
        /// What the token may do: read, export, import, sync, record, platform.
        scopes -> Array<Text>,
        /// When it was made.
        created_at -> Timestamptz,
        /// After this it is refused; null for never.
        expires_at -> Nullable<Timestamptz>,
        /// When it was last accepted.
        last_used_at -> Nullable<Timestamptz>,
        /// When its owner or an admin revoked it.
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Which teachers are assigned to which courses now.
    course_teacher (id) {
        /// Breaks ties in the stable order.
        id -> Int8,
        /// The course.
        course_id -> Int8,
        /// The teacher.
        teacher_id -> Int8,
        /// Who assigned them, where it is known.
        assigned_by -> Nullable<Int8>,
        /// When they were assigned.
        assigned_at -> Timestamptz,
    }
}

diesel::table! {
    /// Courses of the learning platform, mirrored by it.
    courses (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// Name in the platform's addresses.
        slug -> Text,
        /// Title by language: {"es": "…", "en": "…"}, at least one.
        titles -> Jsonb,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Students who ask for a practice of a lesson that has none planned.
    discord_practice_requests (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// The lesson.
        lesson_id -> Int8,
        /// The student.
        user_id -> Int8,
        /// pending, escalated, resolved or cancelled.
        status -> Text,
        /// When it was asked for.
        created_at -> Timestamptz,
        /// When the teachers were told.
        escalated_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Seats taken in practices: at most one per practice and user.
    discord_practice_reservations (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// The practice.
        practice_id -> Int8,
        /// The student.
        user_id -> Int8,
        /// pending, confirmed, attended or cancelled; all but cancelled hold a seat.
        status -> Text,
        /// Order whose session pays for the seat.
        order_id -> Nullable<Int8>,
        /// When the seat was taken.
        reserved_at -> Timestamptz,
        /// When the seat was given back; set exactly when the status is cancelled.
        cancelled_at -> Nullable<Timestamptz>,
        /// When attendance was established.
        attended_at -> Nullable<Timestamptz>,
        /// When its attendance or cancellation became a snapshot; set once, so that no snapshot is made twice.
        outcome_recorded_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Planned practice sessions on Discord, mirrored by the learning platform.
    discord_practices (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// Lesson that is practised, and by it the course.
        lesson_id -> Int8,
        /// Title as shown.
        title -> Text,
        /// cohort, global, or another word of the platform's.
        #[sql_name = "type"]
        type_ -> Text,
        /// scheduled, cancelled or completed.
        status -> Text,
        /// When it starts; the date of the dataset.
        start_at -> Timestamptz,
        /// When it ends; null for `start_at` plus `duration_minutes`.
        end_at -> Nullable<Timestamptz>,
        /// Planned length in minutes.
        duration_minutes -> Int4,
        /// Seats.
        capacity -> Int4,
        /// Whether a seat costs a session of a pack.
        requires_package -> Bool,
        /// The pack that is meant; null for any.
        practice_package_id -> Nullable<Int8>,
        /// Who planned it.
        creator_id -> Nullable<Int8>,
        /// Name of the cohort it is for.
        cohort_label -> Nullable<Text>,
        /// Address of the Discord channel.
        discord_channel_url -> Nullable<Text>,
        /// Secret that opens the meeting: never selected for a dataset, an export or a log.
        meeting_token -> Nullable<Text>,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Each export: who took what out of the hub.
    export_audits (id) {
        /// Id of the record.
        id -> Int8,
        /// Who exported; null for the command line.
        user_id -> Nullable<Int8>,
        /// Key of the dataset, such as `video_player_events`.
        dataset -> Text,
        /// csv, json, ndjson, xlsx or parquet.
        format -> Text,
        /// The filters that were set, by key.
        filters -> Jsonb,
        /// Columns that were chosen; null for all.
        column_keys -> Nullable<Array<Text>>,
        /// Rows that the reader was given.
        rows -> Int8,
        /// Bytes that the reader was given, before compression.
        bytes -> Int8,
        /// SHA-256 of the content before compression; null when the file is not whole.
        sha256 -> Nullable<Bytea>,
        /// complete, aborted (the reader went away, or the server did) or failed; an export that has not come to its end counts as aborted.
        outcome -> Text,
        /// Network address it was sent to; null for the command line.
        address -> Nullable<Inet>,
        /// When it began.
        started_at -> Timestamptz,
        /// How long it took, in milliseconds.
        duration_ms -> Int8,
        /// When the process that streams it last reported that it does, every few seconds; null once it has ended. One without an end and without a recent heartbeat was aborted.
        heartbeat_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Rows that an import refused, to be corrected and imported again.
    import_rows_rejected (id) {
        /// Breaks ties in the order.
        id -> Int8,
        /// The import; its refused rows go with it.
        import_id -> Int8,
        /// Line of the file where the row begins, from 1.
        line -> Int8,
        /// Column that is wrong; null when it is the row as a whole.
        column_name -> Nullable<Text>,
        /// What stood there.
        value -> Nullable<Text>,
        /// Why it was refused.
        reason -> Text,
        /// The row as it stood in the file.
        row_text -> Text,
    }
}

diesel::table! {
    /// Each import of a snapshot file, dry runs included.
    imports (id) {
        /// Id of the import.
        id -> Int8,
        /// Key of the dataset, such as `student_activity_snapshots`.
        dataset -> Text,
        /// running, done, rejected, failed or undone.
        state -> Text,
        /// `all_or_nothing` or `skip_invalid`.
        mode -> Text,
        /// Whether it only checked and counted.
        dry_run -> Bool,
        /// Name of the file as it was uploaded; never used as a path.
        filename -> Text,
        /// Bytes received.
        size_bytes -> Int8,
        /// SHA-256 of the content, known when it was read to its end.
        content_sha256 -> Nullable<Bytea>,
        /// Rows read.
        rows_read -> Int8,
        /// Rows inserted (in a dry run, that would be).
        rows_inserted -> Int8,
        /// Rows that were already there.
        rows_duplicate -> Int8,
        /// Rows that were refused; see `import_rows_rejected`.
        rows_rejected -> Int8,
        /// Why it was rejected or failed, in the importer's language.
        message -> Nullable<Text>,
        /// Who imported it.
        imported_by -> Int8,
        /// When it began; also the date of rows without one.
        started_at -> Timestamptz,
        /// When it ended; null while it runs.
        finished_at -> Nullable<Timestamptz>,
        /// When it was undone; set exactly when the state is undone.
        undone_at -> Nullable<Timestamptz>,
        /// Who undid it.
        undone_by -> Nullable<Int8>,
        /// Bytes of the file that were read; null when it was not read to its end, or by a version that did not write it down.
        bytes_read -> Nullable<Int8>,
    }
}

diesel::table! {
    /// This hub, in one row.
    installation (id) {
        /// Tells this hub from every other; analytics services know a repetition by it.
        id -> Uuid,
        /// True, so that there is one row only.
        is_the_one -> Bool,
    }
}

diesel::table! {
    /// Lessons of the courses, mirrored by the learning platform.
    lessons (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// Course the lesson belongs to; a course with lessons cannot be deleted.
        course_id -> Int8,
        /// Title as shown.
        title -> Text,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Mail on its way: one row per notification that also goes out by mail.
    mail_outbox (notification_id) {
        /// The notification that is mailed to its user; goes with it.
        notification_id -> Int8,
        /// When it was posted.
        created_at -> Timestamptz,
        /// When it is tried next; while somebody tries it, when they count as dead.
        next_attempt_at -> Timestamptz,
        /// How often somebody began to send it.
        attempts -> Int4,
        /// When the mail server took it; null until then.
        sent_at -> Nullable<Timestamptz>,
        /// When it was given up; null unless it was.
        given_up_at -> Nullable<Timestamptz>,
        /// Why it could not be sent the last time; holds no secret.
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    /// What the hub told its people, one row per person.
    notifications (id) {
        /// Id of the notification.
        id -> Int8,
        /// Whom it is for; goes with the user.
        user_id -> Int8,
        /// What it is about, such as `telemetry_backlog`.
        kind -> Text,
        /// What its text is made of, in the language of whoever reads it.
        data -> Jsonb,
        /// When it was sent.
        created_at -> Timestamptz,
        /// When it was read; null while it is not.
        read_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Domain events of the learning platform that were applied, so that none is applied twice.
    platform_events (event_id) {
        /// Id the platform gave it.
        event_id -> Uuid,
        /// What happened.
        kind -> Text,
        /// When it was applied.
        applied_at -> Timestamptz,
        /// Snapshots that came of it: of teachers when a request was escalated, else of students.
        snapshot_ids -> Array<Int8>,
    }
}

diesel::table! {
    /// Ids that players made for their events, kept for a month so that a retry records nothing twice. Erasing a user's data has to delete theirs.
    player_event_keys (client_event_id, user_id) {
        /// Id that the player made.
        client_event_id -> Uuid,
        /// The viewer: ids of two viewers are never taken for each other.
        user_id -> Int8,
        /// The event that was recorded for it.
        event_id -> Int8,
        /// Lesson whose progress the event moved; null when it was no tick of one.
        tick_of_lesson_id -> Nullable<Int8>,
        /// When it was recorded.
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// Purchases of packs, and what is left of them.
    practice_package_orders (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// The pack.
        practice_package_id -> Int8,
        /// The student who bought it.
        user_id -> Int8,
        /// pending, paid, cancelled or completed.
        status -> Text,
        /// Sessions not yet consumed.
        sessions_remaining -> Int4,
        /// When it was paid.
        paid_at -> Nullable<Timestamptz>,
        /// The payment provider's reference.
        payment_reference -> Nullable<Text>,
        /// What else the learning platform keeps with the order.
        meta -> Nullable<Jsonb>,
        /// When it was ordered; the date of the dataset.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Packs of practice sessions that teachers offer, mirrored by the learning platform.
    practice_packages (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// Teacher who offers the pack.
        creator_id -> Int8,
        /// Lesson the pack belongs to, and by it the course; null for none.
        lesson_id -> Nullable<Int8>,
        /// Title as shown.
        title -> Text,
        /// Sessions that one purchase holds.
        sessions_count -> Int4,
        /// Price in units of the currency.
        price_amount -> Numeric,
        /// ISO 4217 code of the currency.
        price_currency -> Text,
        /// Status on the learning platform, in its own words.
        status -> Text,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// When what is done on a schedule is due again: whoever moves the time on does it, so that of many servers one does.
    scheduled_jobs (name) {
        /// What is done, such as `telemetry_monitor_backlog`.
        name -> Text,
        /// When it is due again.
        due_at -> Timestamptz,
        /// When somebody last began to do it.
        last_started_at -> Timestamptz,
        /// When to do it before it is due again, since it could not be done when it was; the step of the schedule stays.
        retry_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Refresh tokens: one row per token, one family per sign-in.
    sessions (id) {
        /// Id of the token, not a secret.
        id -> Uuid,
        /// Shared by all tokens that descend from one sign-in.
        family_id -> Uuid,
        /// Whose session it is; goes with the user.
        user_id -> Int8,
        /// SHA-256 of the token; the token itself is stored nowhere.
        token_hash -> Bytea,
        /// When the token was issued.
        created_at -> Timestamptz,
        /// After this the token is refused.
        expires_at -> Timestamptz,
        /// When the token was exchanged for its successor; using it again ends the family.
        rotated_at -> Nullable<Timestamptz>,
        /// When the token was revoked by a sign-out or a detected reuse.
        revoked_at -> Nullable<Timestamptz>,
        /// Network address the token was issued to.
        address -> Nullable<Inet>,
        /// Browser the token was issued to, as it names itself.
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    /// What students did and reached, as captured from the platform or imported.
    student_activity_snapshots (id) {
        /// Ties in `captured_at` are broken by it.
        id -> Int8,
        /// The moment it describes; the date of the dataset.
        captured_at -> Timestamptz,
        /// When the row was made.
        created_at -> Timestamptz,
        /// The student. Users are erased in place, so that counts survive them.
        user_id -> Int8,
        /// Course it is about; null for none.
        course_id -> Nullable<Int8>,
        /// Lesson it is about; null for none.
        lesson_id -> Nullable<Int8>,
        /// Pack it is about; null for none.
        practice_package_id -> Nullable<Int8>,
        /// Import that brought it; null when it came from the platform.
        import_id -> Nullable<Int8>,
        /// The number that was captured; what it counts depends on the category.
        value -> Nullable<Int4>,
        /// What was captured, such as `practice_reservation`, `practice_attendance` or a category of an import.
        category -> Text,
        /// Part of the platform it is about, such as `discord_practice`.
        scope -> Nullable<Text>,
        /// Details; their keys depend on the category.
        payload -> Nullable<Jsonb>,
    }
}

diesel::table! {
    /// What concerns teachers, as captured from the platform or imported; for admins only.
    teacher_activity_snapshots (id) {
        /// Ties in `captured_at` are broken by it.
        id -> Int8,
        /// The moment it describes; the date of the dataset.
        captured_at -> Timestamptz,
        /// When the row was made.
        created_at -> Timestamptz,
        /// The teacher. Users are erased in place, so that counts survive them.
        teacher_id -> Int8,
        /// Course it is about; null for none.
        course_id -> Nullable<Int8>,
        /// Lesson it is about; null for none.
        lesson_id -> Nullable<Int8>,
        /// Pack it is about; null for none.
        practice_package_id -> Nullable<Int8>,
        /// Import that brought it; null when it came from the platform.
        import_id -> Nullable<Int8>,
        /// The number that was captured; what it counts depends on the category.
        value -> Nullable<Int4>,
        /// What was captured, such as `practice_request_escalated` or a category of an import.
        category -> Text,
        /// Part of the platform it is about, such as `discord_practice`.
        scope -> Nullable<Text>,
        /// Details; their keys depend on the category.
        payload -> Nullable<Jsonb>,
    }
}

diesel::table! {
    /// Status changes of teacher submissions, oldest first by `changed_at` and id.
    teacher_submission_histories (id) {
        /// Breaks ties in the order.
        id -> Int8,
        /// The submission; its history goes with it.
        submission_id -> Int8,
        /// The status it changed to.
        status -> Text,
        /// Who changed it, where it is known.
        changed_by -> Nullable<Int8>,
        /// When it changed.
        changed_at -> Timestamptz,
        /// Why, as far as it was said.
        notes -> Nullable<Text>,
    }
}

diesel::table! {
    /// Modules, lessons and packs that teachers propose, mirrored by the learning platform.
    teacher_submissions (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// Who proposes it.
        teacher_id -> Int8,
        /// Course it is proposed for; null for none.
        course_id -> Nullable<Int8>,
        /// module, lesson or pack.
        #[sql_name = "type"]
        type_ -> Text,
        /// Title as proposed.
        title -> Text,
        /// What it is about.
        summary -> Nullable<Text>,
        /// The proposal itself, in the platform's own shape.
        payload -> Nullable<Jsonb>,
        /// pending, approved or rejected; each change is kept in `teacher_submission_histories`.
        status -> Text,
        /// What the reviewer answered.
        feedback -> Nullable<Text>,
        /// Who reviewed it.
        reviewed_by -> Nullable<Int8>,
        /// When it was reviewed.
        reviewed_at -> Nullable<Timestamptz>,
        /// Kind of what came of it on the platform.
        result_type -> Nullable<Text>,
        /// Id of what came of it on the platform.
        result_id -> Nullable<Int8>,
        /// When it was proposed; the date of the dataset.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// What became of each player event at each analytics driver.
    telemetry_deliveries (event_id, driver) {
        /// The player event.
        event_id -> Int8,
        /// When the event happened, as in `video_player_events`.
        recorded_at -> Timestamptz,
        /// When it was first sent.
        first_attempt_at -> Nullable<Timestamptz>,
        /// Not to be sent again before this.
        next_attempt_at -> Nullable<Timestamptz>,
        /// When the driver accepted it; set exactly when the state is delivered.
        delivered_at -> Nullable<Timestamptz>,
        /// Run that last had to do with it.
        batch_id -> Nullable<Int8>,
        /// Times it was sent.
        attempts -> Int4,
        /// HTTP status of the last answer.
        http_status -> Nullable<Int4>,
        /// Whether it was sent again, or would have to be, without knowing that the first time had failed, so that it may be there twice.
        maybe_duplicate -> Bool,
        /// ga4 or mixpanel.
        driver -> Text,
        /// pending or retry while it is owed; delivered, dead, expired or skipped at the end.
        state -> Text,
        /// Address it was last sent to, without its query.
        endpoint -> Nullable<Text>,
        /// Kind of the last failure, such as ambiguous, throttled or refused.
        error_class -> Nullable<Text>,
        /// The driver's own code for it.
        error_code -> Nullable<Text>,
        /// What the driver said; never a secret.
        error_message -> Nullable<Text>,
        /// When it was last sent.
        last_attempt_at -> Nullable<Timestamptz>,
        /// Times it was sent and no answer came, or the run that was sending it died.
        unanswered -> Int4,
        /// When the event reached the hub; null for one that was delivered at once, which waits no more, and for one from before this was kept.
        arrived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// The analytics drivers: which are enabled, and what one run of the sync leaves for the next to know of them.
    telemetry_drivers (driver) {
        /// ga4 or mixpanel.
        driver -> Text,
        /// Nothing is sent there before this: it asked for a pause.
        paused_until -> Nullable<Timestamptz>,
        /// Why the driver was given up in the last run that tried it, until it takes something again; never a secret.
        trouble -> Nullable<Jsonb>,
        /// When this was found out.
        updated_at -> Timestamptz,
        /// When a process first had it enabled and configured; null when it never was, or since telemetry:sync --forget.
        enabled_since -> Nullable<Timestamptz>,
        /// Events that happened before this are not pending for it: they were too old when it was enabled.
        sends_from -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Player events that a run of the sync is sending at this moment, many to a row: when it dies, they are perhaps sent.
    telemetry_leases (id) {
        /// Id of the lease.
        id -> Int8,
        /// The run that sends them. It is the only one, by a lock that goes with its process; leases of any other are of a run that died.
        run_id -> Int8,
        /// To whom: ga4 or mixpanel.
        driver -> Text,
        /// When it was taken, just before the first of them was sent.
        taken_at -> Timestamptz,
        /// Those of them that have no verdict yet.
        event_ids -> Array<Int8>,
        /// When each of them happened, as in `video_player_events`.
        recorded_at -> Array<Timestamptz>,
    }
}

diesel::table! {
    /// Player events that some driver has no delivery record of yet, from the moment they are recorded.
    telemetry_pending (recorded_at, event_id) {
        /// When the event happened, as in `video_player_events`.
        recorded_at -> Timestamptz,
        /// The player event.
        event_id -> Int8,
        /// The drivers that have no record of it; null while none has one, and it is pending for each enabled one whose `sends_from` it is not before.
        drivers -> Nullable<Array<Text>>,
        /// When the event reached the hub; null for one from before this was kept.
        arrived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// Each run of the sync with the analytics services.
    telemetry_sync_logs (id) {
        /// Id of the run.
        id -> Int8,
        /// running, success, partial, failed or skipped.
        status -> Text,
        /// schedule, command or user.
        trigger -> Text,
        /// Who started it; null for the schedule and the command line.
        triggered_by -> Nullable<Int8>,
        /// Most events it may take; null for no limit.
        event_limit -> Nullable<Int4>,
        /// One object per driver with its counts: attempted, delivered, retrying, dead, expired, requests.
        drivers -> Jsonb,
        /// Events that reached a final verdict in it.
        processed -> Int4,
        /// When it began.
        started_at -> Timestamptz,
        /// When it ended; null exactly while it runs.
        finished_at -> Nullable<Timestamptz>,
        /// How long it took, in milliseconds.
        duration_ms -> Nullable<Int8>,
        /// What a person should know of it, as data that is put into words for its reader; never a secret.
        message -> Nullable<Text>,
        /// Enabled drivers whose settings its process did not have, so that it left their events pending.
        drivers_left_out -> Jsonb,
        /// When its process last showed that it works on it, by the database's clock; after two minutes of silence another run takes over.
        heartbeat_at -> Nullable<Timestamptz>,
        /// The database session that holds its lock; null from when another run takes over.
        backend_pid -> Nullable<Int4>,
    }
}

diesel::table! {
    /// People and services that sign in or appear in the datasets. Never deleted: erasing a person anonymises the row in place.
    users (id) {
        /// Id on the learning platform, or one of ours from 1000000001 on.
        id -> Int8,
        /// Name as shown.
        name -> Text,
        /// E-mail address as typed; unique regardless of case.
        email -> Text,
        /// admin, `teacher_admin`, teacher, student or service.
        role -> Text,
        /// The manage-settings permission: null follows the role (an admin has it, nobody else), true grants it, false takes it away.
        manage_settings -> Nullable<Bool>,
        /// False locks the account out at once, signed links included.
        active -> Bool,
        /// Argon2id hash in PHC form; null when the person signs in elsewhere.
        password_hash -> Nullable<Text>,
        /// Chosen language, es or en; null for the default of the hub.
        locale -> Nullable<Text>,
        /// Chosen IANA time zone; null for the default of the hub.
        timezone -> Nullable<Text>,
        /// When everything that identifies the person was removed; null for everybody else.
        erased_at -> Nullable<Timestamptz>,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When the row was last changed.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// Raw events of the video player, partitioned by month of `recorded_at` (UTC).
    video_player_events (recorded_at, id) {
        /// Unique across partitions; ties in `recorded_at` are broken by it.
        id -> Int8,
        /// When it happened in the player; the date of the dataset.
        recorded_at -> Timestamptz,
        /// When it reached the hub.
        created_at -> Timestamptz,
        /// When every enabled analytics driver had a final verdict; null while one is owed, and for events that were too old when the first driver was enabled.
        synced_at -> Nullable<Timestamptz>,
        /// The viewer; null for a guest or an erased user.
        user_id -> Nullable<Int8>,
        /// Course of the lesson when the event happened.
        course_id -> Nullable<Int8>,
        /// The lesson; null when the player stood outside of one.
        lesson_id -> Nullable<Int8>,
        /// Speed, 1 being normal.
        playback_rate -> Float8,
        /// Position in the video, in seconds.
        playback_seconds -> Int4,
        /// Seconds watched so far, in the player's own count.
        watched_seconds -> Int4,
        /// Length of the video in seconds, where it is known.
        video_duration -> Nullable<Int4>,
        /// Id that the player made, by which a retry is recognised.
        client_event_id -> Nullable<Uuid>,
        /// Kind of event: `progress_tick`, play, pause, seek, `cta_click` and others.
        event -> Text,
        /// Where the video comes from: youtube, vimeo, cloudflare or another.
        provider -> Nullable<Text>,
        /// Part of the page it happened in.
        context_tag -> Text,
        /// What else the player said.
        metadata -> Nullable<Jsonb>,
    }
}

diesel::table! {
    /// How far each user has come in the video of each lesson.
    video_progress (user_id, lesson_id) {
        /// The viewer; the progress goes with the user.
        user_id -> Int8,
        /// The lesson.
        lesson_id -> Int8,
        /// When the viewer first watched.
        created_at -> Timestamptz,
        /// When the viewer last watched.
        updated_at -> Timestamptz,
        /// Speed last used, 1 being normal.
        playback_rate -> Float8,
        /// Position last reported, in seconds.
        last_second -> Int4,
        /// Furthest position ever reported, in seconds.
        furthest_second -> Int4,
        /// Time spent watching, in seconds.
        watched_seconds -> Int4,
        /// Length of the video in seconds, where it is known.
        duration -> Nullable<Int4>,
        /// Player: vimeo, cloudflare or youtube.
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
