"""asyncpg, whose rows are Records. It caches prepared statements by itself, and has no libpq.

An argument names the module that has the event loop, in place of asyncio's.
"""

import asyncio
import importlib
import itertools
import json
import sys
import time

import asyncpg

from worker import Worker


class Asyncpg(Worker):
    def __init__(self, loops):
        self.loop = loops.new_event_loop()
        self.connection = self.complete(asyncpg.connect())
        # As its documentation says to have JSON parsed; psycopg2 and the Ruby drivers do it unasked.
        self.complete(self.connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads))

    def about(self):
        return {"version": asyncpg.__version__, "libpq": None, "backends": [self.connection.get_server_pid()]}

    def rows(self, sql):
        return self.complete(self.connection.fetch(sql))

    def execute(self, sql):
        self.complete(self.connection.execute(sql))

    def query(self, sql, _rows):
        return self.completed(lambda parameters: self.connection.fetch(sql, *parameters))

    def copy_in(self, table, rows):
        rows = [tuple(row) for row in rows]

        async def copy(parameters):
            records = itertools.chain.from_iterable(itertools.repeat(rows, parameters[0]))
            status = await self.connection.copy_records_to_table(table, records=records)
            return int(status.split()[1])

        return self.completed(copy)

    def execute_many(self, sql, rows):
        rows = [tuple(row) for row in rows]

        async def insert(_parameters):
            await self.connection.executemany(sql, rows)
            return len(rows)

        return self.completed(insert)

    def completed(self, awaitable):
        """Called alone an execution is completed at once; in a run they are awaited."""
        self.awaitable = awaitable
        return lambda parameters: self.complete(awaitable(parameters))

    def values(self, row):
        """The type "char" comes as bytes, as text elsewhere."""
        return [value.decode() if isinstance(value, bytes) and len(value) == 1 else value for value in row]

    def execute_until(self, deadline):
        return self.complete(self.await_until(deadline))

    async def await_until(self, deadline):
        """The loop of all queries is within the event loop, as it is in a program that uses asyncpg."""
        queries = rows = 0
        while time.monotonic() < deadline:
            parameters = self.parameters[queries % len(self.parameters)]
            rows += self.count(await self.awaitable(parameters))
            queries += 1
        return queries, rows

    def complete(self, coroutine):
        return self.loop.run_until_complete(coroutine)


Asyncpg(importlib.import_module(sys.argv[1]) if sys.argv[1:] else asyncio).serve()
