# frozen_string_literal: true

module Pgconn
  # The types that a connection knows besides the built-in ones.
  class Types
  end
end
