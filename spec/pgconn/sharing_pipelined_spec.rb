# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Statements of several callers on one connection" do
  let(:connection) { connect(autocommit: true) }

  # A session that holds a lock which other statements wait for, until it is closed.
  def lock(number)
    connect(autocommit: true).tap { |holder| holder.execute("SELECT pg_advisory_lock($1::int)", [number]) }
  end

  # A statement under way that can't end before the lock is free.
  def blocked(connection, number)
    thread = in_thread { connection.execute("SELECT 'first' FROM pg_advisory_lock(#{number})").fetch_value }
    wait_until_running(connection.backend_pid, "'first'")
    thread
  end

  def waiting(&block)
    in_thread(&block).tap { |thread| eventually("the thread waits") { thread.stop? } }
  end

  describe "over a slow link" do
    around do |example|
      through_proxy(delay: 0.02) do |proxy|
        @proxy = proxy
        example.run
      end
    end

    let(:connection) { connect_tcp(port: @proxy.port, autocommit: true) }

    it "travel together: 16 threads with 20 selects each take far fewer round trips than 320" do
      connection.execute("SELECT 1")
      answers = nil
      round_trips = @proxy.round_trips do
        threads = Array.new(16) do |thread|
          in_thread { Array.new(20) { |number| connection.execute("SELECT $1::int", [(thread * 100) + number]).fetch_value } }
        end
        answers = threads.map { |thread| value_of(thread) }
      end
      expect(answers).to eq(Array.new(16) { |thread| Array.new(20) { |number| (thread * 100) + number } })
      expect(round_trips).to be < 80
    end

    it "are sent at once, while another caller waits for its answer" do
      connection.execute("SELECT 1")
      round_trips = @proxy.round_trips do
        first = in_thread { connection.execute("SELECT pg_sleep(0.5)") }
        eventually("the first was sent") { @proxy.counts.bytes_to_server.positive? }
        others = Array.new(5) { |number| in_thread { connection.execute("SELECT $1::int", [number]).fetch_value } }
        expect(others.map { |thread| value_of(thread) }).to eq([0, 1, 2, 3, 4])
        value_of(first)
      end
      expect(round_trips).to be <= 2
    end
  end

  it "each give their caller its own rows and errors, also where both sides' buffers are full" do
    large = "x" * 3_000_000
    threads = Array.new(8) do |number|
      in_thread do
        Array.new(3) { connection.execute("SELECT $1::int, $2::text || '#{number}'", [number, large]).fetch.to_a }
      end
    end
    threads.each_with_index do |thread, number|
      expect(value_of(thread)).to all(eq([number, "#{large}#{number}"]))
    end
  end

  it "give way to BEGIN, SET and several statements in one string, which have the line for themselves" do
    threads = Array.new(8) do |number|
      in_thread do
        Array.new(20) do |turn|
          case turn % 4
          when 0 then connection.execute("SELECT #{number}; SELECT #{turn}").tap(&:next_result).fetch_value
          when 1 then connection.execute("SET application_name TO 'turn'") && turn
          when 2 then connection.transaction { connection.execute("SELECT $1::int", [turn]).fetch_value }
          else connection.execute("SELECT $1::int", [turn]).fetch_value
          end
        end
      end
    end
    expect(threads.map { |thread| value_of(thread) }).to all(eq((0...20).to_a))
    expect(connection.notices).to eq([])
  end

  it "share a prepared statement once its name is known, and until then send it without one" do
    sql = "SELECT $1::int + 0"
    held = lock(31)
    first = blocked(connection, 31)
    threads = Array.new(6) { |number| waiting { connection.execute(sql, [number]).fetch_value } }
    held.close
    value_of(first)
    expect(threads.map { |thread| value_of(thread) }).to eq((0...6).to_a)
    3.times { |number| expect(connection.execute(sql, [number]).fetch_value).to eq(number) }
    expect(connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement = $1", [sql]).fetch_value).to eq(1)
  end

  it "are right also where the statement that is to get a name fails" do
    sql = "SELECT 1 / $1::int"
    connection.execute(sql, [1])
    held = lock(32)
    first = blocked(connection, 32)
    failing = waiting { connection.execute(sql, [0]) }
    others = Array.new(4) { waiting { connection.execute(sql, [1]).fetch_value } }
    held.close
    value_of(first)
    expect(outcome_of(failing)).to be_a(Pgconn::DataError)
    expect(others.map { |thread| value_of(thread) }).to eq([1, 1, 1, 1])
    expect(connection.execute(sql, [1]).fetch_value).to eq(1)
  end

  it "of which a thousand wait are answered, each to its caller" do
    held = lock(33)
    first = blocked(connection, 33)
    threads = Array.new(1000) { |number| in_thread { connection.execute("SELECT $1::int", [number]).fetch_value } }
    eventually("all wait") { threads.all?(&:stop?) }
    held.close
    value_of(first)
    expect(threads.map { |thread| value_of(thread) }).to eq((0...1000).to_a)
  end

  describe "behind one that takes long" do
    let!(:held) { lock(38) }
    let!(:first) { blocked(connection, 38) }

    def outcome_at_timeout
      error = outcome_of(in_thread { connection.execute("SELECT 1", timeout: 0.1) })
      expect(error).to be_a(Pgconn::QueryCanceledError)
      error.outcome
    end

    # @return [Symbol] the outcome of one more that waits behind those of the block until its timeout
    def outcome_behind(count, &block)
      others = Array.new(count) { waiting(&block) }
      outcome = outcome_at_timeout
      held.close
      [first, *others].each { |thread| value_of(thread) }
      outcome
    end

    it "are sent at once while they are few" do
      expect(outcome_behind(10) { connection.execute("SELECT 1") }).to eq(:unknown)
    end

    it "wait unsent where they are many" do
      expect(outcome_behind(100) { connection.execute("SELECT 1") }).to eq(:not_sent)
    end

    it "wait unsent where they are large" do
      text = "x" * 500_000
      expect(outcome_behind(10) { connection.execute("SELECT length($1::text)", [text]) }).to eq(:not_sent)
    end
  end

  # Who comes first waits for the line and for the socket, too.
  it "which wait for a block's end come back at once when they are cancelled" do
    entered = Queue.new
    leave = Queue.new
    held = lock(37)
    block = in_thread do
      connection.transaction do
        connection.execute("SELECT 1")
        entered << true
        leave.pop
        connection.execute("SELECT 'first' FROM pg_advisory_lock(37)").fetch_value
      end
    end
    entered.pop
    cursor = connection.cursor
    canceled = waiting { cursor.execute("SELECT 2") }
    last = waiting { connection.execute("SELECT 3").fetch_value }
    leave << true
    wait_until_running(connection.backend_pid, "'first'")
    cursor.cancel
    expect(outcome_of(canceled)).to be_a(Pgconn::QueryCanceledError).and have_attributes(outcome: :not_sent)
    held.close
    expect([value_of(block), value_of(last)]).to eq(["first", 3])
  end

  it "keep a connection busy that is alive all the same" do
    held = lock(36)
    first = blocked(connection, 36)
    expect(connection.alive?(timeout: 0.1)).to be(true)
    held.close
    expect(value_of(first)).to eq("first")
    expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
  end

  it "are all told of a lost connection, and answers that had come before it count" do
    held = lock(34)
    first = blocked(connection, 34)
    others = Array.new(5) { waiting { connection.execute("SELECT 1") } }
    observe("SELECT pg_terminate_backend($1)", [connection.backend_pid])
    expect([first, *others].map { |thread| outcome_of(thread) }).to all(be_a(Pgconn::ConnectionLost))
    held.close
  end

  it "are all told that the network has gone, and that what was sent may have taken effect" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      threads = Array.new(10) { in_thread { loop { connection.execute("SELECT 1") } } }
      eventually("they are at work") { proxy.counts.round_trips > 50 }
      proxy.cut(reset: true)
      errors = threads.map { |thread| outcome_of(thread) }
      expect(errors).to all(be_a(Pgconn::ConnectionLost))
      expect(errors.map(&:outcome)).to include(:unknown)
      connection.close
    end
  end

  it "close names that nobody uses any more once, however many there are" do
    connection = connect(autocommit: true, prepare_threshold: 1, statement_cache_size: 4)
    threads = Array.new(8) do |thread|
      in_thread { Array.new(50) { |number| connection.execute("SELECT #{(thread * 100) + number}").fetch_value } }
    end
    expect(threads.flat_map { |thread| value_of(thread) }.size).to eq(400)
    2.times { connection.execute("SELECT 'last'") }
    expect(connection.execute("SELECT count(*) FROM pg_prepared_statements").fetch_value).to be < 40
  end

  it "are all told of a close" do
    held = lock(35)
    first = blocked(connection, 35)
    others = Array.new(5) { waiting { connection.execute("SELECT 1") } }
    connection.close
    expect([first, *others].map { |thread| outcome_of(thread) }).to all(be_a(Pgconn::InterfaceError))
    held.close
  end
end
