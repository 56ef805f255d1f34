# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn.ping" do
  def ping(*hosts, **keywords)
    Pgconn.ping(host: hosts.map { "127.0.0.1" }.join(","), port: hosts.map(&:port).join(","), **keywords)
  end

  # Where nobody listens.
  def nobody
    Struct.new(:port).new(closed_port)
  end

  describe "is :ok" do
    it "for a server that takes connections, by string, URI, keywords, socket and TLS" do
      [[server.conninfo], [server.uri], [server.conninfo(host: nil, port: nil), { host: server.host, port: server.port }],
       [server.conninfo(host: "localhost", sslmode: "require")]].each do |conninfo, keywords|
        expect(Pgconn.ping(conninfo, **keywords.to_h)).to eq(:ok)
      end
    end

    it "without a valid password, user or database", :gc_stress do
      expect(ping(server, user: "pgconn_password", password: "wrong")).to eq(:ok)
      expect(ping(server, user: "pgconn_password")).to eq(:ok)
      expect(ping(server, user: "nobody", dbname: "nothing")).to eq(:ok)
    end

    it "with what Pgconn.connect takes besides, so that one Hash serves both" do
      own = { autocommit: true, statement_timeout: 1, cancel_timeout: 1, prepare_threshold: nil, statement_cache_size: 10, types: nil,
              busy_poll: false, cursor_factory: Pgconn::HashCursor, connection_factory: Class.new(Pgconn::Connection) }
      settings = { host: server.host, port: server.port, user: server.user, dbname: server.database, **own }
      expect(Pgconn.ping(**settings)).to eq(:ok)
      expect(Pgconn.connect(**settings, &:autocommit)).to be(true)
    end

    it "for a standby, whatever target_session_attrs" do
      expect(ping(SharedServers.standby, target_session_attrs: "read-write")).to eq(:ok)
    end

    it "where one of several hosts takes connections" do
      expect(ping(nobody, SharedServers.refusing, server)).to eq(:ok)
    end
  end

  describe "is :reject" do
    it "for a server that refuses everybody, as while it starts" do
      expect(ping(SharedServers.refusing)).to eq(:reject)
    end

    it "where that is the best of several hosts' answers" do
      expect(ping(SharedServers.refusing, nobody)).to eq(:reject)
    end
  end

  describe "is :no_response" do
    it "where nobody listens" do
      expect(ping(nobody)).to eq(:no_response)
      expect(Pgconn.ping(host: "/nonexistent")).to eq(:no_response)
    end

    it "for a name that can't be resolved" do
      expect(Pgconn.ping(host: "no-such-host.invalid")).to eq(:no_response)
    end

    it "at connect_timeout where the host is silent", :no_leaks do
      SilentHost.open do |host|
        elapsed = Elapsed.seconds { expect(ping(host, connect_timeout: 0.2)).to eq(:no_response) }
        expect(elapsed).to be_between(0.2, ConnectionHelpers::SOON)
        expect(host).to be_called
      end
    end

    it "after three seconds where the host is silent and there is no connect_timeout" do
      SilentHost.open do |host|
        expect(Elapsed.seconds { expect(ping(host)).to eq(:no_response) }).to be_between(3, ConnectionHelpers::SOON)
      end
    end
  end

  describe "is :no_attempt, and sends nothing," do
    it "for a malformed conninfo and for keywords that libpq doesn't know" do
      expect(["nonsense", "host='x", "hots=localhost", "postgresql://[::1/db"].map { |text| Pgconn.ping(text) })
        .to all(eq(:no_attempt))
      expect(Pgconn.ping(server.conninfo, hots: "localhost")).to eq(:no_attempt)
    end

    it "for values that libpq refuses, lists that don't match and a service that doesn't exist" do
      SilentHost.open do |host|
        [{ sslmode: "perhaps" }, { port: 99_999 }, { target_session_attrs: "writable" }, { host: "127.0.0.1,127.0.0.1,127.0.0.1" },
         { service: "nowhere" }].each do |wrong|
          hosts = { host: "127.0.0.1,127.0.0.1", port: "#{host.port},#{host.port}" }
          expect(Pgconn.ping(**hosts, **wrong)).to eq(:no_attempt)
        end
        expect(host).not_to be_called
      end
    end
  end

  it "raises ArgumentError and TypeError for arguments of the wrong kind, as connect does" do
    expect { Pgconn.ping(42) }.to raise_error(TypeError)
    expect { Pgconn.ping(host: Object.new) }.to raise_error(TypeError)
    expect { Pgconn.ping(dbname: "a", database: "a") }.to raise_error(ArgumentError)
    expect { Pgconn.ping(connect_timeout: 0) }.to raise_error(ArgumentError)
  end

  it "lets other threads run, and can be killed" do
    SilentHost.open do |host|
      pinging = in_thread { ping(host, connect_timeout: 30) }
      host.accept # this thread runs while the other one waits
      pinging.kill
      expect(outcome_of(pinging)).to be_nil
    end
  end

  it "gives way to Timeout at once" do
    SilentHost.open do |host|
      elapsed = Elapsed.seconds do
        expect { Timeout.timeout(0.2) { ping(host, connect_timeout: 30) } }.to raise_error(Timeout::Error)
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end
  end

  it "doesn't keep a program from ending" do
    SilentHost.open do |host|
      script = "Thread.new { Pgconn.ping(host: ARGV[0], port: ARGV[1], connect_timeout: 60) }; $stdin.read"
      RubyProcess.start(script, host.host, host.port) do |child|
        host.accept
        child.input.close
        expect(child.wait(ConnectionHelpers::SOON).status).to be_success
      end
    end
  end
end
