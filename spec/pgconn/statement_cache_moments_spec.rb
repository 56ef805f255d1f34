# frozen_string_literal: true

require "spec_helper"

# What happens between the executions of a remembered statement, at the worst moment.
RSpec.describe "Remembered statements at rare moments" do
  let(:connection) { connect(autocommit: true) }

  def waits_for_lock?(pid)
    observe("SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1::int", [pid]) == "Lock"
  end

  describe "whose columns the server works out anew each time" do
    [
      ["a cursor's rows", "FETCH ALL FROM moving", ->(query) { "DECLARE moving CURSOR WITH HOLD FOR #{query}" }, "CLOSE moving"],
      ["a statement of the user's", "EXECUTE moving", ->(query) { "PREPARE moving AS #{query}" }, "DEALLOCATE moving"]
    ].each do |what, sql, open, close|
      it "give #{what}, of whatever type they come to be" do
        ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4", "SELECT '(1,2)'::point", "SELECT ARRAY['(1,2)'::point]",
         "SELECT 'postgres=r/postgres'::aclitem", "SELECT 5"].each do |query|
          connection.execute(open.call(query))
          expect(connection.execute(sql).column(0)).to eq(connection.execute(query).column(0)), query
          connection.execute(close)
        end
      end
    end
  end

  describe "refused, with a transaction that had begun with them," do
    # Of threads that share a connection in the implicit transaction; the first waits for a lock.
    it "are sent again before the flights of others, which lose nothing" do
      observer.execute("CREATE TABLE altered (a int)")
      shared = connect
      3.times { shared.execute("SELECT * FROM altered").fetch_all && shared.rollback }
      altering = connect
      altering.execute("ALTER TABLE altered ADD b int")
      first = in_thread { shared.execute("SELECT * FROM altered").fetch_all }
      eventually("it waits for the lock") { waits_for_lock?(shared.backend_pid) }
      second = in_thread { shared.execute("INSERT INTO altered VALUES (1)").rowcount }
      eventually("the second waits, too") { second.stop? }
      altering.commit
      expect([value_of(first).size, value_of(second)]).to eq([0, 1]).or eq([1, 1])
      shared.commit
      expect(observe("SELECT count(*) FROM altered")).to eq(1)
    ensure
      close_connections
      observer.execute("DROP TABLE altered")
    end
  end

  it "keep their timeout when they are sent again" do
    observer.execute("CREATE TABLE stalled (a int)")
    through_proxy do |proxy|
      slow = connect_tcp(port: proxy.port, cancel_timeout: 1)
      3.times { slow.execute("SELECT * FROM stalled").fetch_all && slow.rollback }
      observer.execute("ALTER TABLE stalled ADD b int")
      expect(slow.execute("SELECT * FROM stalled", timeout: 5).description.size).to eq(2)
    end
  ensure
    observer.execute("DROP TABLE stalled")
  end

  it "aren't closed while a caller waits to execute them" do
    small = connect(autocommit: true, statement_cache_size: 1)
    threads = Array.new(4) do |number|
      in_thread { Array.new(60) { |i| small.execute("SELECT #{(number + i) % 3}").fetch_value } }
    end
    expect(threads.map { |thread| value_of(thread).tally.values.sum }).to eq([60] * 4)
    expect(small.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  it "are forgotten after a DEALLOCATE ALL that nobody waited for" do
    3.times { connection.execute("SELECT 1") }
    pid = connection.backend_pid
    Process.kill(:STOP, pid)
    thread = in_thread { connection.execute("DEALLOCATE ALL") }
    eventually("it waits") { thread.stop? }
    thread.kill.join
    Process.kill(:CONT, pid)
    connection.autocommit = false
    expect([connection.execute("SELECT 1").fetch_value, connection.execute("SELECT 1").fetch_value]).to eq([1, 1])
  ensure
    Process.kill(:CONT, pid) if pid
  end

  it "with typed parameters aren't found by another SQL that looks like their key" do
    2.times { connection.execute("SELECT $1", [Pgconn::Typed.new(5, 23)]) }
    expect { connection.execute("SELECT $1\0[23]", [7]) }.to raise_error(Pgconn::ProgrammingError, /NUL/)
    utf16 = "SELECT $1".encode("UTF-16LE")
    expect(connection.execute(utf16, [Pgconn::Typed.new(5, 23)]).fetch_value).to eq(5)
  end

  it "get the values as they were given, whatever an encoder does to the Array" do
    values = [1, 2, 3]
    connection.types.register("int4", encoder: ->(value) { values.clear && value.to_s })
    expect(connection.execute("SELECT $1::int4, $2::int4, $3::int4", values).fetch).to eq([1, 2, 3])
  end

  it "raise DataError for a Pgconn::Range that was never initialized" do
    2.times do
      expect { connection.execute("SELECT $1::int4range", [Pgconn::Range.allocate]) }.to raise_error(Pgconn::DataError, /initialize/)
    end
  end
end
