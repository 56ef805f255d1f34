"""A driver in a process of its own; worker.rb says what the commands and the answers are."""

import gc
import hashlib
import itertools
import json
import platform
import sys
import time

import canonical

# As in worker.rb.
PAGE_SIZE = 2000


class Worker:
    """A subclass for a driver has about(), rows(sql), execute(sql), and, named as in worker.rb, the actions that
    it can do. Each is given SQL and the rows to be written, and gives a function from parameters to rows, or to
    the number of those written."""

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

    def setup(self, _name, action, _shape, _call, batch, callers, beside, checked, source, written, reset, sql,
              parameters):
        if (batch, callers, beside) != ("1", "1 thread", "nothing"):
            raise NotImplementedError("only one caller, alone and without a pipeline")
        self.parameters = json.loads(parameters)
        self.checked, self.written, self.reset_sql = int(checked), written, reset
        self.call = getattr(self, action)(sql, self.rows(source) if source else None)
        return {}

    def check(self):
        self.reset()
        rows = self.written_rows() if self.written else self.all_rows()
        lines = ["\t".join(map(canonical.text, self.values(row))) for row in rows]
        return {"rows": len(rows), "columns": len(rows[0]), "first": lines[0],
                "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest()}

    def all_rows(self):
        executions = max(self.checked, len(self.parameters))
        parameters = itertools.islice(itertools.cycle(self.parameters), executions)
        return [row for each in parameters for row in self.call(each)]

    def written_rows(self):
        for _ in range(self.checked):
            self.call(self.parameters[0])
        return self.rows(self.written)

    def reset(self):
        if self.reset_sql:
            self.execute(self.reset_sql)

    def values(self, row):
        return row

    def run(self, seconds):
        self.reset()
        gc.collect()
        cpu, started = time.process_time(), time.monotonic()
        queries, rows = self.execute_until(started + float(seconds))
        return {"queries": queries, "rows": rows, "seconds": time.monotonic() - started,
                "cpu": time.process_time() - cpu, "objects": None, "gc": None}

    def execute_until(self, deadline):
        queries = rows = 0
        while time.monotonic() < deadline:
            rows += self.count(self.call(self.parameters[queries % len(self.parameters)]))
            queries += 1
        return queries, rows

    def count(self, rows):
        return rows if isinstance(rows, int) else len(rows)
