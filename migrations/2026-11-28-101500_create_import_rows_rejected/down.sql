DROP TABLE import_rows_rejected;
