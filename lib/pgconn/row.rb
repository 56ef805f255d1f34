# frozen_string_literal: true

module Pgconn
  # A row of a result: a frozen tuple that knows the names of its columns. It behaves as an Array of
  # its values where Ruby asks for one (`id, name = row`), and can be matched by position and by name.
  # It can be shared between Ractors when its values can: `Ractor.make_shareable(row)` freezes them.
  #
  # @example
  #   row = conn.execute("SELECT 1 AS id, 'Ada' AS name").fetch
  #   row[0]        # => 1
  #   row[:name]    # => "Ada"
  #   id, name = row
  #   case row
  #   in { id: Integer => id, name: } then puts name
  #   end
  class Row
    include Enumerable

    alias to_ary to_a
    alias deconstruct to_a
    alias length size

    # @yieldparam value [Object] each value, in the order of the columns
    # @return [self, Enumerator]
    def each(&block)
      return to_enum(:each) { size } unless block

      to_a.each(&block)
      self
    end

    # @return [Hash{Symbol => Object}] the values by the names of their columns; of a name that occurs
    #   twice, the last
    def to_h(&block)
      hash = names.map(&:to_sym).zip(to_a).to_h
      block ? hash.to_h(&block) : hash
    end

    # @param column [Integer, String, Symbol]
    # @param default [Object] given back for a column that the row doesn't have
    # @yield [column] its value is given back for such a column
    # @return [Object]
    # @raise [KeyError, IndexError] for such a column, without default and block
    def fetch(column, *default, &block)
      return to_a.fetch(column, *default, &block) if column.is_a?(Integer)

      self[column]
    rescue KeyError
      return yield(column) if block
      raise if default.empty?

      default.first
    end

    # @param column [Integer, String, Symbol]
    # @param rest [Array] what is looked up in the column's value, and so on
    # @return [Object, nil]
    def dig(column, *rest)
      value = self[column]
      rest.empty? || value.nil? ? value : value.dig(*rest)
    end

    # @return [Boolean] whether other is a Row or an Array with the same values
    def ==(other)
      case other
      when Row, Array then to_a == other.to_a
      else false
      end
    end

    # @return [Boolean] whether other is a Row with the same values, by `eql?`
    def eql?(other)
      other.is_a?(Row) && to_a.eql?(other.to_a)
    end

    # @return [Integer]
    def hash
      [Row, to_a].hash
    end

    # @param keys [Array<Symbol>, nil]
    # @return [Hash{Symbol => Object}] for pattern matching
    def deconstruct_keys(keys)
      keys ? to_h.slice(*keys) : to_h
    end

    # @return [self] a row never changes
    def dup = self

    # @return [self]
    def clone(**) = self

    # @return [String] names and values
    def inspect
      pairs = names.zip(to_a).map { |name, value| "#{name}=#{value.inspect}" }
      "#<#{self.class} #{pairs.join(", ")}>"
    end
    alias to_s inspect

    private

    def marshal_dump
      [names, to_a]
    end
  end
end
