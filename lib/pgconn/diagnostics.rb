# frozen_string_literal: true

module Pgconn
  # The fields of an error or notice message, as the server sent them. Any of them may be nil. The
  # Strings are frozen and in the client's encoding; the whole is frozen and can be shared between
  # Ractors.
  #
  # @see https://www.postgresql.org/docs/current/protocol-error-fields.html PostgreSQL,
  #   "Error and Notice Message Fields"
  # @see https://www.postgresql.org/docs/current/libpq-exec.html libpq, "PQresultErrorField"
  class Diagnostics
    # The fields' names, in PostgreSQL's order.
    FIELDS = %i[
      severity sqlstate message_primary message_detail message_hint statement_position
      internal_position internal_query context schema_name table_name column_name datatype_name
      constraint_name source_file source_line source_function
    ].freeze

    # The shorter names that some of the fields have too.
    SHORT_NAMES = %i[
      message detail hint position schema table column datatype constraint
    ].freeze

    POSITIONS = %i[statement_position internal_position].freeze
    private_constant :POSITIONS

    # @param fields [Hash{Symbol => String, Integer, nil}] keywords out of {FIELDS}
    # @raise [ArgumentError] for others
    def initialize(**fields)
      unknown = fields.keys - FIELDS
      raise ArgumentError, "unknown field: #{unknown.join(", ")}" unless unknown.empty?

      @fields = fields.to_h { |name, value| [name, field_value(name, value)] }.compact.freeze
      freeze
    end

    # @return [String, nil] ERROR, FATAL, PANIC or a notice's WARNING, NOTICE, DEBUG, INFO, LOG;
    #   never translated
    def severity = @fields[:severity]

    # @return [String, nil] the five characters of the SQLSTATE
    def sqlstate = @fields[:sqlstate]

    # @return [String, nil] the message itself, usually one line
    def message_primary = @fields[:message_primary]
    alias message message_primary

    # @return [String, nil] more about the problem
    def message_detail = @fields[:message_detail]
    alias detail message_detail

    # @return [String, nil] what to do about it
    def message_hint = @fields[:message_hint]
    alias hint message_hint

    # @return [Integer, nil] where in the user's own text the error is: characters, from 1
    def statement_position = @fields[:statement_position]
    alias position statement_position

    # @return [Integer, nil] where in {#internal_query} the error is: characters, from 1
    def internal_position = @fields[:internal_position]

    # @return [String, nil] the text of a statement that the server made by itself, such as one in
    #   a function
    def internal_query = @fields[:internal_query]

    # @return [String, nil] the call stack of functions and internal statements, one a line
    def context = @fields[:context]

    # @return [String, nil] the schema of the object that the error is about
    def schema_name = @fields[:schema_name]
    alias schema schema_name

    # @return [String, nil] the table that the error is about
    def table_name = @fields[:table_name]
    alias table table_name

    # @return [String, nil] the table's column that the error is about
    def column_name = @fields[:column_name]
    alias column column_name

    # @return [String, nil] the data type that the error is about
    def datatype_name = @fields[:datatype_name]
    alias datatype datatype_name

    # @return [String, nil] the constraint that the error is about
    def constraint_name = @fields[:constraint_name]
    alias constraint constraint_name

    # @return [String, nil] the file of PostgreSQL's source that reported it
    def source_file = @fields[:source_file]

    # @return [String, nil] the line in that file
    def source_line = @fields[:source_line]

    # @return [String, nil] the function in that file
    def source_function = @fields[:source_function]

    # @return [Hash{Symbol => String, Integer}] the fields that are set, by the names in {FIELDS}
    def to_h = @fields

    # For pattern matching, by either name of a field.
    #
    # @param names [Array<Symbol>, nil] those that are wanted; nil: all
    # @return [Hash{Symbol => String, Integer, nil}]
    def deconstruct_keys(names)
      known = FIELDS + SHORT_NAMES
      (names ? names & known : known).to_h { |name| [name, public_send(name)] }
    end

    # @return [Boolean] whether the other has the same fields
    def ==(other) = other.instance_of?(self.class) && to_h == other.to_h
    alias eql? ==

    # @return [Integer]
    def hash = [self.class, @fields].hash

    # Short and free of texts that may quote the statement.
    # @return [String]
    def inspect
      "#<#{self.class} severity=#{severity.inspect} sqlstate=#{sqlstate.inspect} " \
        "message_primary=#{message_primary.inspect}>"
    end

    # What Marshal writes.
    # @api private
    def marshal_dump = @fields

    # Frozen again, unlike what Marshal makes by itself.
    # @api private
    def marshal_load(fields) = initialize(**fields)

    # What an error that the server had no part in has.
    EMPTY = new

    private

    def field_value(name, value)
      return value if value.nil? || value.is_a?(Integer)
      return Integer(value, 10, exception: false) if POSITIONS.include?(name)

      String.new(value).freeze
    end
  end
end
