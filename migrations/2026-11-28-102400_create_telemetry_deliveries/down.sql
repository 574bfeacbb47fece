DROP TABLE telemetry_deliveries;
