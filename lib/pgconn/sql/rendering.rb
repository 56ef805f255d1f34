# frozen_string_literal: true

module Pgconn
  class SQL
    # The text of what was composed, while it is put together.
    # @api private
    class Rendering
      # The characters round a boundary at which two tokens would become another one: words and numbers,
      # a word and a quote (E'..'), or two quotes, which in a literal stand for one.
      JOINED = /\A(?:[[:alnum:]_[^[:ascii:]]][[:alnum:]_$"'[^[:ascii:]]]|''|"")\z/

      # @param connection [Connection, Cursor]
      def initialize(connection)
        connection = connection.connection if connection.is_a?(Cursor)
        unless connection.is_a?(Connection)
          raise TypeError, "SQL is rendered for a Connection or a Cursor, not #{connection.class}"
        end

        @connection = connection
        @texts = []
        @count = 0
      end

      # @return [String]
      def render(composable)
        composable.render(self)
        sql = @texts.join
        check_numbers(sql) if @count.positive?
        sql
      end

      # SQL as the program has it. It stays apart from a value before it: {}0 isn't $10.
      def add_text(text)
        add(text, apart: @after_value)
        @after_value = false unless text.empty?
      end

      # An identifier, a literal or a placeholder. It stays apart from what comes before it: {}{} of 'a' and
      # 'b' isn't 'a''b'.
      def add_value(text)
        add(text, apart: true)
        @after_value = true
      end

      # A value, quoted for the connection.
      def add_literal(value)
        add_value(@connection.quote_literal(value))
      end

      # A parameter that takes the next number.
      def add_number
        add_value("$#{@count += 1}")
      end

      private

      def add(text, apart:)
        return if text.empty?

        @texts << " " if apart && @texts.any? && JOINED.match?(@texts.last[-1] + text[0])
        @texts << text
      end

      # A text may have a $1 of its own, and a {} may stand in quotes or in a comment.
      def check_numbers(sql)
        return if @connection.__send__(:parameter_numbers, sql) == (1..@count).to_a

        raise ProgrammingError, "the SQL has #{@count} placeholders that are numbered by themselves: none " \
                                "can be in quotes or in a comment, and no text have a $1 of its own"
      end
    end
    private_constant :Rendering
  end
end
