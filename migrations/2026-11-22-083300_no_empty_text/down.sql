-- Which texts were empty before is not known any more.
ALTER TABLE teacher_submission_histories
    DROP CONSTRAINT teacher_submission_histories_notes_check;
ALTER TABLE teacher_submissions
    DROP CONSTRAINT teacher_submissions_result_type_check,
    DROP CONSTRAINT teacher_submissions_feedback_check,
    DROP CONSTRAINT teacher_submissions_summary_check;
ALTER TABLE practice_package_orders
    DROP CONSTRAINT practice_package_orders_payment_reference_check;
ALTER TABLE discord_practices
    DROP CONSTRAINT discord_practices_discord_channel_url_check,
    DROP CONSTRAINT discord_practices_cohort_label_check;
ALTER TABLE teacher_activity_snapshots
    DROP CONSTRAINT teacher_activity_snapshots_scope_check;
ALTER TABLE student_activity_snapshots
    DROP CONSTRAINT student_activity_snapshots_scope_check;
