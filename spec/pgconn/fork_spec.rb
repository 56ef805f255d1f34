# frozen_string_literal: true

require "spec_helper"

# Each example is a program of its own: what matters happens when processes end.
RSpec.describe "After fork" do
  ways = {
    "the UNIX socket" => -> { server.conninfo },
    "TCP" => -> { server.conninfo(host: server.host, sslmode: "disable") },
    "TLS" => -> { server.conninfo(host: server.host, sslmode: "require") }
  }

  # What each program begins with: a connection with an uncommitted row in it, and two helpers.
  # `child` forks and gives what its block printed, `intact?` tells whether the session has its row.
  let(:beginning) { <<~RUBY }
    $connection = Pgconn.connect(ARGV.first)
    $connection.execute("CREATE TEMP TABLE t AS SELECT 1 AS id")
    $pid = $connection.backend_pid

    def child
      reader, writer = IO.pipe
      pid = fork do
        reader.close
        $stdout.reopen(writer)
        $stdout.sync = true
        yield
      end
      writer.close
      output = reader.read
      Process.wait(pid)
      output
    end

    def intact?
      $connection.execute("SELECT count(*) = 1 AND pg_backend_pid() = $1 FROM t", [$pid]).fetch_value
    end
  RUBY

  # @return [Array<String>] the lines that the program printed
  def run_with_connection(conninfo, program)
    ended = RubyProcess.run(beginning + program, conninfo)
    raise ended.errors unless ended.status.success?

    ended.output.lines(chomp: true)
  end

  ways.each do |way, destination|
    describe "by #{way}" do
      let(:conninfo) { instance_exec(&destination) }

      it "a child that exits does not end the parent's session" do
        expect(run_with_connection(conninfo, "child { exit }; p intact?")).to eq(["true"])
      end

      it "a child that collects garbage does not end the parent's session" do
        program = "child { $connection = nil; 3.times { GC.start }; 1000.times { Object.new } }; p intact?"
        expect(run_with_connection(conninfo, program)).to eq(["true"])
      end

      it "a child's close does not end the parent's session" do
        expect(run_with_connection(conninfo, "child { $connection.close }; p intact?")).to eq(["true"])
      end
    end
  end

  it "a child of a process whose threads share the connection, and wait, harms none of them" do
    printed = run_with_connection(server.conninfo, <<~RUBY)
      threads = Array.new(4) { |number| Thread.new { $connection.execute("SELECT $1::int FROM pg_sleep(0.3)", [number]).fetch_value } }
      Thread.pass until threads.all?(&:stop?)
      print(child do
        $connection.execute("SELECT 1")
      rescue Pgconn::InterfaceError => error
        puts error.class
        $connection.parameter_status("TimeZone")
        $connection.close
        $connection = nil
        3.times { GC.start }
      end)
      p threads.map(&:value)
      p intact?
    RUBY
    expect(printed).to eq(["Pgconn::InterfaceError", "[0, 1, 2, 3]", "true"])
  end

  it "a child that is killed does not end the parent's session" do
    expect(run_with_connection(server.conninfo, "child { Process.kill(:KILL, $$) }; p intact?")).to eq(["true"])
  end

  it "using the connection in the child raises InterfaceError" do
    output = run_with_connection(server.conninfo, <<~RUBY)
      cursor = $connection.execute("SELECT 1")
      puts(child do
        [-> { $connection.execute("SELECT 1") }, -> { $connection.commit }, -> { $connection.rollback },
         -> { $connection.cancel }, -> { $connection.cursor }, -> { cursor.execute("SELECT 1") }].each do |call|
          call.call
          puts "nothing raised"
        rescue Pgconn::Error => error
          puts error.class
        end
      end)
      p intact?
    RUBY
    expect(output).to eq((["Pgconn::InterfaceError"] * 6) + ["true"])
  end

  it "the error says what to do" do
    output = run_with_connection(server.conninfo, <<~RUBY)
      puts(child { begin; $connection.execute("SELECT 1"); rescue Pgconn::InterfaceError => e; puts e.message; end })
    RUBY
    expect(output.first).to match(/fork|process/)
  end

  it "the child can make a connection of its own" do
    output = run_with_connection(server.conninfo, <<~RUBY)
      puts(child { puts Pgconn.connect(ARGV.first) { |own| own.execute("SELECT 42").fetch_value } })
      p intact?
    RUBY
    expect(output).to eq(%w[42 true])
  end

  it "in the middle of a statement, the parent's statement goes on" do
    output = run_with_connection(server.conninfo, <<~RUBY)
      holder = Pgconn.connect(ARGV.first, autocommit: true)
      holder.execute("SELECT pg_advisory_lock(21)")
      running = Thread.new { $connection.execute("SELECT 'whole' FROM pg_advisory_lock(21)").fetch_value }
      sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = $1"
      Thread.pass until holder.execute(sql, [$pid]).fetch_value == 1
      puts(child do
        $connection.execute("SELECT 1")
      rescue Pgconn::InterfaceError
        puts "refused"
      end)
      holder.execute("SELECT pg_advisory_unlock(21)")
      puts running.value
      p intact?
    RUBY
    expect(output).to eq(%w[refused whole true])
  end

  it "a child sends nothing on the parent's socket, whatever it tries" do
    through_proxy do |proxy|
      conninfo = server.conninfo(host: proxy.host, port: proxy.port, sslmode: "disable")
      RubyProcess.start(<<~RUBY, conninfo) do |child|
        $stdout.sync = true
        connection = Pgconn.connect(ARGV.first, prepare_threshold: nil)
        connection.execute("SELECT 1")
        puts "connected"
        $stdin.gets
        connection.execute("SELECT 1")
        puts "executed"
        $stdin.gets
        Process.wait(fork do
          [-> { connection.execute("SELECT 1") }, -> { connection.commit }, -> { connection.cancel }].each do |call|
            call.call
          rescue Pgconn::InterfaceError
            next
          end
          connection.close
        end)
        connection.execute("SELECT 1")
        puts "forked and executed"
        $stdin.gets
      RUBY
        sent = %w[executed forked].map do |step|
          child.line if step == "executed"
          proxy.reset_counts
          child.input.puts
          expect(child.line).to start_with(step)
          proxy.counts.bytes_to_server
        end
        expect(sent.first).to eq(sent.last)
        expect(proxy.connections).to eq(1)
      end
    end
  end
end
