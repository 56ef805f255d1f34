-- What the cases read. All of it stays in the server's memory.

CREATE TABLE points (id int8 PRIMARY KEY, name text, quantity int4, changed timestamptz);
INSERT INTO points
SELECT i, 'point ' || md5(i::text), i % 1000, timestamptz '2024-02-29 12:00Z' + i * interval '61.001 s'
FROM generate_series(1, 100000) i;

CREATE TABLE bytes (data bytea);
INSERT INTO bytes
SELECT (SELECT substr(string_agg(sha256((i || '.' || part)::bytea), ''), 1, 1000) FROM generate_series(1, 32) part)
FROM generate_series(1, 100) i;

CREATE TABLE int_arrays (numbers int[]);
INSERT INTO int_arrays
SELECT ARRAY(SELECT (i * part * 7919) % 100000 - 1000 FROM generate_series(1, 100) part)
FROM generate_series(1, 100) i;

CREATE TABLE mixed (
  id int8, name text, ratio float8, price numeric(12, 4), changed timestamptz, born date, active bool, code uuid
);
INSERT INTO mixed
SELECT i, 'name ' || left(md5(i::text), i % 20), i / 7.0, (i * 12.3456)::numeric(12, 4),
       timestamptz '2024-02-29 12:00Z' + i * interval '61.001 s',
       CASE WHEN i % 50 > 0 THEN date '1970-01-01' + i * 2 END, i % 3 = 0, md5(i::text)::uuid
FROM generate_series(1, 10000) i;

CREATE TABLE documents (document jsonb);
INSERT INTO documents
SELECT jsonb_build_object('id', i, 'name', 'document ' || i, 'price', i % 100 + 0.25, 'active', i % 3 = 0,
                          'tags', (ARRAY['new', 'sale', 'last one', 'ünïcode'])[1:i % 5],
                          'size', jsonb_build_object('width', i % 90, 'height', i % 70), 'note', NULL)
FROM generate_series(1, 1000) i;

-- What is written elsewhere, and where it goes.
CREATE TABLE source (id int4, amount int4, name text, note text);
INSERT INTO source
SELECT i, i * 7919 % 100000, 'name ' || left(md5(i::text), i % 20), 'note ' || md5((i * 3)::text)
FROM generate_series(1, 10000) i;
CREATE UNLOGGED TABLE copied (LIKE source);

-- wide has 20 text columns, of 4 to 31 characters.
SELECT format('CREATE TABLE wide AS SELECT %s FROM generate_series(1, 1000) i',
              string_agg(format('left(md5((i * 20 + %1$s)::text), 4 + (i + %1$s * 7) %% 28) AS text_%1$s', n), ', '))
FROM generate_series(1, 20) n \gexec

VACUUM (FREEZE, ANALYZE);
