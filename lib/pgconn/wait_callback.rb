# frozen_string_literal: true

# What waits for connections: {Pgconn.wait_callback=}.
module Pgconn
  class << self
    alias set_wait_callback wait_callback=
    alias get_wait_callback wait_callback
  end
end
