# frozen_string_literal: true

module Pgconn
  class Connection
    # What goes into SQL as text, because it can't be a parameter.

    # Quotes a name, as it is: `Users` stays another one than `users`, and a dot belongs to the name.
    #
    # @param name [String, Symbol, Array<String, Symbol>] a name, or its parts, such as [schema, table]
    # @return [String] in UTF-8; the parts joined by dots
    # @raise [TypeError] for a name of another class
    # @raise [ArgumentError] for an empty name
    # @raise [DataError] for a NUL byte, and for what isn't valid text
    # @example
    #   conn.execute("CREATE TABLE #{conn.quote_identifier(["shop", "Order"])} (id int)") # "shop"."Order"
    # @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS Identifiers
    def quote_identifier(name)
      closed? # raises for an object whose initialize didn't call super
      QuotedName.of(name)
    end
  end
end
