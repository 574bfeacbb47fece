-- A column of a unique constraint may be what a foreign key refers to, so whoever sets it locks the row against all who
-- refer to it, whether the value changes or not: events, imports, lessons. A partial index is unique just the same, and no
-- foreign key can refer to it.
ALTER TABLE courses DROP CONSTRAINT courses_slug_key;
CREATE UNIQUE INDEX courses_slug_key ON courses (slug) WHERE slug IS NOT NULL;
