DROP TABLE saved_exports;
