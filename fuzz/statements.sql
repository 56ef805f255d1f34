SELECT id, name FROM users WHERE id = :id AND kind = :kind

SELECT :a::int, a::text, a[lo:hi], a[:lo::hi], a[(:x)], x[:lo:], "q""uo:ted" FROM t

SELECT '1:a', E'it\'s \\ :a', U&'\0041:a' UESCAPE '!', B'01', X'1F', N'a', 'a' 'b'
'c:d' || :e

SELECT $$:a$$, $tag$ $$ :a $tag$, a$1, $1, $2147483648, $99999999999999999999, $é$:a$é$

SELECT 1 -- :a
/* :b /* nested :c */ */ + :d LIMIT:n OFFSET 1.5e-3 :b

BEGIN; INSERT INTO t VALUES (:a, :b), (:c, :d) RETURNING *; COMMIT;; -- end

CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT $1; END; SELECT (CASE WHEN :a THEN 1 END)

((( WITH x AS (VALUES (:größe)) TABLE x )))

PREPARE p AS SELECT $1; EXPLAIN (ANALYZE) EXECUTE p(:a); DEALLOCATE ALL

UPDATE t SET a = a || ARRAY[:a, :b][1:2], j = j #- '{a}' @> :j WHERE b ?| :names AND c := :d

SELECT 'unterminated :a

SELECT "unterminated :a

SELECT $a$unterminated :a $b$

SELECT /* unterminated :a
