"""psycopg2, whose rows are tuples. It puts parameters into the SQL itself, and prepares nothing."""

import re

import psycopg2
import psycopg2.extensions

from worker import Worker


class Psycopg2(Worker):
    def __init__(self):
        self.connection = psycopg2.connect("")
        self.connection.autocommit = True

    def about(self):
        return {"version": psycopg2.__version__.split()[0], "libpq": psycopg2.extensions.libpq_version(),
                "backends": [self.connection.get_backend_pid()]}

    def fetcher(self, sql):
        cursor = self.connection.cursor()
        sql = re.sub(r"\$\d+", "%s", sql)

        def fetch(parameters):
            cursor.execute(sql, parameters)
            return cursor.fetchall()

        return fetch


Psycopg2().serve()
