# frozen_string_literal: true

module Pgconn
  class Connection
    # Many statements in one go.

    # Executes the statements of the block without waiting for their answers: each {Cursor#execute} of this
    # caller returns at once, and the statements go to the server together. They are sent, and waited for,
    # at the block's end, when a result is asked for (`fetch`, `rowcount`, `description` and the like), and
    # when a statement has to go by itself: COMMIT, SET and what else changes the session, several statements
    # in one string, a COPY, one whose parameters the server has to be asked about, and one that the server
    # executes outside of transactions only (VACUUM, CREATE DATABASE, CREATE INDEX CONCURRENTLY).
    #
    # What is sent together is one unit for the server: **in autocommit it commits or fails as a whole**. The
    # first error skips the statements behind it. It is raised where its result is asked for, or, if nobody
    # did, at the next such moment or the end of the block; results of statements before it can be read, also
    # in autocommit, where they are undone with the rest; those behind it raise {PipelineAborted}, whose
    # `cause` it is. Wrong arguments raise from execute itself.
    #
    # {#rollback}, {#reset} and ROLLBACK as SQL roll back whether what was executed before them has failed or
    # not; its error is raised later. An error that comes as all of it commits, because a deferred constraint
    # doesn't hold, is that of the last statement; the others have succeeded then, and are undone.
    #
    # Only what the thread (under a Fiber scheduler: the fiber) that has called it executes is gathered. Other
    # callers can't wait for its cursors before their results are there (ProgrammingError); what they execute,
    # tasks started in the block included, doesn't wait for what was gathered. What handlers, tracers and
    # values' own methods execute while it is being sent or added to goes by itself. A `timeout:` counts from
    # its execute, not from when it is sent.
    #
    # Left by an exception, a throw or a kill, what wasn't sent yet is never sent. Other callers' statements
    # go before or after what is sent together. All of it counts against the earliest `timeout:` of its
    # statements. Until it is sent it is kept in memory: ask for a result, or end the block, now and then when
    # there are very many.
    #
    # @yieldparam conn [self]
    # @return [Object] the block's value
    # @raise [DatabaseError] the first error that nobody has asked for
    # @raise [ProgrammingError] on an async connection
    # @raise [ArgumentError] without a block
    # @example
    #   total, latest = conn.pipeline do
    #     orders.each { |id, sum| conn.execute("INSERT INTO orders VALUES ($1, $2)", [id, sum]) }
    #     [conn.execute("SELECT sum(total) FROM orders"), conn.execute("SELECT max(id) FROM orders")]
    #   end
    #   total.fetch_value
    # @see https://www.postgresql.org/docs/current/libpq-pipeline-mode.html Pipeline Mode
    def pipeline(&block)
      raise ArgumentError, "pipeline needs a block" unless block

      run_pipeline(&block)
    end
  end
end
