# frozen_string_literal: true

module Pgconn
  class Connection
    # What the server says unasked: notices, and notifications from other sessions.

    # The longest name of a channel, in bytes of the server's encoding: NAMEDATALEN - 1.
    CHANNEL_BYTES = 63
    private_constant :CHANNEL_BYTES

    # text, in pg_type.dat.
    TEXT_OID = 25
    private_constant :TEXT_OID

    # Adds a handler of notices; see {Handler} on when it is called. While there is one, each notice is
    # kept from its arrival to the end of the command that brings it, however many these are; otherwise
    # only the texts in {#notices} are.
    #
    # @yieldparam notice [Notice]
    # @return [Handler] whose `remove` takes it away again
    # @raise [ArgumentError] without a block
    # @example
    #   conn.on_notice { |notice| logger.warn(notice.message) if notice.severity == "WARNING" }
    # @see https://www.postgresql.org/docs/current/libpq-notice-processing.html Notice Processing
    def on_notice(&block) = on(:notice, block)

    # Adds a handler of notifications; see {Handler} on when it is called. While there is one, {#notifies}
    # gets none; what is in there stays.
    #
    # @yieldparam notify [Notify]
    # @return (see #on_notice)
    # @raise (see #on_notice)
    # @see https://www.postgresql.org/docs/current/libpq-notify.html Asynchronous Notification
    def on_notify(&block) = on(:notify, block)

    # Listens to channels, all of them or, if that fails, none. Outside of a transaction it takes effect
    # at once, whatever {#autocommit} is; inside of one, at its commit.
    #
    # @param channels [Array<String, Symbol>] taken as they are: upper case stays so; ASCII-8BIT as UTF-8
    # @return [nil]
    # @raise [ArgumentError] for no channel, and for a name that is empty, has a NUL byte or more than 63
    #   bytes: the server would listen to another one
    # @raise [TypeError] for a name that is neither String nor Symbol
    # @raise [DataError] for a name that isn't valid text
    # @see https://www.postgresql.org/docs/current/sql-listen.html LISTEN
    def listen(*channels)
      closed? # raises for an object whose initialize didn't call super
      raise ArgumentError, "listen needs a channel" if channels.empty?

      execute_joining(channels.map { |channel| "LISTEN #{quote_channel(channel)}" }, [])
    end

    # Ends listening to the channels, or to all if none is named; otherwise as {#listen}. Notifications
    # that have come are still in {#notifies}.
    #
    # @param channels (see #listen)
    # @return [nil]
    # @raise (see #listen)
    # @see https://www.postgresql.org/docs/current/sql-unlisten.html UNLISTEN
    def unlisten(*channels)
      names = channels.empty? ? ["*"] : channels.map { |channel| quote_channel(channel) }
      execute_joining(names.map { |name| "UNLISTEN #{name}" }, [])
    end

    # Notifies all sessions that listen to the channel, also this one. Outside of a transaction it is
    # sent at once, whatever {#autocommit} is; inside of one, at its commit.
    #
    # @param channel [String, Symbol] taken as it is
    # @param payload [Object, nil] what goes as a parameter of type text, such as a String or an Integer:
    #   less than 8,000 bytes; nil: ""
    # @return [nil]
    # @raise [ArgumentError, TypeError] for a channel as in {#listen}
    # @raise [DataError] for a payload that is too long or has a NUL byte, and for what isn't valid text
    # @see https://www.postgresql.org/docs/current/sql-notify.html NOTIFY and pg_notify
    def notify(channel, payload = nil)
      texts = [channel_name(channel), payload.nil? ? "" : payload].map { |value| Typed.new(value, TEXT_OID) }
      execute_joining(["SELECT pg_catalog.pg_notify($1, $2)"], texts)
    end

    # Takes the oldest notification out of {#notifies}, waiting for one if there is none. Other threads
    # may use the connection meanwhile, and may wait, too: each notification is given to one of them. With
    # {#on_notify} handlers these are called, and the first notification that they got by this call is
    # given.
    #
    # @param timeout [Numeric, nil] seconds to wait at most; nil: for ever
    # @return [Notify, nil] nil when the time has passed
    # @raise [ProgrammingError] inside a transaction, where it could wait for ever: the server delivers
    #   between transactions only; and in a handler, where there are {#on_notify} handlers
    # @raise [ConnectionLost] if the connection is lost
    # @raise [InterfaceError] if it is closed, also by another thread, or the parent process's
    # @raise [ArgumentError] for a timeout that isn't positive
    # @example A worker
    #   conn = Pgconn.connect(uri, autocommit: true)
    #   conn.listen("jobs")
    #   loop do
    #     work_on_what_there_is(conn)
    #     conn.wait_for_notify(timeout: 60)
    #   end
    # @see https://www.postgresql.org/docs/current/libpq-notify.html Asynchronous Notification
    def wait_for_notify(timeout: nil) = take_notify(timeout)

    private

    def on(event, block)
      raise ArgumentError, "on_#{event} needs a block" unless block

      add_handler(event, Handler.new(block) { |handler| remove_handler(event, handler) })
    end

    def quote_channel(channel) = %("#{channel_name(channel).gsub('"', '""')}")

    def channel_name(channel)
      name = channel.is_a?(Symbol) ? channel.name : channel
      raise TypeError, "a channel is a String or a Symbol, not #{channel.class}" unless name.is_a?(String)

      name = UTF8.text(name, "a channel's name")
      problem = channel_problem(name)
      raise ArgumentError, "a channel's name #{problem}: #{name.inspect}" if problem

      name
    end

    def channel_problem(name)
      return "can't be empty" if name.empty?
      return "can't have a NUL byte" if name.include?("\0")

      "has at most #{CHANNEL_BYTES} bytes" if too_long?(name)
    end

    # What the server can't have in its encoding, it refuses by itself.
    def too_long?(name)
      encoding = server_encoding
      encoded = encoding ? name.encode(encoding) : name
      encoded.bytesize > CHANNEL_BYTES
    rescue EncodingError
      name.bytesize > CHANNEL_BYTES
    end
  end
end
