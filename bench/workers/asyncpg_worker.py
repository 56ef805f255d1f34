"""asyncpg, whose rows are Records. It caches prepared statements by itself, and has no libpq.

An argument names the module that has the event loop, in place of asyncio's.
"""

import asyncio
import importlib
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

    def fetcher(self, sql):
        self.sql = sql
        return lambda parameters: self.complete(self.connection.fetch(sql, *parameters))

    def values(self, row):
        """The type "char" comes as bytes, as text elsewhere."""
        return [value.decode() if isinstance(value, bytes) and len(value) == 1 else value for value in row]

    def execute_until(self, deadline):
        return self.complete(self.fetch_until(deadline))

    async def fetch_until(self, deadline):
        """The loop of all queries is within the event loop, as it is in a program that uses asyncpg."""
        queries = rows = 0
        while time.monotonic() < deadline:
            parameters = self.parameters[queries % len(self.parameters)]
            rows += len(await self.connection.fetch(self.sql, *parameters))
            queries += 1
        return queries, rows

    def complete(self, coroutine):
        return self.loop.run_until_complete(coroutine)


Asyncpg(importlib.import_module(sys.argv[1]) if sys.argv[1:] else asyncio).serve()
