# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::ConnectionInfo do
  let(:settled) do
    %i[host hostaddr port dbname user options needs_password? used_password? ssl_in_use? ssl_attribute_names
       dsn_parameters parameters server_version protocol_version]
  end

  # All that an info knows for good.
  def known(info)
    [*settled.map { |name| info.public_send(name) }, info.ssl_attribute(:cipher), info.parameter_status("TimeZone"),
     info.inspect]
  end

  describe "where the connection leads" do
    it "is known of TCP" do
      info = connect_tcp(host: "localhost", options: "-c geqo=off").info
      expect(info).to have_attributes(host: "localhost", hostaddr: "127.0.0.1", port: server.port, options: "-c geqo=off",
                                      dbname: server.database, user: server.user)
    end

    it "is known of a socket" do
      expect(connect.info).to have_attributes(host: server.socket_directory, hostaddr: nil, port: server.port, options: nil)
    end

    it "is the host that was chosen of several" do
      info = connect_tcp(host: "127.0.0.2,localhost", port: "#{closed_port},#{server.port}").info
      expect(info).to have_attributes(host: "localhost", hostaddr: "127.0.0.1", port: server.port)
    end

    it "is the user and the database that libpq has chosen where none is named" do
      with_environment("PGUSER" => server.user) do
        info = connect(nil, host: server.host, port: server.port).info
        expect(info).to have_attributes(dbname: server.user, user: server.user)
        expect(info.dsn_parameters).to include("dbname" => server.user, "user" => server.user)
      end
    end
  end

  describe "the password" do
    it "was used where the server asked for it" do
      with_password = connect_tcp(user: "pgconn_password", password: PostgresServer::PASSWORD)
      expect(with_password.info).to have_attributes(used_password?: true, needs_password?: false)
      expect(connect_tcp(password: "unused").info).to have_attributes(used_password?: false, needs_password?: false)
    end

    it "is shown by nothing" do
      info = connect_tcp(user: "pgconn_password", password: PostgresServer::PASSWORD, sslpassword: "battery").info
      texts = [info.inspect, info.to_s, info.dsn_parameters.inspect, known(info).inspect]
      expect(texts.join).not_to match(/correct|horse|battery/)
    end
  end

  describe "TLS" do
    it "is in use, with the attributes that the server knows, too" do
      connection = connect_tcp(sslmode: "require")
      info = connection.info
      version, cipher, bits = connection.execute(<<~SQL).fetch.to_a
        SELECT version, cipher, bits FROM pg_stat_ssl WHERE pid = pg_backend_pid()
      SQL
      expect(info.ssl_in_use?).to be(true)
      expect([info.ssl_attribute(:protocol), info.ssl_attribute("cipher"), info.ssl_attribute("key_bits")])
        .to eq([version, cipher, bits.to_s])
      expect(info.ssl_attribute("library")).to eq("OpenSSL")
      expect(info.ssl_attribute_names).to include("library", "protocol", "cipher", "key_bits", "compression")
    end

    it "has no attributes where it isn't in use" do
      info = connect_tcp(sslmode: "disable").info
      expect(info).to have_attributes(ssl_in_use?: false, ssl_attribute_names: [])
      expect(info.ssl_attribute(:protocol)).to be_nil
    end

    it "has nil for an attribute that libpq doesn't know" do
      expect(connect_tcp(sslmode: "require").info.ssl_attribute("nonsense")).to be_nil
    end
  end

  describe "dsn_parameters" do
    it "are what was given, and what libpq has added" do
      with_environment("PGAPPNAME" => "environment") do
        info = connect_tcp(host: "127.0.0.2,127.0.0.1", connect_timeout: 5).info
        expect(info.dsn_parameters)
          .to include("host" => "127.0.0.2,127.0.0.1", "port" => server.port.to_s, "connect_timeout" => "5",
                      "application_name" => "environment", "client_encoding" => "UTF8", "sslmode" => "disable")
        expect(info.parameters).to eq(info.dsn_parameters).and be_frozen
      end
    end

    it "lead to the same place again" do
      info = connect_tcp(host: "localhost", target_session_attrs: "prefer-standby", load_balance_hosts: "random").info
      again = connect(nil, **info.dsn_parameters.transform_keys(&:to_sym)).info
      expect(again.dsn_parameters).to eq(info.dsn_parameters)
      expect(again.dsn_parameters).to include("target_session_attrs" => "prefer-standby", "load_balance_hosts" => "random")
    end
  end

  it "asks the connection for what changes" do
    connection = connect
    info = connection.info
    readers = %i[backend_pid server_version protocol_version status transaction_status]
    2.times do
      expect(readers.map { |name| info.public_send(name) }).to eq(readers.map { |name| connection.public_send(name) })
      connection.execute("SET TimeZone = 'Asia/Tokyo'")
    end
    expect(info.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    expect(info.parameter_status(:TimeZone)).to eq("Asia/Tokyo")
  end

  it "keeps what it knew after close" do
    connection = connect_tcp(sslmode: "require", autocommit: true)
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    before = known(connection.info)
    connection.close
    expect(known(connection.info)).to eq(before)
    expect(connection.info).to have_attributes(backend_pid: nil, status: connection.status,
                                               transaction_status: Pgconn::TRANSACTION_STATUS_UNKNOWN)
  end

  it "keeps what it knew after a loss, and after the close that follows" do
    connection = connect_tcp(sslmode: "require")
    before = known(connection.info)
    observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
    expect(known(connection.info)).to eq(before)
    connection.close
    expect(known(connection.info)).to eq(before)
  end

  it "can be read while another thread waits for an answer" do
    connection = connect_tcp(sslmode: "require", autocommit: true)
    before = known(connection.info)
    waiting = in_thread { connection.execute("SELECT pg_sleep(60)") }
    wait_until_running(connection.backend_pid, "pg_sleep")
    expect(known(connection.info)).to eq(before)
    expect(connection.info.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_ACTIVE)
    connection.cancel
    expect(outcome_of(waiting)).to be_a(Pgconn::QueryCanceledError)
  end

  it "can be read in a forked child, and does no harm there" do
    ended = RubyProcess.run(<<~RUBY, server.conninfo(host: server.host))
      connection = Pgconn.connect(ARGV.first)
      read = -> { [connection.info.inspect, connection.info.dsn_parameters, connection.info.parameter_status("TimeZone")] }
      before = read.call
      pid = fork { exit!(read.call == before ? 0 : 1) }
      puts Process.wait2(pid).last.exitstatus, connection.execute("SELECT 'intact'").fetch_value
    RUBY
    expect(ended.output).to eq("0\nintact\n"), ended.errors
  end

  it "knows only what was given where the connect failed" do
    made = nil
    subclass = Class.new(Pgconn::Connection) { define_method(:initialize) { |*all, **rest| (made = self) && super(*all, **rest) } }
    port = closed_port
    expect { connect_tcp(port: port, connection_factory: subclass) }.to raise_error(Pgconn::OperationalError)
    expect(made.info).to have_attributes(host: nil, port: nil, ssl_in_use?: false, used_password?: false, backend_pid: nil)
    expect(made.info.dsn_parameters).to include("port" => port.to_s)
  end

  it "has an inspect that says where the connection leads" do
    expect(connect_tcp(sslmode: "require").info.inspect)
      .to match(/\A#<Pgconn::ConnectionInfo host="127.0.0.1" .*port=#{server.port} dbname="postgres" user="postgres" ssl="TLS/)
  end
end
