DROP TABLE telemetry_leases;
