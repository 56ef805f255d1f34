# frozen_string_literal: true

module Pgconn
  # One run of a COPY: gets it going, moves its data, and ends it however it is left.
  # @api private
  class CopyRun < Copy
    # Bytes that are read from a source at once.
    PIECE = 65_536
    private_constant :PIECE

    public :each_row, :finish, :run

    class << self
      # Runs a COPY FROM STDIN on a cursor; see {Connection#copy_in}.
      def into(cursor, target, source, timeout:, progress:, columns: nil, **options, &block)
        connection = cursor.connection # raises for an object whose initialize didn't call super
        check_one(source, block, :read, :each)
        check_progress(progress)
        target = client_target(connection, target, columns)
        rows = !target.statement? && !source.respond_to?(:read)
        raise ArgumentError, "a query is no target" if target.query?

        new(cursor, target.text("FROM STDIN"), timeout, progress).run(target.title("FROM STDIN"), rows) do |copy|
          rows ? copy.take_rows(target, **options) : copy.start(data_sql(target, options), :in)
          block ? yield(copy) : copy.take_from(source)
          copy.finish
        end
      end

      # Runs a COPY TO STDOUT on a cursor; see {Connection#copy_out}.
      def out_of(cursor, source, sink, timeout:, progress:, columns: nil, **options, &block)
        connection = cursor.connection # raises for an object whose initialize didn't call super
        check_one(sink, block, :write)
        check_progress(progress)
        target = client_target(connection, source, columns)
        rows = block && !target.statement?
        new(cursor, target.text("TO STDOUT"), timeout, progress).run(target.title("TO STDOUT"), rows) do |copy|
          if rows
            copy.start_rows(target, **options)
            copy.each_row(&block)
          else
            copy.start(target.sql("TO STDOUT", **format_of(target, options)), :out)
            copy.give_to(sink ? sink.method(:write) : block)
          end
        end
      end

      # Runs a COPY in whichever direction the SQL says; see {Cursor#copy_expert}.
      def with(cursor, sql, io, timeout:)
        new(cursor, nil, timeout, nil).run(sql, false) do |copy|
          case copy.start(sql, nil)
          when :in
            check_one(io, nil, :read)
            copy.take_from(io)
            copy.finish
          when :out
            check_one(io, nil, :write)
            copy.give_to(io.method(:write))
          end
        end
      end

      private

      def check_one(io, block, *methods)
        raise ArgumentError, "give either an IO or a block" if io.nil? == block.nil?
        return if io.nil? || methods.any? { |method| io.respond_to?(method) }

        raise TypeError, "#{io.class} has no method #{methods.join(" or ")}"
      end

      def check_progress(progress)
        return if progress.nil? || progress.respond_to?(:call)

        raise TypeError, "progress: #{progress.class} has no method call"
      end

      # Before anything is sent: once the server has read a file, it's too late to refuse.
      def client_target(connection, name, columns)
        target = CopyTarget.new(connection, name, columns)
        return target if target.client?

        raise ProgrammingError, "a COPY from or to the server's files has no data here: use copy_expert"
      end

      def data_sql(target, options) = target.sql("FROM STDIN", **format_of(target, options))

      # For bytes it is text unless the caller says something else.
      def format_of(target, options)
        target.statement? ? options : { format: :text, **options.compact }
      end
    end

    # Begins a COPY whose data the caller knows.
    # @raise [ProgrammingError] where its data goes the other way
    def start(sql, direction)
      set_statement(sql, nil)
      actual = self.begin
      return actual if actual.nil? || direction.nil? || actual == direction

      raise ProgrammingError, "the data of this COPY goes #{actual}: use copy_#{actual}"
    end

    # Begins a COPY that takes rows.
    def take_rows(target, format: nil, **options)
      refuse(options)
      format ||= :binary
      writes_binary, = describe_rows(target)
      format = :text if format == :binary && !writes_binary
      text = target.sql("FROM STDIN", format: :text) if format == :binary
      set_statement(target.sql("FROM STDIN", format: format), text)
      self.format = format
      begin_rows
    end

    # Begins a COPY that gives rows.
    def start_rows(target, format: nil, **options)
      refuse(options)
      raise ArgumentError, "rows come as :binary or :text, not #{format.inspect}" if format == :csv

      _, reads_binary = describe_rows(target)
      self.format = format = reads_binary ? format || :binary : :text
      start(target.sql("TO STDOUT", format: format), :out)
    end

    # From an IO or an Enumerable.
    def take_from(source)
      return source.each { |row| self << row } unless source.respond_to?(:read)

      read = reader(source)
      while (piece = read.call)
        raise TypeError, "read gave #{piece.class}, not a String" unless piece.is_a?(String)
        break if piece.empty?

        self << piece
      end
    end

    # To what is called with each piece.
    def give_to(sink)
      while (piece = read)
        sink.call(piece)
      end
    end

    private

    def describe_rows(target)
      target.name_columns { |sql, arguments| catalog_rows(sql, arguments) }
      describe(target.rows_query)
    end

    # How rows are written is nobody's business.
    def refuse(options)
      given = options.compact.keys
      raise ArgumentError, "#{given.join(", ")}: for data of an IO, not for rows" unless given.empty?
    end

    # Text in another encoding is read in whole characters, so that it can be transcoded.
    def reader(source)
      encoding = source.respond_to?(:external_encoding) ? source.external_encoding : nil
      return -> { source.read(PIECE) } if encoding.nil? || taken_as_is.include?(encoding)

      -> { source.gets(nil, PIECE) }
    end

    def taken_as_is = [Encoding::BINARY, Encoding::US_ASCII, encoding]
  end
  private_constant :CopyRun
end
