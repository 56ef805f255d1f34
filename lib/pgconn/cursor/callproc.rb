# frozen_string_literal: true

module Pgconn
  class Cursor
    # Calling functions.

    # Calls a function: executes `SELECT * FROM name(...)`, with the arguments as parameters. A procedure is
    # called by `execute("CALL ...")`.
    #
    # @param name [String, Symbol, Array<String, Symbol>] its name, or [schema, name]; quoted as it is
    # @param args [Array, Hash, nil] the arguments in their order, or by their names (which are quoted, too)
    # @param timeout (see #execute)
    # @return [self] with the rows that the function has given
    # @raise [TypeError, ArgumentError, DataError] for names that can't be (see Connection#quote_identifier)
    # @raise [ProgrammingError] if there is no such function, or it is a procedure
    # @raise (see #execute)
    # @example
    #   cur.callproc("make_interval", { "days" => 3, "hours" => 1 }).fetch_value
    # @see https://www.postgresql.org/docs/current/sql-syntax-calling-funcs.html Calling Functions
    def callproc(name, args = nil, timeout: nil)
      function = QuotedName.of(name)
      arguments, values = call_arguments(args)
      execute("SELECT * FROM #{function}(#{arguments.join(", ")})", values, timeout: timeout)
    end

    private

    # What stands in the parentheses, and the values of its parameters.
    def call_arguments(args)
      case args
      when nil then [[], []]
      when Array then [Array.new(args.size) { |index| "$#{index + 1}" }, args]
      when Hash
        [args.keys.each_with_index.map { |key, index| "#{QuotedName.of(key)} => $#{index + 1}" }, args.values]
      else raise TypeError, "arguments are given as an Array or a Hash, not #{args.class}"
      end
    end
  end
end
