# frozen_string_literal: true

module Pgconn
  class SQL
    # The text of what was composed, while it is put together.
    # @api private
    class Rendering
      # The characters round a boundary at which two tokens would become another one: words and numbers, a
      # word and a quote (E'..'), U& and a quote, two quotes, which in a literal stand for one, two colons,
      # which are a cast, a colon or a dollar and a word, and a number and its point.
      JOINED = /\A(?:[[:alnum:]_[^[:ascii:]]][[:alnum:]_$"'[^[:ascii:]]]|&["']|''|""|
                     :[:[:alpha:]_[^[:ascii:]]]|\$[$[:alnum:]_[^[:ascii:]]]|\d\.|\.\d)\z/x
      private_constant :JOINED

      # @param connection [Connection, Cursor]
      def initialize(connection)
        connection = connection.connection if connection.is_a?(Cursor)
        unless connection.is_a?(Connection)
          raise TypeError, "SQL is rendered for a Connection or a Cursor, not #{connection.class}"
        end

        @connection = connection
        @texts = []
        @bytes = 0
        @bounds = []
        @count = 0
      end

      # @return [String]
      def render(composable)
        composable.render(self)
        sql = @texts.join
        check_values(sql) if @bounds.any?
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
        @bounds.push(@bytes - text.bytesize, @bytes)
        @after_value = true
      end

      # A value, quoted for the connection. What stays apart needs no blank of its own before it.
      def add_literal(value)
        add_value(@connection.quote_literal(value).delete_prefix(" "))
      end

      # A parameter that takes the next number.
      def add_number
        add_value("$#{@count += 1}")
      end

      private

      def add(text, apart:)
        return if text.empty?

        append(" ") if apart && @texts.any? && JOINED.match?(@texts.last[-1] + text[0])
        append(text)
      end

      def append(text)
        @texts << text
        @bytes += text.bytesize
      end

      # In quotes and in a comment, a value could get out of them by what is in it.
      def check_values(sql)
        return if @connection.__send__(:whole_tokens?, sql, @bounds)

        raise ProgrammingError, "the SQL has an identifier, a literal or a placeholder in quotes or in a " \
                                "comment: what is to be quoted must be a literal as a whole"
      end

      # A text may have a $1 of its own.
      def check_numbers(sql)
        return if @connection.__send__(:parameter_numbers, sql) == (1..@count).to_a

        raise ProgrammingError, "the SQL has #{@count} placeholders that are numbered by themselves: " \
                                "beside them no text can have a $1 of its own"
      end
    end
    private_constant :Rendering
  end
end
