# frozen_string_literal: true

require "pgconn/sql/composable"
require "pgconn/sql/composed"
require "pgconn/sql/identifier"
require "pgconn/sql/literal"
require "pgconn/sql/placeholder"
require "pgconn/sql/template"
require "pgconn/sql/rendering"

module Pgconn
  # SQL made of pieces: a text of the program's own, and what goes into it, each quoted as what it is. For
  # names of tables and columns, and for values where PostgreSQL takes no parameters; other values are
  # parameters still.
  #
  # All pieces ({Composable}) are frozen and equal to others that are the same; `execute` takes them in
  # place of a String. `SQL.new` is for what the program says, never for what it was given. In quotes and in
  # comments of a text no other piece may stand: what is to be quoted, as the body of a function is, is a
  # {Literal} as a whole.
  #
  # @example
  #   comma = Pgconn::SQL.new(", ")
  #   insert = Pgconn::SQL.format("INSERT INTO {table} ({columns}) VALUES ({values})",
  #                               table: Pgconn::SQL::Identifier.new("shop", "Order"),
  #                               columns: comma.join(names.map { |name| Pgconn::SQL::Identifier.new(name) }),
  #                               values: comma.join(Pgconn::SQL::Placeholder.new * names.size))
  #   conn.execute(insert, values)
  class SQL
    include Composable

    # Short for `SQL.new(text).format(...)`.
    # @param text [String]
    # @return (see #format)
    # @raise (see #format)
    def self.format(text, *pieces, **named) = new(text).format(*pieces, **named)

    # @return [String] the text, in UTF-8
    attr_reader :text

    # @param text [String] SQL, taken as it is; only {#format} looks at its braces
    # @raise [TypeError] if it is no String
    # @raise [DataError] if it isn't valid text
    def initialize(text)
      raise TypeError, "SQL text must be a String, not #{text.class}" unless text.is_a?(String)

      @text = UTF8.text(text, "SQL").freeze
      freeze
    end

    # Puts pieces into the text: `{}` takes the next one, `{0}` the one at that index, `{name}` the one of
    # that name. `{{` and `}}` are braces.
    #
    # @param pieces [Array<Composable>] those of `{}`, in their order, or of `{0}`, `{1}`...
    # @param named [Hash{Symbol => Composable}] those of `{name}`
    # @return [Composed]
    # @raise [TypeError] for a piece that is no {Composable}: a String isn't quoted by guess
    # @raise [ArgumentError] for a piece that is missing or unused, and for braces that don't pair
    def format(*pieces, **named) = Template.new(text).fill(pieces, named)

    # Puts the text between pieces.
    #
    # @param pieces [Enumerable<Composable>]
    # @return [Composed]
    # @raise [TypeError] for a piece that is no {Composable}, and if they aren't Enumerable
    def join(pieces)
      Composed.new(Composed.check(pieces).flat_map { |piece| [self, piece] }.drop(1))
    end

    # @return [String]
    def inspect = "#<#{self.class} #{text.inspect}>"

    # Adds itself to the text.
    # @api private
    def render(rendering)
      rendering.add_text(text)
    end

    protected

    def fields = [text]
  end
end
