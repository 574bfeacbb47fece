DROP TABLE discord_practices;
