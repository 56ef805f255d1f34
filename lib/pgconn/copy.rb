# frozen_string_literal: true

module Pgconn
  # A COPY that takes rows: what the block of {Connection#copy_in} is given.
  class Copy
    private_class_method :new
  end
end
