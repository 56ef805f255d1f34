# frozen_string_literal: true

require "spec_helper"

RSpec.describe "COPY of rows in autocommit" do
  before { observer.execute("CREATE TABLE numbers (a int8)") }
  after { observer.execute("DROP TABLE numbers") }

  let(:connection) { connect(autocommit: true) }
  let(:endless) { "SELECT generate_series(1, 1000000000)" }
  let(:others) { [] }

  # Returns when the ALTER has been done, or waits for a lock.
  def alter_meanwhile(sql = "ALTER TABLE numbers ALTER a TYPE float8")
    other = connect(autocommit: true)
    thread = in_thread { other.execute(sql) }
    others << thread
    eventually("it waits") do
      !thread.alive? || observe("SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1", [other.backend_pid]) == "Lock"
    end
  end

  def numbers = observer.execute("SELECT a FROM numbers ORDER BY a").column(0)

  def expect_idle(connection)
    eventually("no transaction is open") do
      observe("SELECT state FROM pg_stat_activity WHERE pid = $1", [connection.backend_pid]) == "idle"
    end
    expect(connection.execute("SELECT 7").fetch_value).to eq(7)
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  # Runs the SQL in another session when a COPY is on its way to the server.
  def altering_ahead_of_copy(sql)
    altered = false
    ahead = lambda do |bytes, _|
      (altered = true) && alter_meanwhile(sql) if !altered && bytes.include?("COPY")
      bytes
    end
    through_proxy(to_server: ahead) { |proxy| yield connect_tcp(port: proxy.port, autocommit: true) }
    expect(altered).to be(true)
    others.each { |thread| value_of(thread) }
  end

  it "stores what it was given where another session alters the table while the source makes its first row" do
    rows = Enumerator.new { |y| alter_meanwhile && (y << [1] << [2]) }
    expect(connection.copy_in("numbers", rows)).to eq(2)
    value_of(others.first)
    expect(numbers).to eq([1.0, 2.0])
  end

  it "stores what it was given where another session alters the table just ahead of the COPY" do
    altering_ahead_of_copy("ALTER TABLE numbers ALTER a TYPE float8") { |connection| connection.copy_in("numbers", [[1], [2]]) }
    expect(numbers).to eq([1.0, 2.0])
  end

  it "stores each value in the column that was described, however the table's are put anew" do
    observer.execute("ALTER TABLE numbers ADD b int8")
    altering_ahead_of_copy("ALTER TABLE numbers DROP a, ADD a int8") do |connection|
      connection.copy_in("numbers", [[1, 2]], columns: %w[a b])
    rescue Pgconn::Errors::UndefinedColumn
      nil # where the table was altered ahead of the description
    end
    expect(observer.execute("SELECT b FROM numbers").column(0)).to eq([2])
  end

  it "gives what is there where another session alters the table just ahead of the COPY" do
    observer.execute("INSERT INTO numbers VALUES (1), (2)")
    ["numbers", "SELECT a FROM numbers"].each do |source|
      altering_ahead_of_copy("ALTER TABLE numbers ALTER a TYPE float8") do |connection|
        expect(connection.copy_out(source).map(&:to_a)).to eq([[1], [2]])
      end
      observer.execute("ALTER TABLE numbers ALTER a TYPE int8")
    end
  end

  %i[binary text].product(["ADD b int DEFAULT 3", "DROP a, ADD b text"]).each do |format, change|
    it "gives the columns that were described, in #{format}, where another session would #{change}" do
      observer.execute("INSERT INTO numbers VALUES (1)")
      altering_ahead_of_copy("ALTER TABLE numbers #{change}") do |connection|
        expect(connection.copy_out("numbers", format: format).map(&:to_h)).to eq([{ a: 1 }])
      end
    end
  end

  it "costs a COMMIT, and no round trip for BEGIN" do
    through_proxy(delay: 0.03) do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      expect(proxy.round_trips { connection.copy_out("SELECT 1") { nil } }).to eq(3)
      expect(proxy.round_trips { connection.copy_out("SELECT 1", StringIO.new) }).to eq(1)
    end
  end

  it "commits, and leaves no transaction open, and tells the tracer of the COPY alone" do
    events = []
    connection.tracer = ->(event) { events << event.sql }
    connection.copy_in("numbers", [[1], [2]])
    expect(events).to eq(['COPY "numbers" FROM STDIN'])
    expect(numbers).to eq([1, 2])
    expect_idle(connection)
  end

  it "leaves none open by whatever it is left, both ways" do
    ways = [-> { raise KeyError }, -> { throw :out }, -> { Thread.current.kill }]
    copies = [->(&block) { connection.copy_in("numbers") { |copy| (copy << [1]) && block.call } },
              ->(&block) { connection.copy_in("numbers") { block.call } },
              ->(&block) { connection.copy_out(endless) { block.call } }]
    copies.product(ways) do |copy, way|
      outcome_of(in_thread { catch(:out) { copy.call(&way) } })
      connection.execute("SELECT 1") unless way == ways.first # what was thrown or killed waits for nothing
      expect_idle(connection)
    end
    connection.copy_in("numbers") { |copy| break copy << [1] }
    expect_idle(connection)
    connection.copy_out(endless) { break }
    expect_idle(connection)
    expect(numbers).to be_empty
  end

  it "leaves none open by the rewind of its Enumerator, nor by errors" do
    rows = connection.copy_out(endless)
    rows.next
    rows.rewind
    expect_idle(connection)
    expect { connection.copy_out(endless).tap { |enumerator| enumerator.each { enumerator.rewind } } }
      .to raise_error(Pgconn::ProgrammingError, /rewind/)
    expect { connection.copy_out("SELECT nowhere") { nil } }.to raise_error(Pgconn::Errors::UndefinedColumn)
    expect { connection.copy_in("numbers", [["x"], [Object.new]]) }.to raise_error(Pgconn::DatabaseError)
    expect_idle(connection)
  end

  it "ends one that was rewound, and whose connection was used meanwhile, once" do
    rows = connection.copy_out(endless)
    rows.each do |row|
      rows.rewind
      expect(connection.execute("SELECT 5").fetch_value).to eq(5)
      break if row
    end
    expect_idle(connection)
  end

  it "leaves no lock to a break, however much of its data is still on the way" do
    observer.execute("INSERT INTO numbers SELECT generate_series(1, 30000)")
    through_proxy(delay: 0.05) do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      expect(connection.copy_out("numbers") { |row| break row[0] }).to eq(1)
      expect(observe("SELECT count(*) FROM pg_locks WHERE pid = $1 AND relation = 'numbers'::regclass", [connection.backend_pid])).to eq(0)
    end
  end

  it "ends one whose fiber is collected" do
    in_dropped_fiber { connection.copy_out(endless).next }
    thread = in_thread { connection.execute("SELECT 7").fetch_value }
    eventually("it is collected") { GC.start || thread.join(0.05) }
    expect(value_of(thread)).to eq(7)
    expect_idle(connection)
  end

  it "ends one whose fiber is collected for the thread that it was of, too" do
    in_dropped_fiber { connection.copy_out(endless).next }
    eventually("it is collected") do
      GC.start
      connection.execute("SELECT 7").fetch_value == 7
    rescue Pgconn::ProgrammingError
      false
    end
    expect_idle(connection)
  end

  it "is part of a transaction that is open, and neither commits it nor rolls it back" do
    connection.transaction do
      connection.copy_in("numbers", [[1]])
      expect(connection.copy_out("numbers").map { |row| row[0] }).to eq([1])
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
      raise Pgconn::Rollback
    end
    connection.execute("BEGIN")
    connection.copy_in("numbers", [[2]])
    connection.execute("ROLLBACK")
    expect(numbers).to be_empty
    expect_idle(connection)
  end

  it "begins none of its own where statements don't commit by themselves" do
    connection = connect
    connection.copy_in("numbers", [[1]])
    expect(numbers).to be_empty
    connection.commit
    expect(numbers).to eq([1])
  end

  it "has the modes that other statements have which commit by themselves" do
    connection.set_session(read_only: true)
    expect { connection.copy_in("numbers", [[1]]) }.to raise_error(Pgconn::Errors::ReadOnlySqlTransaction)
    connection.set_session(read_only: false, isolation: :serializable)
    connection.copy_in("numbers", [[2]])
    expect(connection.copy_out("SELECT current_setting('transaction_isolation')").first[0])
      .to eq(connection.execute("SELECT current_setting('transaction_isolation')").fetch_value)
    expect(numbers).to eq([2])
  end

  it "calls no commit of a subclass" do
    called = []
    subclass = Class.new(Pgconn::Connection) { define_method(:commit) { called << :commit } }
    connection = subclass.new(server.conninfo, autocommit: true)
    connection.copy_in("numbers", [[1]])
    expect(called).to be_empty
    expect(numbers).to eq([1])
  ensure
    connection&.close
  end

  it "raises what the server says of it at the end, and nothing is loaded" do
    observer.execute("ALTER TABLE numbers ADD UNIQUE (a) DEFERRABLE INITIALLY DEFERRED")
    expect { connection.copy_in("numbers", [[1], [1]]) }.to raise_error(Pgconn::Errors::UniqueViolation)
    expect_idle(connection)
    expect(numbers).to be_empty
  end

  it "heeds its timeout: at its end, too" do
    observer.execute(<<~SQL)
      CREATE FUNCTION slow_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON numbers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow_end();
    SQL
    expect { connection.copy_in("numbers", [[1]], timeout: 0.3) }.to raise_error(Pgconn::QueryCanceledError)
    expect_idle(connection)
    expect(numbers).to be_empty
  ensure
    observer.execute("DROP FUNCTION slow_end CASCADE")
  end

  it "calls handlers of messages once it is committed: what they raise undoes nothing" do
    observer.execute(<<~SQL)
      CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'told'; RETURN NEW; END $$;
      CREATE TRIGGER tells BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION tell();
    SQL
    connection.on_notice { raise KeyError, "mine" }
    expect { connection.copy_in("numbers", [[1]]) }.to raise_error(KeyError, "mine")
    expect(numbers).to eq([1])
    expect_idle(connection)
  ensure
    observer.execute("DROP FUNCTION tell CASCADE")
  end

  it "undoes all of it where progress: raises, also the last time" do
    expect { connection.copy_in("numbers", [[1]], progress: ->(*) { raise KeyError }) }.to raise_error(KeyError)
    expect(numbers).to be_empty
    expect_idle(connection)
  end

  it "takes a row that wants text from another thread than its caller's" do
    connection.copy_in("numbers") do |copy|
      value_of(in_thread { copy << ["1"] })
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
      value_of(in_thread { copy << ["2"] })
    end
    expect(numbers).to eq([1, 2])
  end
end
