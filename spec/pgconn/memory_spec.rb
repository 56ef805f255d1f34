# frozen_string_literal: true

require "spec_helper"

# Each loop runs in a Ruby of its own, where nothing else takes memory.
RSpec.describe "Memory", :long do
  # Runs `body` ARGV[1] times, with `connection` and `number`.
  let(:loop_of) { ->(body) { <<~RUBY } }
    def resident
      GC.start
      File.read("/proc/self/statm").split[1].to_i * 4096
    end

    connection = Pgconn.connect(ARGV[0], autocommit: true)
    connection.execute("CREATE TEMP TABLE t (id int PRIMARY KEY)")
    connection.execute("INSERT INTO t VALUES (1)")
    times = Integer(ARGV[1])
    tenth = nil
    times.times do |number|
      tenth = resident if number == times / 10
      #{body}
    end
    puts tenth, resident
  RUBY

  # @return [Array<Integer>] the resident memory in bytes after the first tenth and at the end
  def resident(times, body)
    ended = RubyProcess.run(loop_of.call(body), server.conninfo, times, seconds: 1800)
    raise ended.errors unless ended.status.success?

    ended.output.lines.map(&:to_i)
  end

  # slack: megabytes; where there are megabytes under way at a time, or in what is still to be collected.
  def expect_flat(times, body, slack: 2)
    tenth, at_the_end = resident(times, body)
    expect(at_the_end).to be <= tenth * 1.02 + slack * 1024 * 1024
  end

  it "stays flat over a million executions" do
    expect_flat(1_000_000, 'connection.execute("SELECT $1::int, $2::text", [number, "text"]).fetch_all')
  end

  it "stays flat over a hundred thousand with names and many rows" do
    expect_flat(100_000, <<~RUBY)
      connection.execute("SELECT i, :a::text, now() FROM generate_series(1, 20) i", a: "text").each { |row| row[:i] }
    RUBY
  end

  it "stays flat over a hundred thousand failures of every kind" do
    expect_flat(100_000, <<~'RUBY')
      begin
        case number % 6
        when 0 then connection.execute("SELECT nonsense")
        when 1 then connection.execute("INSERT INTO t VALUES ($1)", [1])
        when 2 then connection.execute("SELECT $1::int", [])
        when 3 then connection.execute("SELECT $1::text", ["a\0b"])
        when 4 then connection.execute("SELECT :a::int", b: 1)
        when 5 then connection.execute("COPY t TO STDOUT")
        end
        abort "nothing raised"
      rescue Pgconn::Error => error
        error.diag.constraint
      end
    RUBY
  end

  it "stays flat over ten thousand transactions" do
    expect_flat(10_000, <<~RUBY)
      connection.autocommit = false
      connection.execute("INSERT INTO t VALUES ($1)", [number + 2])
      number.even? ? connection.commit : connection.rollback
      connection.autocommit = true
    RUBY
  end

  it "stays flat over fifty thousand strings of several statements, walked through or not, and failures among them" do
    expect_flat(50_000, <<~RUBY)
      cursor = connection.execute("SELECT generate_series(1, 100); SET application_name = 'a'; SELECT repeat('x', 10000)")
      cursor.next_result && cursor.next_result && cursor.fetch_all if number.even?
      begin
        connection.execute(number.odd? ? "SELECT generate_series(1, 100); SELECT 1/0" : "SELECT 1; COPY (SELECT 1) TO STDOUT")
        abort "nothing raised"
      rescue Pgconn::Error
        nil
      end
    RUBY
  end

  it "stays flat over three thousand connections, closed or dropped, and failed connects" do
    expect_flat(3_000, <<~RUBY)
      case number % 3
      when 0 then Pgconn.connect(ARGV[0]) { |own| own.execute("SELECT 1") }
      when 1
        Pgconn.connect(ARGV[0]).execute("SELECT 1")
        GC.start if number % 30 == 1
      when 2
        begin
          Pgconn.connect(ARGV[0], dbname: "nonsense")
        rescue Pgconn::OperationalError
          nil
        end
      end
    RUBY
  end

  it "stays flat over a hundred thousand notices and notifications, queued and handled" do
    expect_flat(100_000, <<~RUBY)
      connection.listen("c") if number.zero?
      handlers = [connection.on_notice(&:detail), connection.on_notify(&:payload)] if number.odd?
      connection.execute("DO $$ BEGIN RAISE NOTICE 'n' USING DETAIL = repeat('d', 100); END $$")
      connection.notify("c", number)
      number.odd? ? handlers.each(&:remove) : connection.wait_for_notify.payload
    RUBY
  end

  it "stays flat over COPY of two million rows in all, each way and in each format" do
    expect_flat(40, <<~RUBY)
      format = number.even? ? :binary : :text
      connection.execute("CREATE TEMP TABLE copied (id int, name text)") if number.zero?
      connection.copy_in("copied", format: format) { |copy| 50_000.times { |i| copy << [i, "name"] } }
      connection.copy_out("copied", format: format).sum { |row| row[0] } == 1_249_975_000 or abort "other rows"
      File.open(File::NULL, "w") { |null| connection.copy_out("copied", null) }
      connection.execute("TRUNCATE copied")
    RUBY
  end

  it "stays flat over five thousand failures of COPY and execute_many, and what was left of either" do
    expect_flat(5_000, <<~RUBY)
      begin
        case number % 5
        when 0 then connection.copy_in("t") { |copy| 100.times { |i| copy << [i] } && raise(KeyError) }
        when 1 then connection.copy_in("t", [[1]])
        when 2 then connection.copy_out("SELECT generate_series(1, 1000000)") { raise KeyError }
        when 3 then connection.execute_many("INSERT INTO t VALUES ($1)", [[2], [3], [1]])
        when 4 then connection.execute_many("INSERT INTO t VALUES ($1)", [[2], ["a\\0"]])
        end
        abort "nothing raised"
      rescue KeyError, Pgconn::Error
        nil
      end
    RUBY
  end

  it "stays flat over thirty thousand named cursors, held and not, closed and dropped, and ended by SQL" do
    expect_flat(30_000, <<~RUBY)
      held = connection.cursor("held", withhold: true).execute("SELECT 1")
      connection.transaction do
        connection.execute("SAVEPOINT mine")
        named = connection.cursor("rows").execute("SELECT generate_series(1, 50)")
        named.fetch
        connection.execute("ROLLBACK TO mine") if number % 3 == 0
        named.close if number.even?
        held.close if number % 3 == 1
      end
      number % 100 == 0 ? connection.execute("CLOSE ALL") : held.close
    RUBY
  end

  it "stays flat over ten thousand large objects, read, written and deleted" do
    expect_flat(10_000, <<~RUBY)
      connection.transaction do
        object = connection.lobject
        object.write("x" * 10_000, number)
        object.rewind
        object.read(5_000) && object.read && object.unlink
      end
    RUBY
  end

  it "stays flat while a gigabyte is written to a large object in small pieces" do
    expect_flat(100, <<~RUBY, slack: 8)
      $oid ||= connection.transaction { connection.lobject.oid }
      connection.transaction do
        object = connection.lobject($oid, "w")
        object.seek(number * 640 * 16_384)
        640.times { object.write("x" * 16_384) }
        object.close
      end
    RUBY
  end

  it "stays flat while a gigabyte is read from a large object in small pieces" do
    expect_flat(64, <<~RUBY, slack: 8)
      $oid ||= connection.transaction { connection.lobject.tap { |object| object.write("x" * (16 << 20)) }.oid }
      connection.transaction do
        object = connection.lobject($oid, "r")
        buffer = +""
        1024.times { object.readpartial(16_384, buffer) }
        object.close
      end
    RUBY
  end

  it "grows by less than 16 MB over a stream of a million rows" do
    expect_flat(10, <<~RUBY)
      cursor = connection.cursor
      before = resident
      cursor.stream("SELECT generate_series(1, 1000000) AS i, md5('a'), now(), 1.5, repeat('x', 100)") do |row|
        abort "it has grown" if row[:i] == 900_000 && resident - before > 16 * 1024 * 1024
      end
    RUBY
  end

  it "stays flat over two thousand streams, left early, dropped, of threads that end and of lost connections" do
    expect_flat(2_000, <<~RUBY, slack: 8)
      sql = "SELECT generate_series(1, 20000) AS i, repeat('x', 100)"
      cursor = connection.cursor
      cursor.stream(sql) { |row| break if row[:i] == number }
      Thread.new { connection.cursor.stream(sql).next }.join
      rows = connection.cursor.stream(sql)
      rows.next
      rows.rewind
      Thread.new { Pgconn.connect(ARGV[0]).then { |other| [other.cursor.stream(sql).next, other.close] } }.join if number % 10 == 0
      connection.execute("SELECT 1").fetch_value == 1 or abort "out of step"
      GC.start if number % 10 == 0 # or it is chance how many of them are there
    RUBY
  end

  it "stays flat over twenty thousand interrupted statements" do
    expect_flat(20_000, <<~RUBY)
      running = Thread.new { connection.execute("SELECT pg_sleep(30)") }
      Thread.pass until running.stop?
      running.kill.join
      connection.execute("SELECT 1").fetch_value == 1 or abort "out of step"
    RUBY
  end
end
