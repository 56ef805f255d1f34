# frozen_string_literal: true

module Pgconn
  class Connection
    # Connections that are polled: those made with `async: true`, and all others by a wait callback.

    # Makes a step, which never waits, of what is under way. On an async connection that is connecting or the
    # statement being executed: its error is raised here, and once {POLL_OK} is given the cursor has its
    # result. In a wait callback it is what the call waits for that has called it; that call raises its errors
    # itself. Where nothing is under way it takes in notices and notifications, calls their handlers and gives
    # {POLL_OK}.
    #
    # @return [Integer] {POLL_OK} when it is done, else what to wait for on {#to_io} before the next poll:
    #   {POLL_READ}, or {POLL_READ} | {POLL_WRITE} while there are bytes that the server hasn't taken, or
    #   {POLL_WRITE} alone while connecting. Test its bits, or hand it to `IO#wait`
    # @raise [ProgrammingError] in another thread than the one that called execute, and in handlers that poll
    #   calls for a statement
    # @raise [OperationalError] if no address could be connected to
    # @raise [ConnectionLost] if the connection is lost
    # @raise [InterfaceError] if it is closed, or the parent process's
    # @raise (see Cursor#execute)
    # @example
    #   conn = Pgconn.connect(uri, async: true)
    #   conn.to_io.wait(events, nil) until (events = conn.poll) == Pgconn::POLL_OK
    # @see https://www.postgresql.org/docs/current/libpq-async.html Asynchronous Command Processing
    def poll
      poll_wait || (@operation ? poll_operation : poll_idle)
    end

    # @return [IO] what to wait for after {#poll}: it can be handed to `IO.select`. It is another one when
    #   the descriptor changes, as it may while connecting and, where the call has a deadline, with each
    #   statement: so ask for it after each poll. It doesn't close the connection
    # @raise [InterfaceError, ConnectionLost] if the connection has ended
    def to_io
      io = wait_io || @operation&.io and return io

      descriptor = socket
      @socket_io = IO.for_fd(descriptor, autoclose: false) unless @socket_io&.fileno == descriptor
      @socket_io
    end

    # @return [Integer] the descriptor of {#to_io}
    # @raise (see #to_io)
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQSOCKET PQsocket
    def fileno = to_io.fileno

    # @return [Boolean] whether an async connection is connecting or executing a statement; false for others
    def executing?
      async? && !@operation.nil?
    end
    alias isexecuting executing?

    private

    # What execute does on an async connection.
    def begin_operation(&block)
      raise ProgrammingError, "another statement is underway: poll until POLL_OK" if @operation

      @operation = Operation.new(self, &block)
      poll_operation
    end

    def poll_operation
      operation = @operation
      operation.poll
    ensure
      @operation = nil if operation.done?
    end

    def poll_idle
      take_in
      POLL_OK
    end

    # What close does besides.
    def abandon_operation
      @operation&.abandon
      @operation = nil
    end
  end
end
