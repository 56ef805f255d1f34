# frozen_string_literal: true

require "spec_helper"
require "async"
require "stringio"

RSpec.describe "Callers who share a connection" do
  let(:connection) { connect(autocommit: true) }

  def waiting(&block)
    in_thread(&block).tap { |thread| eventually("the thread waits") { thread.stop? } }
  end

  describe "while another's block has the line" do
    # A caller that stays in its block until @leave is closed.
    before do
      entered = Queue.new
      @leave = Queue.new
      @block = in_thread do
        connection.transaction do
          connection.execute("SELECT 1")
          entered << true
          @leave.pop
          :left
        end
      end
      entered.pop
    end

    after { @leave.close }

    def leave
      @leave.close
      expect(value_of(@block)).to eq(:left)
    end

    it "get it in the order of asking, for blocks, single statements and strings of several" do
      insert = ->(name) { connection.execute("INSERT INTO asked (name) VALUES ('#{name}')") }
      asking = { block: ->(name) { connection.transaction { insert.call(name) } },
                 single: insert,
                 several: ->(name) { connection.execute("INSERT INTO asked (name) VALUES ('#{name}'); SELECT 2") } }
      observer.execute("CREATE TABLE asked (place serial, name text)")
      names = (asking.keys * 3).shuffle(random: Random.new(RSpec.configuration.seed))
      threads = names.map { |name| waiting { asking[name].call(name) } }
      leave
      threads.each { |thread| value_of(thread) }
      expect(observer.execute("SELECT name FROM asked ORDER BY place").column(0)).to eq(names.map(&:to_s))
    ensure
      observer.execute("DROP TABLE asked")
    end

    it "wait for it at most for their timeout:, and then were never sent" do
      expect { connection.execute("SELECT 2", timeout: 0.1) }
        .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:not_sent) }
      expect { connection.execute("SELECT 2; SELECT 3", timeout: 0.1) }
        .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:not_sent) }
      leave
    end

    {
      "a statement whose types are asked for first" => ->(conn, timeout) { conn.execute("SELECT $1::int[]", [[1]], **timeout) },
      "execute_many" => ->(conn, timeout) { conn.execute_many("SELECT $1::int", [[1]], **timeout) },
      "callproc" => ->(conn, timeout) { conn.cursor.callproc("now", **timeout) },
      "a stream" => ->(conn, timeout) { conn.cursor.stream("SELECT 1", **timeout) { nil } },
      "a named cursor" => ->(conn, timeout) { conn.cursor("named", withhold: true, **timeout).execute("SELECT 1") },
      "COPY of rows to a table" => ->(conn, timeout) { conn.copy_in("pg_class", [[1]], **timeout) },
      "COPY of text to a table" => ->(conn, timeout) { conn.copy_in("pg_class", StringIO.new("1"), **timeout) },
      "COPY of rows from a table" => ->(conn, timeout) { conn.copy_out("pg_class", **timeout) { nil } },
      "COPY of text from a table" => ->(conn, timeout) { conn.copy_out("pg_class", StringIO.new, **timeout) },
      "a pipeline" => ->(conn, timeout) { conn.pipeline { conn.execute("SELECT 1", **timeout).fetch } }
    }.each do |name, call|
      it "wait for it at most for the timeout: of #{name}" do
        expect(outcome_of(in_thread { call.call(connection, timeout: 0.1) }))
          .to be_a(Pgconn::QueryCanceledError).and have_attributes(outcome: :not_sent)
        leave
      end
    end

    it "may be interrupted, and the others go on in their order" do
      killed = waiting { connection.transaction { raise "never entered" } }
      last = waiting { connection.transaction { connection.execute("SELECT 'last'").fetch_value } }
      killed.kill
      expect(outcome_of(killed)).to be_nil
      expect(last).to be_stop
      leave
      expect(value_of(last)).to eq("last")
    end
  end

  it "for a block wait for its statement_timeout: at most, and are never in the block then" do
    connection = connect(autocommit: true, statement_timeout: 0.3)
    entered = Queue.new
    leave = Queue.new
    block = in_thread { connection.transaction { (entered << true) && leave.pop } }
    entered.pop
    expect { connection.transaction { connection.execute("SELECT 1") } }
      .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:not_sent) }
    leave.close
    expect(outcome_of(block)).to be_nil
    expect(connection.transaction { connection.execute("SELECT 'entered'").fetch_value }).to eq("entered")
  end

  describe "while eight others ask again as soon as they are answered" do
    def while_asking(ask)
      over = false
      threads = Array.new(8) { in_thread { ask.call until over } }
      yield
    ensure
      over = true
      threads.each { |thread| value_of(thread) }
    end

    # Each takes a while, so that there is always one under way and never a gap by itself.
    it "for single statements, get the line for blocks and strings of several" do
      while_asking(-> { connection.execute("SELECT pg_sleep(0.001)") }) do
        values = in_thread do
          Array.new(20) do |number|
            connection.transaction { connection.execute("SELECT $1::int", [number]).fetch_value }
            connection.execute("SELECT #{number}; SELECT 2").fetch_value
          end
        end
        expect(value_of(values)).to eq((0...20).to_a)
      end
    end

    it "for blocks, get their single statements answered" do
      while_asking(-> { connection.transaction { connection.execute("SELECT 1") } }) do
        values = Array.new(20) { |number| connection.execute("SELECT $1::int", [number]).fetch_value }
        expect(values).to eq((0...20).to_a)
      end
    end
  end

  it "and of whom a thousand wait take little memory for each" do
    ended = RubyProcess.run(<<~RUBY, server.conninfo)
      require "async"
      def resident = File.read("/proc/self/statm").split[1].to_i * 4096

      locker = Pgconn.connect(ARGV[0], autocommit: true)
      locker.execute("SELECT pg_advisory_lock(61)")
      connection = Pgconn.connect(ARGV[0], autocommit: true)
      Sync do |task|
        blocked = task.async { connection.execute("SELECT 1 FROM pg_advisory_lock(61)") }
        before = resident
        askers = Array.new(1000) { |n| task.async { connection.execute("SELECT $1::int", [n]).fetch_value } }
        puts (resident - before) / 1000
        locker.close
        puts askers.map(&:wait) == (0...1000).to_a
      end
    RUBY
    each, right = ended.output.lines(chomp: true)
    expect(right).to eq("true")
    expect(each.to_i).to be < 64 * 1024
  end

  it "from threads and from fibers of two schedulers get their answers, also where both sides' buffers are full" do
    connection = connect_tcp(autocommit: true)
    large = "x" * 3_000_000
    ask = ->(number) { connection.execute("SELECT $1::int, $2::text || '#{number}'", [number, large]).fetch.to_a }
    loops = [0, 4].map do |first|
      in_thread { Sync { |task| Array.new(4) { |n| task.async { ask.call(first + n) } }.map(&:wait) } }
    end
    threads = Array.new(4) { |number| in_thread { ask.call(8 + number) } }
    answers = loops.flat_map { |thread| value_of(thread) } + threads.map { |thread| value_of(thread) }
    answers.each_with_index { |answer, number| expect(answer == [number, "#{large}#{number}"]).to be(true) }
  end
end
