-- A CSV shows an empty text and none alike, so where a text may be missing, an empty one is never stored.
UPDATE student_activity_snapshots SET scope = NULL WHERE scope = '';
UPDATE teacher_activity_snapshots SET scope = NULL WHERE scope = '';
UPDATE discord_practices SET cohort_label = NULL WHERE cohort_label = '';
UPDATE discord_practices SET discord_channel_url = NULL WHERE discord_channel_url = '';
UPDATE practice_package_orders SET payment_reference = NULL WHERE payment_reference = '';
UPDATE teacher_submissions SET summary = NULL WHERE summary = '';
UPDATE teacher_submissions SET feedback = NULL WHERE feedback = '';
UPDATE teacher_submissions SET result_type = NULL WHERE result_type = '';
UPDATE teacher_submission_histories SET notes = NULL WHERE notes = '';

ALTER TABLE student_activity_snapshots
    ADD CONSTRAINT student_activity_snapshots_scope_check CHECK (scope <> '');
ALTER TABLE teacher_activity_snapshots
    ADD CONSTRAINT teacher_activity_snapshots_scope_check CHECK (scope <> '');
ALTER TABLE discord_practices
    ADD CONSTRAINT discord_practices_cohort_label_check CHECK (cohort_label <> ''),
    ADD CONSTRAINT discord_practices_discord_channel_url_check CHECK (discord_channel_url <> '');
ALTER TABLE practice_package_orders
    ADD CONSTRAINT practice_package_orders_payment_reference_check CHECK (payment_reference <> '');
ALTER TABLE teacher_submissions
    ADD CONSTRAINT teacher_submissions_summary_check CHECK (summary <> ''),
    ADD CONSTRAINT teacher_submissions_feedback_check CHECK (feedback <> ''),
    ADD CONSTRAINT teacher_submissions_result_type_check CHECK (result_type <> '');
ALTER TABLE teacher_submission_histories
    ADD CONSTRAINT teacher_submission_histories_notes_check CHECK (notes <> '');
