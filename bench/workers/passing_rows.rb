# frozen_string_literal: true

# Rows that pass by and aren't kept: they are counted, or gathered to be compared.
class PassingRows
  include Enumerable

  # @yield whose block is called with each row
  def initialize(&walk)
    @walk = walk
  end

  def each(&block) = @walk.call(block)

  def size
    rows = 0
    each { rows += 1 }
    rows
  end
end
