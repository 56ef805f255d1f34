# frozen_string_literal: true

# Whether servers take connections, without connecting: {Pgconn.ping}.
module Pgconn
  # Asks servers whether they take connections. `ask` is the extension's, over PQpingParams.
  # @api private
  module Ping
    # Seconds for each address where connect_timeout says nothing; pg_isready's.
    PATIENCE = 3
    # In the order of libpq's PGPing, which is also that of the better answer.
    ANSWERS = %i[ok reject no_response no_attempt].freeze
    # What Pgconn.connect takes besides libpq's keywords.
    NOT_FOR_LIBPQ = [
      :connection_factory,
      *Connection.instance_method(:initialize).parameters.filter_map { |kind, name| name if kind == :key }
    ].freeze
    private_constant :PATIENCE, :ANSWERS, :NOT_FOR_LIBPQ

    class << self
      # @param conninfo (see Pgconn.ping)
      # @param keywords (see Pgconn.ping)
      # @return [Symbol] the best of all addresses' answers
      def best(conninfo, keywords)
        options = ConnectOptions.new(Conninfo.merge(conninfo, keywords.except(*NOT_FOR_LIBPQ)))
        ANSWERS.fetch(best_of(options, options.timeout || PATIENCE))
      rescue DatabaseError # what can't even be tried
        :no_attempt
      end

      private

      def best_of(options, seconds)
        best = ANSWERS.index(:no_attempt)
        Addresses.new(options, seconds).each do |address|
          best = [best, answer(address, seconds)].min
          break if ANSWERS[best] == :ok
        end
        best
      end

      def answer(address, seconds)
        return ANSWERS.index(:no_response) if address.is_a?(Addresses::ResolutionError)

        ask(address.merge(in_thread(seconds)), seconds)
      end

      # Lets libpq's thread end soon when nobody waits for it any more, and any server answer. libpq counts
      # the seconds of the clock that begin: so it may be up to one short.
      def in_thread(seconds)
        { "connect_timeout" => (seconds.clamp(1, 1_000_000).ceil + 1).to_s, "target_session_attrs" => "any" }
      end
    end
  end
  private_constant :Ping

  # Asks a server whether it takes connections. Needs no valid password, user or database, and holds up no
  # other thread.
  #
  # @param conninfo [String, nil] a URI or a key/value string
  # @param keywords [Hash] those of {Pgconn.connect}; what isn't libpq's is passed over. `connect_timeout:` is
  #   seconds for each address, 3 unless given
  # @return [Symbol] of several addresses the best answer: `:ok` where a server takes connections, `:reject`
  #   where it is there but doesn't (it is starting up, say), `:no_response` where there is none or the
  #   network is in the way, `:no_attempt` where nothing was sent: the parameters are malformed, or contradict
  #   each other
  # @raise [ArgumentError, TypeError] for arguments of the wrong kind
  # @example
  #   sleep 0.1 until Pgconn.ping("postgresql://db.example.com", connect_timeout: 1) == :ok
  # @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQPINGPARAMS PQpingParams
  def self.ping(conninfo = nil, **keywords)
    Ping.best(conninfo, keywords)
  end
end
