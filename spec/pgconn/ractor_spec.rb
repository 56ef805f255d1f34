# frozen_string_literal: true

require "spec_helper"

# In processes of their own: the first Ractor changes for good how Ruby runs.
RSpec.describe "Ractors" do
  # What the block of a Ractor gives, with conn connected in it.
  #
  # @param body [String] of the block
  # @param also [String] what the main Ractor makes of `ractors`; by default the values of their blocks
  def in_ractors(count, body, also: "ractors.map { |ractor| value_of(ractor) }", env: {})
    ended = RubyProcess.run(<<~RUBY, env: environment.merge(env))
      Warning[:experimental] = false # Ractors are
      def value_of(ractor) = ractor.respond_to?(:value) ? ractor.value : ractor.take # Ruby 4.0 has no take

      ractors = Array.new(#{count}) do |number|
        Ractor.new(number) do |number|
          Thread.current.report_on_exception = false
          conn = Pgconn.connect(ENV["CONNINFO"], autocommit: true)
        #{body}
        end
      end
      main = lambda do
      #{also}
      end
      $stdout.binmode.write(Marshal.dump(main.call))
    RUBY
    raise ended.errors unless ended.status.success? && ended.errors.empty?

    Marshal.load(ended.output) # rubocop:disable Security/MarshalLoad -- what this spec has dumped
  end

  def in_ractor(body, **options) = in_ractors(1, body, **options).first

  def environment
    { "CONNINFO" => server.conninfo, "HOST" => server.host, "PORT" => server.port.to_s, "DBNAME" => server.database,
      "DBUSER" => server.user }
  end

  let(:all_types) { <<~SQL }
    SELECT 1 AS i, 'a' AS t, 1.5::numeric, 0.5::float8, true, '\\x00'::bytea, 'x'::"char", NULL, date '2020-01-02',
           timestamptz '2020-01-02 03:04:05.6+00', time '10:00', interval '1 month', '10.0.0.1/8'::inet,
           '{"a": [1, null]}'::jsonb, int4range(1, 5), '{1,2}'::int[], 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid,
           '{[1,2)}'::int4multirange
  SQL

  it "gives the same values of all types as the main one, as text and in binary" do
    values = in_ractor("Array.new(3) { conn.execute(#{all_types.inspect}).fetch.to_a }")
    expect(values).to eq([connect.execute(all_types).fetch.to_a] * 3)
  end

  it "takes the parameters that the main one takes" do
    values = in_ractor(<<~RUBY)
      sql = "SELECT $1::numeric, $2::timestamptz, $3::jsonb, $4::int[], $5::inet, $6::int4range, $7::date, " \\
            "$8::numeric, $9::interval, $10::text, $11::inet, $12::int[], $13::timestamptz"
      parameters = [BigDecimal("1.25"), Time.at(0), { a: 1 }, [1, 2], Pgconn::Inet.new("10.0.0.1/8"), 1..3,
                    Date.new(2020, 1, 2), Rational(1, 4), Pgconn::Interval.new(days: 1), :symbol,
                    IPAddr.new("10.0.0.0/8"), Set[1, 2], DateTime.new(2020, 1, 2)]
      Array.new(3) { conn.execute(sql, parameters).fetch.to_a }
    RUBY
    expect(values).to eq([[BigDecimal("1.25"), Time.at(0), { "a" => 1 }, [1, 2], Pgconn::Inet.new("10.0.0.1/8"),
                           Pgconn::Range.new(1, 4), Date.new(2020, 1, 2), BigDecimal("0.25"), Pgconn::Interval.new(days: 1),
                           "symbol", Pgconn::Inet.new("10.0.0.0/8"), [1, 2], Time.utc(2020, 1, 2)]] * 3)
  end

  it "reads and writes JSON that is nested deeply" do
    deep = (1..200).inject(1) { |inner, _| [inner] }
    expect(in_ractor(<<~RUBY)).to eq(deep)
      deep = (1..200).inject(1) { |inner, _| [inner] }
      conn.execute("SELECT $1::jsonb", [deep]).fetch_value
    RUBY
  end

  it "gives rows as Array, Hash and Struct" do
    expect(in_ractor(<<~RUBY)).to eq([[1, 2], { a: 1, b: 2 }, { a: 1, b: 2 }])
      given = %i[array hash struct].map { |shape| conn.cursor(row: shape).execute("SELECT 1 AS a, 2 AS b").fetch }
      given[0, 2] + [given[2].to_h]
    RUBY
  end

  it "sends rows, once they are made shareable, to another without a copy" do
    sent = in_ractors(1, <<~RUBY, also: "row = value_of(ractors[0]); [Ractor.shareable?(row), row]")
      Ractor.make_shareable(conn.execute(#{all_types.inspect}).fetch)
    RUBY
    expect(sent).to eq([true, connect.execute(all_types).fetch])
  end

  # One after the other, since Ruby 3.1 may block where several make objects shareable while it collects.
  it "lets others read, by name too, rows whose Ractor has ended" do
    read = in_ractors(4, <<~RUBY, also: <<~MAIN)
      rows = conn.execute("SELECT g AS n, g::text AS t FROM generate_series(1, 500) g").fetch_all
      Ractor.receive
      Ractor.make_shareable(rows)
    RUBY
      rows = ractors.flat_map { |ractor| value_of(ractor.send(:go)) }
      ractors = nil
      GC.start
      rows.all? { |row| row[:n].to_s == row["t"] } && rows.size
    MAIN
    expect(read).to eq(2000)
  end

  it "gives notifications, notices, columns and values that are shareable, or become it, as their fields are" do
    conn = connect(autocommit: true)
    conn.listen("shared")
    conn.notify("shared", "payload")
    notices = []
    conn.on_notice { |notice| notices << notice }
    conn.execute("DO $$ BEGIN RAISE NOTICE 'x'; END $$")
    objects = [conn.wait_for_notify(timeout: ConnectionHelpers::SOON), notices.first, conn.xid(1, "a", "b"),
               conn.execute("SELECT 1").description, Pgconn::Inet.new("10.0.0.1"), Pgconn::Interval.new(days: 1),
               Pgconn::TimeOfDay.new(10, 0), Pgconn::Range.new(1, 2), Pgconn::Typed.new(1, 23)]
    expect(objects.map { |object| [object.class, Ractor.shareable?(object)] }).to all(include(true))
    expect(Ractor.shareable?(Ractor.make_shareable(conn.execute("SELECT 'text', '{\"a\": 1}'::json").fetch))).to be(true)
  end

  it "raises the class of each SQLSTATE, with its fields" do
    expect(in_ractor(<<~RUBY)).to eq([["division by zero", "22012"], ["42703", 8], true])
      found = []
      begin
        conn.execute("SELECT 1/0")
      rescue Pgconn::Errors::DivisionByZero => e
        found << [e.message, e.sqlstate]
      end
      begin
        conn.execute("SELECT missing")
      rescue conn.ProgrammingError => e
        found << [e.sqlstate, e.diag.position]
      end
      constants = Pgconn::Errors.constants.map { |name| Pgconn::Errors.const_get(name) }
      found << constants.grep(Class).all? { |klass| Pgconn::Errors.lookup(klass::SQLSTATE) == klass }
    RUBY
  end

  it "hands an error that ends it to who asks for its value, as the cause" do
    cause = in_ractors(1, 'conn.execute("SELECT 1/0")', also: <<~RUBY)
      begin
        value_of(ractors[0])
      rescue Ractor::RemoteError => e
        [e.cause.class, e.cause.query]
      end
    RUBY
    expect(cause).to eq([Pgconn::Errors::DivisionByZero, "SELECT 1/0"])
  end

  it "calls handlers of notices and notifications, and waits for notifications" do
    expect(in_ractor(<<~RUBY)).to eq([["hello"], ["NOTICE:  hello\n"], %w[news first], ["second"]])
      notices, payloads = [], []
      handler = conn.on_notice { |notice| notices << notice.message }
      conn.execute("DO $$ BEGIN RAISE NOTICE 'hello'; END $$")
      handler.remove
      conn.listen("news")
      conn.notify("news", "first")
      notify = conn.wait_for_notify(timeout: 10)
      conn.on_notify { |other| payloads << other.payload }
      conn.notify("news", "second")
      conn.execute("SELECT 1") while payloads.empty?
      [notices, conn.notices, notify.to_a.drop(1), payloads]
    RUBY
  end

  it "commits and rolls back transactions, savepoints and two-phase ones" do
    expect(in_ractor(<<~RUBY)).to eq([["kept"], [["one", true]], "serializable"])
      conn.execute("CREATE TEMP TABLE ractor_rows (name text)")
      conn.transaction do
        conn.execute("INSERT INTO ractor_rows VALUES ('kept')")
        conn.transaction do
          conn.execute("INSERT INTO ractor_rows VALUES ('lost')")
          raise Pgconn::Rollback
        end
      end
      names = conn.execute("SELECT name FROM ractor_rows").column(:name)
      level = conn.transaction(isolation: :serializable) { conn.execute("SHOW transaction_isolation").fetch_value }
      conn.autocommit = false
      conn.tpc_begin("one")
      conn.execute("SELECT 1")
      conn.tpc_prepare
      prepared = conn.tpc_recover.map { |xid| [xid.gtrid, Ractor.shareable?(xid)] }
      conn.tpc_rollback
      [names, prepared, level]
    RUBY
  end

  it "registers types with lambdas of its own, composites, enums and ranges" do
    expect(in_ractor(<<~RUBY)).to eq([["<$5.00>", "<$7.00>"], [{ a: 1, b: "x" }, { a: 2, b: "y" }], ["sad"], "[a,b]"])
      conn.autocommit = false
      conn.execute("CREATE TYPE ractor_pair AS (a int, b text)")
      conn.execute("CREATE TYPE ractor_mood AS ENUM ('sad')")
      conn.execute("CREATE TYPE ractor_range AS RANGE (subtype = text)")
      conn.types.register("money", decoder: ->(text) { "<\#{text}>" }, encoder: ->(value) { value.to_s })
      pair = conn.types.register_composite("ractor_pair")
      conn.types.register_enum("ractor_mood")
      conn.types.register_range("ractor_range")
      money = conn.execute("SELECT 5::money, $1::money", [7]).fetch.to_a
      pairs = conn.execute("SELECT '(1,x)'::ractor_pair, $1::ractor_pair", [pair.new(2, "y")]).fetch.to_a
      others = conn.execute("SELECT '{sad}'::ractor_mood[], '[a,b]'::ractor_range").fetch
      [money, pairs.map(&:to_h), others[0], others[1].to_s]
    RUBY
  end

  it "keeps deadlines, and cancels what another of its threads runs" do
    expect(in_ractor(<<~RUBY)).to eq([:canceled, "57014", 1])
      outcome = begin
        conn.execute("SELECT pg_sleep(600)", timeout: 0.1)
      rescue Pgconn::QueryCanceledError => e
        e.outcome
      end
      sleeping = Thread.new do
        conn.execute("SELECT pg_sleep(600)")
      rescue Pgconn::QueryCanceledError => e
        e.sqlstate
      end
      conn.cancel until sleeping.join(0.01)
      [outcome, sleeping.value, conn.execute("SELECT 1").fetch_value]
    RUBY
  end

  it "lets its threads share a connection, and interrupts one of them" do
    expect(in_ractor(<<~RUBY)).to eq([[*0..7], 1])
      threads = Array.new(8) { |n| Thread.new { Array.new(50) { conn.execute("SELECT $1::int", [n]).fetch_value }.uniq } }
      values = threads.flat_map(&:value)
      waiting = Thread.new { conn.execute("SELECT pg_sleep(600)") }
      Thread.pass until waiting.stop?
      waiting.kill.join
      [values, conn.execute("SELECT 1").fetch_value]
    RUBY
  end

  it "has Fiber schedulers, whose fibers run while others wait" do
    prelude = { "RUBYOPT" => [ENV["RUBYOPT"], "-r#{File.expand_path("../support/gate_scheduler.rb", __dir__)}"].join(" ") }
    expect(in_ractor(<<~RUBY, env: prelude)).to eq([[*0..7], true, "usable"])
      GateScheduler.run(ENV["HOST"], ENV["PORT"].to_i) do |gate|
        fibers = Pgconn.connect(host: "127.0.0.1", port: gate.port, dbname: ENV["DBNAME"], user: ENV["DBUSER"],
                                sslmode: "disable", autocommit: true)
        values = []
        ticks = 0
        8.times { |n| Fiber.schedule { values << fibers.execute("SELECT $1::int FROM pg_sleep(0.02)", [n]).fetch_value } }
        sleep(0.01) && ticks += 1 until values.size == 8
        fibers.transaction { fibers.execute("SELECT 1") }
        [values.sort, ticks > 1, fibers.execute("SELECT 'usable'").fetch_value]
      ensure
        fibers&.close
      end
    RUBY
  end

  it "composes SQL, quotes, and tells a tracer" do
    expect(in_ractor(<<~RUBY)).to eq([3, %('{"1","it''s"}'), %("a b"), "SELECT '1970-01-01'::date", ["SELECT 3"]])
      sql = Pgconn::SQL.format("SELECT {value} AS {name}", value: Pgconn::SQL::Literal.new(3),
                                                          name: Pgconn::SQL::Identifier.new("a b"))
      value = conn.execute(sql).fetch_value
      told = []
      conn.tracer = ->(event) { told << event.sql }
      conn.execute("SELECT 3")
      [value, conn.quote_literal([1, "it's"]), conn.quote_identifier("a b"),
       conn.cursor.mogrify("SELECT $1", [Date.new(1970, 1, 1)]), told]
    RUBY
  end

  it "resolves names, tries several hosts, and speaks TLS" do
    expect(in_ractor(<<~RUBY)).to eq([true, true])
      Pgconn.connect(host: "127.0.0.1,localhost", port: "1,\#{ENV["PORT"]}", dbname: ENV["DBNAME"], user: ENV["DBUSER"],
                     sslmode: "require", target_session_attrs: "prefer-standby",
                     load_balance_hosts: "random", connect_timeout: 60) do |other|
        [other.info.ssl_in_use?, other.alive?]
      end
    RUBY
  end

  it "says why it can't connect" do
    refused, unknown, service, state = in_ractor(<<~RUBY)
      attempts = [{ host: "127.0.0.1", port: 1 }, { unknown: 1 }, { service: "missing" }].map do |keywords|
        Pgconn.connect(**keywords)
      rescue Pgconn::Error => e
        e.message
      end
      attempts << Pgconn.ping(ENV["CONNINFO"])
    RUBY
    expect(refused).to include("Connection refused")
    expect(unknown).to include("no keyword unknown")
    expect(service).to include("missing")
    expect(state).to eq(:ok)
  end

  it "gives the program's name to the server" do
    expect(in_ractor('conn.execute("SHOW application_name").fetch_value')).to eq("-e")
  end

  it "resets and closes connections, and says when one is lost" do
    expect(in_ractor(<<~RUBY)).to eq([nil, "57P01", true, true])
      reset = conn.reset
      lost = begin
        conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
      rescue Pgconn::ConnectionLost => e
        e.sqlstate
      end
      broken = conn.broken?
      conn.close
      [reset, lost, broken, conn.closed?]
    RUBY
  end

  it "runs beside others under load while memory is collected" do
    sums = in_ractors(4, <<~RUBY)
      Array.new(60) do |n|
        rows = conn.execute("SELECT g, md5(g::text) AS m, g / 3.0 AS d, date '2000-01-01' + g AS day, " \\
                            "jsonb_build_object('n', g) AS j FROM generate_series(1, 200) g").fetch_all
        raise "rows are mixed up" unless rows.all? { |row| row[:j] == { "n" => row[:g] } }
        raise "dates are mixed up" unless rows.all? { |row| row[:day] - Date.new(2000, 1, 1) == row[:g] }

        structs = conn.cursor(row: :struct).execute("SELECT g AS a, g::text AS b FROM generate_series(1, 50) g")
        raise "structs are mixed up" unless structs.all? { |struct| struct.b == struct.a.to_s }

        GC.start if n % 10 == number
        rows.sum { |row| row[:g] }
      end.sum
    RUBY
    expect(sums).to eq([60 * 200 * 201 / 2] * 4)
  end

  it "keeps its values under GC.stress" do
    expect(in_ractors(2, <<~RUBY)).to eq([[20, Date.new(2000, 1, 21), 20]] * 2)
      GC.stress = true
      sql = "SELECT g, date '2000-01-01' + g AS day, g::numeric AS n FROM generate_series(1, 20) g"
      conn.execute(sql).fetch_all
      row = conn.execute(sql).fetch_all.last
      GC.stress = false
      [row[:g], row[:day], row[:n].to_i]
    RUBY
  end

  it "refuses to send a connection to another, which stays usable" do
    conn = connect(autocommit: true)
    expect { Ractor.make_shareable(conn) }.to raise_error(Ractor::Error, /Pgconn::Connection/)
    expect(conn.execute("SELECT 1").fetch_value).to eq(1)

    expect(in_ractors(1, "Ractor.receive", also: <<~RUBY)).to eq([:refused, :refused, 1])
      conn = Pgconn.connect(ENV["CONNINFO"], autocommit: true)
      errors = [{}, { move: true }].map do |options|
        ractors[0].send(conn, **options)
      rescue TypeError, Ractor::Error
        :refused
      end
      errors << conn.execute("SELECT 1").fetch_value
    RUBY
  end

  it "may leave its connection to who takes its value" do
    expect(in_ractors(1, "conn", also: 'value_of(ractors[0]).execute("SELECT 1").fetch_value')).to eq(1)
  end
end
