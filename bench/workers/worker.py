"""A driver in a process of its own; worker.rb says what the commands and the answers are."""

import gc
import hashlib
import itertools
import json
import platform
import sys
import time

import canonical

# As in statement.rb.
CHECKED = 3


class Worker:
    """A subclass for a driver has about() and fetcher(sql), which gives a function from parameters to rows."""

    def serve(self):
        self.answer(lambda: {"runtime": "Python " + platform.python_version(), **self.about()})
        for line in sys.stdin:
            command, *arguments = line.rstrip("\n").split("\t")
            self.answer(lambda: getattr(self, command)(*arguments))

    def answer(self, give):
        try:
            result = give()
        except Exception as error:
            result = {"error": "%s: %s" % (type(error).__name__, error)}
        print(json.dumps(result), flush=True)

    def setup(self, _name, _shape, _call, batch, callers, beside, sql, parameters):
        if (batch, callers, beside) != ("1", "1 thread", "nothing"):
            raise NotImplementedError("only one caller, alone and without a pipeline")
        self.parameters = json.loads(parameters)
        self.fetch = self.fetcher(sql)
        return {}

    def check(self):
        executions = max(CHECKED, len(self.parameters))
        parameters = itertools.islice(itertools.cycle(self.parameters), executions)
        rows = [row for each in parameters for row in self.fetch(each)]
        lines = ["\t".join(map(canonical.text, self.values(row))) for row in rows]
        return {"rows": len(rows), "columns": len(rows[0]), "first": lines[0],
                "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest()}

    def values(self, row):
        return row

    def run(self, seconds):
        gc.collect()
        cpu, started = time.process_time(), time.monotonic()
        queries, rows = self.execute_until(started + float(seconds))
        return {"queries": queries, "rows": rows, "seconds": time.monotonic() - started,
                "cpu": time.process_time() - cpu, "objects": None, "gc": None}

    def execute_until(self, deadline):
        queries = rows = 0
        while time.monotonic() < deadline:
            rows += len(self.fetch(self.parameters[queries % len(self.parameters)]))
            queries += 1
        return queries, rows
