# frozen_string_literal: true

module Pgconn
  # A notice of the server's: what it remarks besides the result of a command, such as a WARNING or a
  # function's `RAISE NOTICE`. It has the fields of {Diagnostics}. Frozen; can be shared between Ractors.
  #
  # Its {#position} counts characters of the statement as it was sent: with `:name` parameters, of
  # {Cursor#query}.
  #
  # @see Connection#on_notice
  # @see https://www.postgresql.org/docs/current/plpgsql-errors-and-messages.html PostgreSQL,
  #   "Errors and Messages"
  class Notice < Diagnostics
    # @param text [String] the whole as psql prints it
    # @param fields (see Diagnostics#initialize)
    # @raise (see Diagnostics#initialize)
    def initialize(text, **fields)
      @text = String.new(text).freeze
      super(**fields)
    end

    # @return [String] the whole as psql prints it, "NOTICE:  text\n", and as {Connection#notices} has it
    def to_s = @text

    # What Marshal writes.
    # @api private
    def marshal_dump = [@text, to_h]

    # Frozen again, unlike what Marshal makes by itself.
    # @api private
    def marshal_load((text, fields)) = initialize(text, **fields)
  end
end
