# frozen_string_literal: true

module Pgconn
  # One run of a COPY: gets it going, moves its data, and ends it however it is left.
  # @api private
  class CopyRun < Copy
    public :finish, :run

    class << self
      # Runs a COPY FROM STDIN on a cursor; see {Connection#copy_in}.
      def into(cursor, target, source, progress:, columns: nil, **options, &block)
        connection = cursor.connection # raises for an object whose initialize didn't call super
        check_one(source, block)
        check_progress(progress)
        target = client_target(connection, target, columns)
        raise ArgumentError, "a query is no target" if target.query?
        return take(cursor, target, nil, progress, **options, &block) if block

        CopySource.open(source) { |opened| take(cursor, target, opened, progress, **options) }
      end

      # Runs a COPY TO STDOUT on a cursor; see {Connection#copy_out}.
      def out_of(cursor, source, sink, progress:, columns: nil, **options, &block)
        connection = cursor.connection # raises for an object whose initialize didn't call super
        check_sink(sink) unless sink.nil?
        check_one(sink, block)
        check_progress(progress)
        give(cursor, client_target(connection, source, columns), sink, progress, **options, &block)
      end

      # Runs a COPY in whichever direction the SQL says; see {Cursor#copy_expert}.
      def with(cursor, sql, io, timeout:)
        new(cursor, nil, timeout, nil).run(sql, false) do |copy|
          case copy.start(sql, nil)
          when :in then CopySource.open(io) { |source| copy.take_from(source) && copy.finish }
          when :out then check_sink(io) && copy.give_to(io)
          end
        end
      end

      private

      def take(cursor, target, source, progress, timeout:, **options)
        rows = !target.statement? && !source&.data?
        copy = new(cursor, target.text("FROM STDIN"), timeout, progress)
        copy.run(target.title("FROM STDIN"), rows) do
          rows ? copy.take_rows(target, **options) : copy.start(data_sql(target, options), :in)
          source ? copy.take_from(source) : yield(copy)
          copy.finish
        end
      end

      def give(cursor, target, sink, progress, timeout:, **options, &block)
        rows = block && !target.statement?
        copy = new(cursor, target.text("TO STDOUT"), timeout, progress)
        copy.run(target.title("TO STDOUT"), rows) do
          next copy.give_rows(target, **options, &block) if rows

          copy.start(target.sql("TO STDOUT", **format_of(target, options)), :out)
          block ? copy.give_each(block) : copy.give_to(sink)
        end
      end

      def check_one(io, block)
        raise ArgumentError, "give either an IO or a block" if io.nil? == block.nil?
      end

      def check_sink(sink)
        return true if sink.respond_to?(:write) || CopyPath.path?(sink)

        raise TypeError, "#{sink.class} has no method write: a sink is an IO or a Pathname " \
                         "(and a COPY has no parameters)"
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

    # Runs a COPY that gives rows.
    def give_rows(target, format: nil, **options, &block)
      refuse(options)
      raise ArgumentError, "rows come as :binary or :text, not #{format.inspect}" if format == :csv

      _, reads_binary = describe_rows(target)
      self.format = format = reads_binary ? format || :binary : :text
      start(target.sql("TO STDOUT", format: format), :out)
      each_row(&block)
    end

    # Takes all that a source has.
    # @return [self]
    def take_from(source)
      source.each([Encoding::BINARY, Encoding::US_ASCII, encoding]) { |piece| self << piece }
      self
    end

    # To an IO, or the file that a path names.
    def give_to(sink) = CopyPath.writer(sink) { |writer| give_each(writer) }

    # To what is called with each piece.
    def give_each(callable)
      while (piece = read)
        callable.call(piece)
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
  end
  private_constant :CopyRun
end
