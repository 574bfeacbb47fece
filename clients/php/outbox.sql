-- The table of the outbox, for MySQL and MariaDB.
CREATE TABLE dataporter_outbox (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    event_id CHAR(36) NOT NULL UNIQUE,
    event JSON NOT NULL,
    reason VARCHAR(50) NULL,
    message VARCHAR(500) NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
