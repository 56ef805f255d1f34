# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A connect that fails" do
  def connect_to(host, **keywords)
    connect_tcp(host: host.host, port: host.port, **keywords)
  end

  describe "when the host refuses" do
    it "raises OperationalError that names the address", :no_leaks do
      port = closed_port
      expect { connect_tcp(port: port) }.to raise_error(Pgconn::OperationalError, /127\.0\.0\.1.*#{port}/m)
    end

    it "raises OperationalError that names the socket" do
      expect { connect(host: "/nonexistent") }.to raise_error(Pgconn::OperationalError, %r{/nonexistent})
    end

    it "tries the next host" do
      connection = connect_tcp(host: "127.0.0.1,127.0.0.1", port: "#{closed_port},#{server.port}")
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "names all hosts when all refuse" do
      ports = [closed_port, closed_port]
      expect { connect_tcp(host: "127.0.0.1,127.0.0.1", port: ports.join(",")) }
        .to raise_error(Pgconn::OperationalError, /#{ports.first}.*#{ports.last}/m)
    end

    it "leaves no descriptor open, however often", :no_leaks do
      20.times { expect { connect_tcp(port: closed_port) }.to raise_error(Pgconn::OperationalError) }
    end
  end

  it "leaves a closed connection behind, and never runs the block" do
    made = nil
    factory = Class.new(Pgconn::Connection) do
      define_method(:initialize) { |*arguments, **keywords| (made = self) && super(*arguments, **keywords) }
    end
    failing = -> { Pgconn.connect(server.conninfo(host: "/nonexistent"), connection_factory: factory) { raise "run" } }
    expect(&failing).to raise_error(Pgconn::OperationalError)
    expect(made).to be_closed
    expect(made).to have_attributes(broken?: false, alive?: false, transaction_status: Pgconn::TRANSACTION_STATUS_UNKNOWN)
    expect { made.execute("SELECT 1") }.to raise_error(Pgconn::InterfaceError, /already closed/)
    expect(made.close).to be_nil
  end

  it "tries hosts in their order and stops at the first that answers" do
    SilentHost.open do |last|
      connection = connect_tcp(host: "127.0.0.1,127.0.0.1", port: "#{server.port},#{last.port}")
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      expect(last).not_to be_called
    end
  end

  describe "when the host accepts and stays silent" do
    it "raises OperationalError at connect_timeout that names the host and says why", :no_leaks do
      SilentHost.open do |host|
        elapsed = Elapsed.seconds do
          expect { connect_to(host, connect_timeout: 0.3) }
            .to raise_error(Pgconn::OperationalError, /127\.0\.0\.1.*time.?out/mi)
        end
        expect(elapsed).to be_between(0.3, ConnectionHelpers::SOON)
      end
    end

    it "takes connect_timeout in the string, too" do
      SilentHost.open do |host|
        conninfo = server.conninfo(host: host.host, port: host.port, connect_timeout: 1)
        expect { connect(conninfo) }.to raise_error(Pgconn::OperationalError, /time.?out/i)
      end
    end

    it "tries the next host at connect_timeout" do
      SilentHost.open do |host|
        connection = connect_tcp(host: "127.0.0.1,127.0.0.1", port: "#{host.port},#{server.port}", connect_timeout: 0.3)
        expect(connection.execute("SELECT 1").fetch_value).to eq(1)
        expect(host).to be_called
      end
    end

    it "counts connect_timeout for each host" do
      SilentHost.open do |host|
        hosts = { host: "127.0.0.1,127.0.0.1", port: "#{host.port},#{host.port}" }
        elapsed = Elapsed.seconds do
          expect { connect_tcp(**hosts, connect_timeout: 0.3) }.to raise_error(Pgconn::OperationalError)
        end
        expect(elapsed).to be_between(0.6, ConnectionHelpers::SOON)
      end
    end

    it "lets other threads run, and a killed one leaves nothing behind", :no_leaks do
      SilentHost.open do |host|
        connecting = in_thread { connect_to(host, connect_timeout: 30) }
        socket = host.accept # this thread runs while the other one waits
        connecting.kill
        expect(outcome_of(connecting)).to be_nil
        expect(host.hung_up?(socket)).to be(true)
      end
    end

    it "gives way to Timeout at once" do
      SilentHost.open do |host|
        elapsed = Elapsed.seconds do
          expect { Timeout.timeout(0.2) { connect_to(host, connect_timeout: 30) } }.to raise_error(Timeout::Error)
        end
        expect(elapsed).to be < ConnectionHelpers::SOON
        expect(host.hung_up?(host.accept)).to be(true)
      end
    end
  end

  it "raises OperationalError when the host hangs up" do
    TCPServer.open("127.0.0.1", 0) do |listener|
      connecting = in_thread { connect_tcp(port: listener.addr[1]) }
      listener.accept.close
      expect(outcome_of(connecting)).to be_a(Pgconn::OperationalError)
    end
  end

  it "raises OperationalError when the host speaks something else" do
    TCPServer.open("127.0.0.1", 0) do |listener|
      connecting = in_thread { connect_tcp(port: listener.addr[1]) }
      socket = listener.accept
      socket.write("220 mail.example.com ESMTP\r\n")
      expect(outcome_of(connecting)).to be_a(Pgconn::OperationalError)
      socket.close
    end
  end

  describe "by the server's refusal" do
    it "raises OperationalError with the SQLSTATE for a wrong password, and does not show it" do
      expect { connect_tcp(user: "pgconn_password", password: "s3cret") }
        .to raise_error(Pgconn::OperationalError, /pgconn_password/) { |error|
          expect(error.sqlstate).to eq("28P01")
          expect(error.full_message).not_to include("s3cret")
        }
    end

    it "raises OperationalError when a password is needed and there is none" do
      expect { connect_tcp(user: "pgconn_password") }.to raise_error(Pgconn::OperationalError, /password/)
    end

    it "raises OperationalError for a database that doesn't exist" do
      expect { connect(dbname: "no_such_database") }
        .to raise_error(Pgconn::OperationalError, /no_such_database/)
    end

    it "raises OperationalError for an encoding that the server doesn't know" do
      expect { connect(client_encoding: "NOPE") }.to raise_error(Pgconn::OperationalError, /NOPE/)
    end

    it "raises OperationalError for an encoding that Ruby doesn't know", :no_leaks do
      expect { connect(client_encoding: "JOHAB") }.to raise_error(Pgconn::OperationalError, /JOHAB/)
    end
  end

  describe "when a name is resolved" do
    it "raises OperationalError that names a host that can't be" do
      expect { connect_tcp(host: "no-such-host.invalid") }
        .to raise_error(Pgconn::OperationalError, /no-such-host\.invalid/)
    end

    it "tries the next host" do
      connection = connect_tcp(host: "no-such-host.invalid,127.0.0.1", port: "#{server.port},#{server.port}")
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "blocks no other thread, and can be killed, while the resolver hangs" do
      script = <<~RUBY
        entered, writer = IO.pipe
        writer.close_on_exec = false
        ENV["HANGING_RESOLVER_FD"] = writer.fileno.to_s
        connecting = Thread.new { Pgconn.connect(host: "hanging.invalid") }
        entered.read(1) # this thread runs while the resolver hangs
        connecting.kill
        puts connecting.join(10) ? "killed" : "still there"
        $stdout.flush
        exit!
      RUBY
      ended = RubyProcess.run(script, env: { "LD_PRELOAD" => HangingResolver.preload })
      expect(ended.output).to eq("killed\n"), ended.errors
    end
  end
end
