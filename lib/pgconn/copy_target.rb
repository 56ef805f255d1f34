# frozen_string_literal: true

module Pgconn
  # What a COPY is from or to, as its caller names it: a table, a query, or a whole COPY statement.
  # @see https://www.postgresql.org/docs/current/sql-copy.html COPY
  # @api private
  class CopyTarget
    IDENTIFIER = /\A[[:alpha:]_][[:alnum:]_$]*\z/
    STATEMENT = /\A\s*COPY\b(?!\z)/i
    QUERY = /\A\s*(?:\(|(?:SELECT|VALUES|TABLE|WITH)\b(?!\z))/i
    CLIENT = /\bSTD(?:IN|OUT)\b/i # the server takes either word in both directions
    FORMATS = %i[binary text csv].freeze
    private_constant :IDENTIFIER, :STATEMENT, :QUERY, :CLIENT, :FORMATS

    # Those that aren't generated, which a COPY has if none are named.
    COLUMNS = <<~SQL
      SELECT attname FROM pg_catalog.pg_attribute
      WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      ORDER BY attnum
    SQL
    private_constant :COLUMNS

    # @param target [String, Symbol, Array<String>, SQL::Composable]
    # @param columns [Array<String, Symbol>, nil]
    # @raise [ArgumentError, TypeError] for what is no target
    def initialize(connection, target, columns)
      @connection = connection
      case target
      when SQL::Identifier then @table = target.to_sql(connection)
      when SQL::Composable then read(target.to_sql(connection))
      when String then read(UTF8.text(target, "what a COPY is of"))
      else read(target)
      end
      @columns = columns && column_names(columns)
    end

    # @return [Boolean] whether the SQL is the caller's, and so the form of the data
    def statement? = !@statement.nil?

    # @return [Boolean] whether data goes through the client, not from or to files of the server
    def client? = !@statement || CLIENT.match?(@statement)

    # @return [Boolean]
    def query? = !@query.nil?

    # @param direction [String] "FROM STDIN" or "TO STDOUT"
    # @param options [Hash] of the format, by the keywords of copy_in
    # @return [String] the COPY
    def sql(direction, **options)
      options = options.compact
      if @statement
        return @statement if options.empty?

        raise ArgumentError, "#{options.keys.join(", ")}: the COPY statement says that itself"
      end
      "COPY #{source} #{direction} (#{CopyTarget.options(@connection, **options)})"
    end

    # @return [String] the COPY without its options, as tracers are told
    def title(direction) = @statement || "COPY #{source} #{direction}"

    # @return [String, nil] what errors tell of: the caller's query, or what is done with the table; nil: all
    #   of the COPY, which is the caller's
    def text(direction) = @statement ? nil : @query || title(direction)

    # Names the columns of a table where the caller hasn't, so that what is described is what is copied.
    # @yield [sql, arguments] gives rows of the catalog
    def name_columns
      return if @columns || @query

      # Where there is no such table, the server says so.
      @columns = yield(COLUMNS, [@table]).flatten.map { |name| QuotedName.of(name) }
    end

    # @return [String] a query with the rows of the COPY, whose columns are named; never executed
    def rows_query = @query || "SELECT #{@columns.join(", ")} FROM #{@table}"

    # @return [String] the options of a COPY in parentheses
    # @raise [ArgumentError] for a format that doesn't exist
    def self.options(connection, format: :text, separator: nil, null: nil, header: nil)
      known = FORMATS.include?(format)
      raise ArgumentError, "format: is :binary, :text or :csv, not #{format.inspect}" unless known

      options = ["FORMAT #{format}"]
      options << "DELIMITER #{connection.quote_literal(separator)}" if separator
      options << "NULL #{connection.quote_literal(null)}" if null
      options << "HEADER #{header}" if header?(header)
      options.join(", ")
    end

    # Whether it is given.
    def self.header?(header)
      return !header.nil? if [true, false, :match, nil].include?(header)

      raise ArgumentError, "header: is true, false or :match, not #{header.inspect}"
    end
    private_class_method :header?

    private

    def read(target)
      if text?(target, STATEMENT) then @statement = target
      elsif text?(target, QUERY) then @query = target.sub(/;\s*\z/, "").freeze
      else @table = table_name(target)
      end
    end

    def text?(target, pattern) = target.is_a?(String) && pattern.match?(target)

    def column_names(columns)
      raise ArgumentError, "columns: is for a table" unless @table
      raise TypeError, "columns: is an Array of names, not #{columns.class}" unless columns.is_a?(Array)
      raise ArgumentError, "columns: names no column" if columns.empty?

      columns.map { |column| QuotedName.of(column) }
    end

    def table_name(target)
      return QuotedName.of(target) if target.is_a?(Array) || target.is_a?(Symbol)
      return QuotedName.of(target) if text?(target, IDENTIFIER)
      raise TypeError, "a COPY is of a table, a query or SQL, not #{target.class}" unless target.is_a?(String)

      raise ArgumentError, "neither a table's name nor a query nor COPY: #{target.inspect} " \
                           "(an unusual name, or one with its schema, is given as an Array)"
    end

    def source
      return "(#{@query}\n)" if @query

      @columns.nil? || @columns.empty? ? @table : "#{@table} (#{@columns.join(", ")})"
    end
  end
  private_constant :CopyTarget
end
