DROP TABLE telemetry_drivers;
