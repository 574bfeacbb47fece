DROP TABLE practice_package_orders;
