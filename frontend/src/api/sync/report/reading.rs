//! Parsing the sync's status and runs from JSON.

use serde_json::Value;

use super::{Driver, DriverRun, DriverStatus, Run, RunState, Status, Trigger};

impl Status {
    /// Parses a status.
    pub fn read(json: &Value) -> Option<Self> {
        Some(Self {
            events_pending: json["eventsPending"].as_u64()?,
            oldest_pending_seconds: json["oldestPendingSeconds"].as_f64(),
            alert_threshold: json["alertThreshold"].as_u64()?,
            alert_age_seconds: json["alertAgeSeconds"].as_f64()?,
            backlog_alert: json["backlogAlert"].as_bool()?,
            drivers: list(&json["drivers"], DriverStatus::read)?,
            last_run: Run::read(&json["lastRun"]),
            running: Run::read(&json["running"]),
            timezone: text(&json["timezone"])?,
        })
    }
}

impl Run {
    /// Parses a run.
    pub fn read(json: &Value) -> Option<Self> {
        Some(Self {
            id: text(&json["id"])?,
            state: RunState::parse(json["state"].as_str()?),
            trigger: Trigger::parse(json["trigger"].as_str()?),
            triggered_by: text(&json["triggeredBy"]),
            started_at: text(&json["startedAt"])?,
            finished_at: text(&json["finishedAt"]),
            duration_ms: json["durationMs"].as_f64(),
            limit: json["limit"].as_u64(),
            processed: json["processed"].as_u64()?,
            drivers: list(&json["drivers"], DriverRun::read)?,
            message: text(&json["message"]),
        })
    }
}

impl RunState {
    fn parse(name: &str) -> Self {
        match name {
            "RUNNING" => Self::Running,
            "SUCCESS" => Self::Success,
            "PARTIAL" => Self::Partial,
            "FAILED" => Self::Failed,
            "SKIPPED" => Self::Skipped,
            _ => Self::Unknown,
        }
    }
}

impl Trigger {
    fn parse(name: &str) -> Self {
        match name {
            "SCHEDULE" => Self::Schedule,
            "COMMAND" => Self::Command,
            "USER" => Self::User,
            _ => Self::Unknown,
        }
    }
}

impl Driver {
    fn parse(name: &str) -> Self {
        match name {
            "GA4" => Self::Ga4,
            "MIXPANEL" => Self::Mixpanel,
            _ => Self::Unknown,
        }
    }
}

impl DriverStatus {
    fn read(json: &Value) -> Option<Self> {
        Some(Self {
            driver: Driver::parse(json["driver"].as_str()?),
            enabled: json["enabled"].as_bool()?,
            configured: json["configured"].as_bool()?,
            missing_setting: text(&json["missingSetting"]),
            problem: text(&json["problem"]),
            pending: json["pending"].as_u64()?,
            dead: json["dead"].as_u64()?,
            last_delivered_at: text(&json["lastDeliveredAt"]),
        })
    }
}

impl DriverRun {
    fn read(json: &Value) -> Option<Self> {
        Some(Self {
            driver: Driver::parse(json["driver"].as_str()?),
            delivered: json["delivered"].as_u64()?,
            retrying: json["retrying"].as_u64()?,
            dead: json["dead"].as_u64()?,
            expired: json["expired"].as_u64()?,
        })
    }
}

fn list<T>(json: &Value, read: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    json.as_array()?.iter().map(read).collect()
}

fn text(json: &Value) -> Option<String> {
    json.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::Readiness;
    use super::*;

    #[test]
    fn a_status_with_unknown_enum_values_is_parsed() {
        let json = r#"{"eventsPending": 4212, "oldestPendingSeconds": 7200,
            "alertThreshold": 4000, "alertAgeSeconds": 10800, "backlogAlert": true, "timezone": "UTC",
            "drivers": [{"driver": "GA4", "enabled": true, "configured": true, "missingSetting": null, "problem": null, "pending": 4212,
                "dead": 0, "lastDeliveredAt": null}],
            "running": null, "lastRun": {"id": "7", "state": "PARTIAL", "trigger": "WEBHOOK", "triggeredBy": null,
                "startedAt": "2026-11-22T09:02:00Z", "finishedAt": "2026-11-22T09:02:03Z", "durationMs": 3400,
                "limit": null, "processed": 500, "message": null, "drivers": [{"driver": "PLAUSIBLE",
                "delivered": 1, "retrying": 2, "dead": 3, "expired": 4}]}}"#;
        let status = Status::read(&serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!((status.events_pending, status.drivers[0].driver), (4212, Driver::Ga4));
        assert_eq!(status.readiness(), Readiness::Ready);
        let run = status.last_run.unwrap();
        assert_eq!((run.trigger, run.drivers[0].driver), (Trigger::Unknown, Driver::Unknown));
        assert_eq!(run.drivers[0].finished(), 8);
    }
}
