DROP TABLE platform_events;
