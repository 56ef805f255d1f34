# frozen_string_literal: true

module Pgconn
  module NamedCursor
    # The server truncates what is longer.
    NAME_BYTES = 63
    # What stands in DECLARE for scrollable.
    SCROLL = { true => " SCROLL", false => " NO SCROLL", nil => "" }.freeze
    private_constant :NAME_BYTES, :SCROLL

    class << self
      # @api private
      # @return [String] the name in double quotes
      # @raise [TypeError, ArgumentError, DataError] for what can't be one
      def quote(name)
        raise TypeError, "a cursor's name is a String or a Symbol, not #{name.class}" if name.is_a?(Array)

        quoted = QuotedName.of(name)
        bytes = UTF8.text(name.to_s, "the name").bytesize
        return quoted if bytes <= NAME_BYTES

        raise ArgumentError, "a cursor's name has at most #{NAME_BYTES} bytes, and this has #{bytes}"
      end
    end

    private

    # Gives the cursor its name.
    def become_named(name, scrollable, withhold)
      @quoted = NamedCursor.quote(name)
      @name = name.to_s.dup.freeze
      @scrollable = scrollable
      @withhold = TransactionModes.boolean(withhold, "withhold")
      scroll = SCROLL.fetch(scrollable) do
        raise ArgumentError, "scrollable must be true, false or nil, not #{scrollable.inspect}"
      end
      utf8 = UTF8.text(@name, "the name")
      @declaration = "DECLARE #{@quoted}#{scroll} CURSOR #{@withhold ? "WITH" : "WITHOUT"} HOLD FOR "
      # Backslashes are doubled, too: so it is right whatever standard_conforming_strings says.
      @question = "SELECT 1 FROM pg_catalog.pg_cursors WHERE name = E'#{utf8.gsub(/['\\]/) { |c| c * 2 }}'"
      name_portal(utf8, @withhold)
    end
  end
end
