"""psycopg2, whose rows are tuples. It puts parameters into the SQL itself, and prepares nothing."""

import io
import re

import psycopg2
import psycopg2.extensions
import psycopg2.extras

from worker import PAGE_SIZE, Worker


class PassingRows:
    """As in passing_rows.rb."""

    def __init__(self, walk):
        self.walk = walk

    def __iter__(self):
        return self.walk()

    def __len__(self):
        return sum(1 for _ in self)


class Psycopg2(Worker):
    def __init__(self):
        self.connection = psycopg2.connect("")
        self.connection.autocommit = True

    def about(self):
        return {"version": psycopg2.__version__.split()[0], "libpq": psycopg2.extensions.libpq_version(),
                "backends": [self.connection.get_backend_pid()]}

    def rows(self, sql):
        return self.query(sql, None)(None)

    def execute(self, sql):
        self.connection.cursor().execute(sql)

    def query(self, sql, _rows):
        cursor = self.connection.cursor()
        sql = re.sub(r"\$\d+", "%s", sql)

        def fetch(parameters):
            cursor.execute(sql, parameters)
            return cursor.fetchall()

        return fetch

    def copy_in(self, table, rows):
        cursor = self.connection.cursor()

        def copy(parameters):
            text = io.StringIO()
            for _ in range(parameters[0]):
                text.writelines("%d\t%d\t%s\t%s\n" % row for row in rows)
            text.seek(0)
            cursor.copy_expert("COPY %s FROM STDIN" % table, text)
            return cursor.rowcount

        return copy

    def execute_many(self, sql, rows):
        cursor = self.connection.cursor()
        sql = re.sub(r"\(\$.*\)", "%s", sql)

        def insert(_parameters):
            psycopg2.extras.execute_values(cursor, sql, rows, page_size=len(rows))
            return cursor.rowcount

        return insert

    def named_cursor(self, sql, _rows):
        return lambda _parameters: PassingRows(lambda: self.pages(sql))

    def pages(self, sql):
        self.connection.autocommit = False
        cursor = self.connection.cursor("page")
        cursor.itersize = PAGE_SIZE
        cursor.execute(sql)
        yield from cursor
        cursor.close()
        self.connection.commit()
        self.connection.autocommit = True


Psycopg2().serve()
