# frozen_string_literal: true

require "nio"
require "spec_helper"

RSpec.describe "Polling an async connection" do
  def connect_without_tls(**keywords)
    Pgconn.connect(nil, async: true, sslmode: "disable", dbname: server.database, user: server.user, **keywords)
  end

  it "says POLL_WRITE alone while the network connects" do
    CrowdedHost.open do |address|
      connection = closed_later(connect_without_tls(host: address.ip_address, port: address.ip_port))
      3.times do
        expect(connection.poll).to eq(Pgconn::POLL_WRITE)
        expect(connection.to_io.wait(Pgconn::POLL_WRITE, 0.01)).to be_nil
      end
    end
  end

  describe "while no name server answers" do
    # @return [Array<String>] what the script prints; name servers write to `entered` when they are asked
    def without_name_servers(script)
      ended = RubyProcess.run(<<~RUBY, server.conninfo, env: { "LD_PRELOAD" => HangingResolver.preload })
        require "async"
        entered, writer = IO.pipe
        ENV["HANGING_RESOLVER_FD"] = writer.fileno.to_s
        #{script}
        $stdout.flush
        exit!(0)
      RUBY
      raise ended.errors unless ended.status.success?

      ended.output.lines(chomp: true)
    end

    it "connects at once to a hostaddr and to a socket, which need none" do
      expect(without_name_servers(<<~RUBY)).to eq(%w[true true])
        puts Pgconn.connect(ARGV[0], async: true).executing?
        puts Pgconn.connect(ARGV[0], host: "db.example.com", hostaddr: "127.0.0.1", async: true).executing?
      RUBY
    end

    it "has waited for the name in connect, where an interrupt reaches it and other threads run" do
      expect(without_name_servers(<<~RUBY)).to eq(["another thread ran", "the connect was killed"])
        connecting = Thread.new { Pgconn.connect(host: "db.example.com", async: true) }
        entered.read(1)
        puts "another thread ran"
        connecting.kill.join
        puts "the connect was killed"
      RUBY
    end

    it "has waited for the name in connect, where other fibers run and a stopped task comes back" do
      expect(without_name_servers(<<~RUBY)).to eq(["another fiber ran", "the connect was stopped"])
        Sync do |task|
          connecting = task.async { Pgconn.connect(host: "db.example.com", async: true) }
          entered.read(1)
          puts "another fiber ran"
          connecting.stop
        end
        puts "the connect was stopped"
      RUBY
    end
  end

  describe "with nio4r" do
    # Polls until POLL_OK; its selector waits.
    def finish(connection, selector)
      until (events = connection.poll) == Pgconn::POLL_OK
        interests = { Pgconn::POLL_READ => :r, Pgconn::POLL_WRITE => :w }.fetch(events, :rw)
        selector.register(connection.to_io, interests)
        expect(selector.select(ConnectionHelpers::SOON)).not_to be_empty
        selector.deregister(connection.to_io)
      end
    end

    around do |example|
      @selector = NIO::Selector.new
      example.run
    ensure
      @selector.close
    end

    it "connects, executes, and sends large statements" do
      connection = closed_later(connect_without_tls(host: server.host, port: server.port))
      finish(connection, @selector)
      ["answer", "x" * 20_000_000].each do |text|
        cursor = connection.execute("SELECT $1::text", [text])
        finish(connection, @selector)
        expect(cursor.fetch_value == text).to be(true)
      end
    end

    it "hears of notifications" do
      connection = closed_later(connect_without_tls(host: server.host, port: server.port))
      finish(connection, @selector)
      connection.execute("LISTEN news")
      finish(connection, @selector)
      @selector.register(connection.to_io, :r)
      observer.notify("news", "heard")
      expect(@selector.select(ConnectionHelpers::SOON)).not_to be_empty
      connection.poll
      expect(connection.notifies.map(&:payload)).to eq(["heard"])
    end

    it "waits for many connections at the same time" do
      connections = Array.new(5) { closed_later(connect_without_tls(host: server.host, port: server.port)) }
      connections.each { |connection| finish(connection, @selector) }
      cursors = connections.map { |connection| connection.execute("SELECT pg_sleep(0.1), pg_backend_pid()") }
      connections.each { |connection| @selector.register(connection.to_io, :r).value = connection }
      until connections.none?(&:executing?)
        @selector.select(ConnectionHelpers::SOON) { |monitor| monitor.value.poll if monitor.value.executing? }
      end
      expect(cursors.map { |cursor| cursor.fetch[1] }).to eq(connections.map(&:backend_pid))
    end
  end
end
