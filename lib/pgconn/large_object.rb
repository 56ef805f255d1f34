# frozen_string_literal: true

require "pgconn/large_object/mode"
require "pgconn/large_object/outbuf"
require "pgconn/large_object/descriptor"
require "pgconn/large_object/reader"
require "pgconn/large_object/writer"
require "pgconn/large_object/access"

module Pgconn
  # A large object of the server's, read and written like an IO; {Connection#lobject} makes it. All that is
  # done with it is part of the connection's transaction: it can be used until that ends, or the savepoint is
  # rolled back in which it was opened; after that only {#close} is fine, all else raises ProgrammingError.
  # (So it does after `RESET ALL`, which takes from the server the mark by which the object is known.)
  #
  # Once it is closed, {#export} and {#unlink} are there still: they only need its OID, and are part of the
  # transaction that is open then, or begin one. All else that asks the server raises InterfaceError.
  #
  # Several pieces are on their way at a time, so that a slow link costs little. {#write} doesn't wait for the
  # server's answer as long as not more than 4 MB is unanswered. Yet all that the program does with the
  # connection keeps its order: what is read behind a write, here or by SQL, sees what was written, and a
  # commit has all of it. An object that is open for reading alone is the one that was there when it was
  # opened, and is read ahead for who reads on and on. `IO.copy_stream` works both ways; {#export} and
  # {#import} do the same for files, in larger pieces.
  #
  # What is wrong with something that was written has failed the transaction at once; the error is raised by
  # the next call of the object that needs an answer of the server: a later {#write}, {#flush}, {#read},
  # {#size}, {#close}... Other statements raise InFailedSqlTransaction, and so does commit; that error is
  # the `cause` then.
  #
  # Like a cursor it belongs to one thread at a time.
  #
  # @example
  #   conn.transaction do
  #     File.open("film.mp4", "wb") { |file| IO.copy_stream(conn.lobject(oid), file) }
  #   end
  # @see https://www.postgresql.org/docs/current/largeobjects.html Large Objects
  class LargeObject
    include Access

    OIDS = (0..0xFFFF_FFFF)
    # Where one can end at most: 4 TB.
    SIZE_MAX = 0x7FFF_FFFF * 2048
    WHENCE = { IO::SEEK_SET => :SET, IO::SEEK_CUR => :CUR, IO::SEEK_END => :END, SET: :SET, CUR: :CUR,
               END: :END }.freeze
    private_constant :OIDS, :SIZE_MAX, :WHENCE

    # @return [Integer]
    attr_reader :oid

    # @param connection [Connection]
    # @param oid (see Connection#lobject)
    # @param mode (see Connection#lobject)
    # @param new_oid (see Connection#lobject)
    # @param new_file (see Connection#lobject)
    # @raise (see Connection#lobject)
    def initialize(connection, oid = 0, mode = nil, new_oid: 0, new_file: nil)
      raise TypeError, "no connection: #{connection.class}" unless connection.is_a?(Connection)

      @connection = connection
      @position = 0
      check_oids(oid, new_oid, new_file)
      @mode = Mode.new(mode || (oid.zero? ? "rw" : "r"))
      if new_file
        File.open(new_file, "rb") { |file| create_from(file, new_oid) }
      else
        @oid = oid.zero? ? create(new_oid) : oid
      end
      open_descriptor if @mode.opens?
    end

    # @return [String] as it was opened: "rb", "rwt"... or "n"
    def mode = @mode.to_s

    # @return [Boolean] also for mode `n`
    def closed? = @descriptor.nil?

    # Reads from the position on.
    #
    # @param length [Integer, nil] bytes, at most; in text mode as many more as the last character needs.
    #   nil: all
    # @param outbuf [String, nil] gets what is read in place of what it holds
    # @return [String, nil] in ASCII-8BIT; in text mode in the client encoding. At the end "", or nil if a
    #   length other than 0 was given
    # @raise [InterfaceError] if it is closed
    # @raise [ProgrammingError] if it isn't valid anymore
    # @see https://www.postgresql.org/docs/current/lo-interfaces.html#LO-READ lo_read
    def read(length = nil, outbuf = nil)
      length = length_of(length) unless length.nil?
      buffer = Outbuf.of(outbuf)
      bytes = read_bytes(length || Float::INFINITY)
      bytes = text_of(bytes) if @mode.text?
      given = Outbuf.fill(buffer, bytes)
      given unless given.empty? && length&.positive?
    end

    # Reads bytes, in text mode, too. For `IO.copy_stream`.
    #
    # @param maxlen [Integer] bytes, at most
    # @param outbuf (see #read)
    # @return [String] in ASCII-8BIT
    # @raise [EOFError] at the end
    # @raise (see #read)
    def readpartial(maxlen, outbuf = nil)
      maxlen = length_of(maxlen)
      buffer = Outbuf.of(outbuf)
      bytes = Outbuf.fill(buffer, read_bytes(maxlen))
      raise EOFError, "end of large object reached" if bytes.empty? && maxlen.positive?

      bytes
    end

    # Writes at the position, over what is there. Returns when the bytes are on their way, perhaps before the
    # server has answered: {#flush} waits for that. An interrupt (Timeout, Thread#kill) while it waits for the
    # answers to earlier writes cancels nothing: all that the position has passed is written.
    #
    # @param values [Array<#to_s>] Strings: as bytes; in text mode those that aren't ASCII-8BIT in the client
    #   encoding
    # @return [Integer] how many bytes
    # @raise [DatabaseError] what the server has said of a write before this one
    # @raise [DataError] for text that the client encoding can't represent
    # @raise [ProgrammingError] if it wasn't opened for writing, or isn't valid anymore
    # @raise [InterfaceError] if it is closed
    # @see https://www.postgresql.org/docs/current/lo-interfaces.html#LO-WRITE lo_write
    def write(*values)
      writer = writer_get
      bytes = values.map { |value| @mode.bytes_of(value.to_s, @connection.encoding) }
      bytes = bytes.size == 1 ? bytes.first : bytes.join
      check if bytes.empty?
      writer.write(@position, bytes) { |size| @position += size }
      bytes.bytesize
    end

    # Waits until the server has done all that was written.
    #
    # @return [self]
    # @raise [DatabaseError] what it has said of a write
    # @raise [QueryCanceledError] if that takes longer than the connection's statement_timeout
    # @raise (see #read)
    def flush
      settled_descriptor
      check
      self
    end

    # Goes to a position, perhaps past the end: what is written there has zeros in front of it.
    #
    # @param offset [Integer] bytes
    # @param whence [Integer, Symbol] from where: IO::SEEK_SET, IO::SEEK_CUR or IO::SEEK_END, or :SET, :CUR,
    #   :END
    # @return [Integer] 0
    # @raise [Errno::EINVAL] for a position below 0 or past 4 TB
    # @raise (see #read)
    # @see https://www.postgresql.org/docs/current/lo-interfaces.html#LO-SEEK lo_lseek64
    def seek(offset, whence = IO::SEEK_SET)
      start = { SET: 0, CUR: @position, END: nil }.fetch(WHENCE[whence]) do
        raise ArgumentError, "whence must be IO::SEEK_SET, SEEK_CUR or SEEK_END, not #{whence.inspect}"
      end
      start ||= size
      position = start + Integer(offset)
      raise Errno::EINVAL, "position #{position}" unless position.between?(0, SIZE_MAX)

      check
      @position = position
      0
    end

    # @return [Integer] the position, in bytes
    # @raise (see #read)
    def tell
      check
      @position
    end
    alias pos tell

    # @param position [Integer] from the beginning, in bytes
    # @raise (see #seek)
    def pos=(position)
      seek(position)
    end

    # @return [Integer] 0
    # @raise (see #read)
    def rewind = seek(0)

    # @return [Boolean] whether the position is at the end or past it
    # @raise (see #read)
    def eof?
      settled_descriptor
      @reader.end?(@position)
    end
    alias eof eof?

    # @return [Integer] in bytes
    # @raise (see #read)
    def size
      settled_descriptor.size
    end

    # Cuts it off, or extends it with zeros. The position stays.
    #
    # @param size [Integer] bytes
    # @return [Integer] 0
    # @raise [Errno::EINVAL] for a size below 0 or above 4 TB
    # @raise (see #write)
    # @see https://www.postgresql.org/docs/current/lo-interfaces.html#LO-TRUNCATE lo_truncate64
    def truncate(size = 0)
      size = Integer(size)
      writer_get
      raise Errno::EINVAL, "size #{size}" unless size.between?(0, SIZE_MAX)

      settled_descriptor.truncate(size)
      0
    end

    # Deletes the object, and closes this one; also when it is closed already. The server closes all that this
    # session has opened of the same object, whose next use raises its error: Errors::UndefinedObject,
    # `invalid large-object descriptor`. (After a write, which isn't waited for, that is the call after it.)
    #
    # @return [nil]
    # @raise [Errors::UndefinedObject] if it is deleted already
    # @raise [ProgrammingError] if it isn't valid anymore, and for a closed one in autocommit outside of
    #   {Connection#transaction}
    # @see https://www.postgresql.org/docs/current/lo-interfaces.html#LO-UNLINK lo_unlink
    def unlink
      if closed? then execute_with_oid("SELECT pg_catalog.lo_unlink($1)", @oid)
      else settled_descriptor.unlink(@oid)
      end
      forget_descriptor
    end

    # Waits for all that was written, and closes it. Fine in a failed transaction, after its end and on a
    # connection that has ended.
    #
    # @return [nil]
    # @raise [DatabaseError] what the server has said of a write, if nothing has told that before and the
    #   transaction hasn't ended
    # @see https://www.postgresql.org/docs/current/lo-interfaces.html#LO-CLOSE lo_close
    def close
      descriptor = @descriptor
      writer = @writer
      forget_descriptor
      end_writing(writer) if writer
      return unless descriptor && @connection.transaction_status == TRANSACTION_STATUS_INTRANS

      quietly { descriptor.close }
    end

    # @return [String]
    def inspect = "#<#{self.class} oid=#{oid} mode=#{mode}#{" closed" if closed?}>"
  end
end
