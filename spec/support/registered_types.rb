# frozen_string_literal: true

# Types in a schema of their own, for specs of Pgconn::Types.
module RegisteredTypes
  SCHEMA = "registered"

  def self.included(group)
    group.extend(Definitions)
  end

  # What groups of examples say.
  module Definitions
    # @param statements [Array<String>] run in the schema before the examples; it is gone behind them
    def define_types(*statements)
      before(:context) { RegisteredTypes.run("CREATE SCHEMA #{SCHEMA}", *statements) }
      after(:context) { RegisteredTypes.run("DROP SCHEMA #{SCHEMA} CASCADE") }
    end
  end

  def self.run(*statements)
    Pgconn.connect(SharedServers.main.conninfo(options: options)) do |connection|
      connection.execute("SET client_min_messages = warning")
      statements.each { |statement| connection.execute(statement) }
    end
  end

  # Without "public": what isn't found there isn't found.
  def self.options = "-c search_path=#{SCHEMA}"

  # @return [Pgconn::Connection] that finds the types by their names
  def connect_typed(autocommit: true, **keywords)
    connect(server.conninfo(options: RegisteredTypes.options), autocommit: autocommit, **keywords)
  end

  # Executes a statement for the first, the second and the third time, so that its values come and go as
  # text and in binary where the type has that. Expects the same each time.
  def expect_thrice(type, value, expected = value)
    3.times do |time|
      given = connection.execute("SELECT $1::#{type}", [value]).fetch_value
      expect(given).to eq(expected), "use #{time + 1}: #{given.inspect} instead of #{expected.inspect}"
      expect(given.class).to eq(expected.class)
    end
  end

  # Whether the third use of a statement sends its parameters, and gets its results, in binary.
  # @yieldparam types [Pgconn::Types] of the connection that it is executed on
  # @return [Array(Boolean, Boolean)]
  def binary_at_last(sql, params = nil, **keywords)
    binds = BindMessages.new
    through_proxy(to_server: binds) do |proxy|
      conninfo = server.conninfo(host: proxy.host, port: proxy.port, sslmode: "disable",
                                 options: RegisteredTypes.options)
      connection = connect(conninfo, autocommit: true, **keywords)
      yield connection.types
      2.times { connection.execute(sql, params) }
      last = binds.during { connection.execute(sql, params) }.last
      [last.binary_parameters?, last.binary_results?]
    end
  end
end
