# frozen_string_literal: true

module Pgconn
  # Connection services: named sets of connection parameters in a file of libpq's. `resolve` is the
  # extension's, over PQconnectStart, which is the only function that looks one up by its name.
  # @see https://www.postgresql.org/docs/current/libpq-pgservice.html The Connection Service File
  # @api private
  module Service
    # With them PQconnectStart ends before it opens a socket or looks for a password in files.
    REFUSED = { "ssl_max_protocol_version" => "none", "password" => "none" }.freeze
    private_constant :REFUSED

    # @param parameters [Hash{String => String}] with a service among them
    # @return [Hash{String => String}] those, and what the service and the environment have besides
    # @raise [OperationalError] for a service that can't be found
    def self.parameters(parameters)
      found = resolve(parameters.slice(*Conninfo.defaults.keys).merge(REFUSED))
      raise OperationalError, found.strip if found.is_a?(String)

      found.except(*REFUSED.keys).merge(parameters)
    end
  end
  private_constant :Service
end
