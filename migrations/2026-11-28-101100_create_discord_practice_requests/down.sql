DROP TABLE discord_practice_requests;
