DROP TABLE practice_packages;
