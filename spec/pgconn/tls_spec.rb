# frozen_string_literal: true

require "spec_helper"

RSpec.describe "TLS" do
  let(:connection) { connect_tcp(sslmode: "require", autocommit: true) }

  def encrypted?(connection)
    connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetch_value
  end

  it "is used where the server offers it, by libpq's default" do
    expect(encrypted?(connect_tcp(sslmode: nil))).to be(true)
  end

  it "is used with require, and isn't with disable" do
    expect(encrypted?(connection)).to be(true)
    expect(encrypted?(connect_tcp(sslmode: "disable"))).to be(false)
  end

  describe "checking the server's certificate" do
    let(:root) { server.root_certificate }

    it "works by name, although the driver has resolved the name itself" do
      expect(encrypted?(connect_tcp(host: "localhost", sslmode: "verify-full", sslrootcert: root))).to be(true)
    end

    it "works by address" do
      expect(encrypted?(connect_tcp(sslmode: "verify-full", sslrootcert: root))).to be(true)
    end

    it "raises OperationalError for a name that the certificate isn't for" do
      expect { connect_tcp(host: "127.0.0.2", hostaddr: server.host, sslmode: "verify-full", sslrootcert: root) }
        .to raise_error(Pgconn::OperationalError, /certificate.*127\.0\.0\.2|127\.0\.0\.2.*certificate/m)
    end

    it "raises OperationalError for a certificate of another authority", :no_leaks do
      Dir.mktmpdir do |directory|
        TestCertificates.write(directory, host: server.host)
        expect { connect_tcp(sslmode: "verify-ca", sslrootcert: File.join(directory, "root.crt")) }
          .to raise_error(Pgconn::OperationalError, /SSL error/)
      end
    end
  end

  it "raises OperationalError where the server refuses it" do
    plain = SharedServers.without_tls
    expect { connect_tcp(port: plain.port, sslmode: "require") }
      .to raise_error(Pgconn::OperationalError, /does not support SSL/)
    expect(encrypted?(connect_tcp(port: plain.port, sslmode: "prefer"))).to be(false)
  end

  it "raises OperationalError where the server demands it and it is switched off" do
    expect { connect_tcp(user: "pgconn_tls_only", sslmode: "disable") }
      .to raise_error(Pgconn::OperationalError, /pgconn_tls_only/) { |error| expect(error.sqlstate).to eq("28000") }
    expect(encrypted?(connect_tcp(user: "pgconn_tls_only", sslmode: "prefer"))).to be(true)
  end

  it "gives large results whole, although a record holds more than the socket shows" do
    [1, 8_191, 16_384, 100_000, 5_000_000].each do |size|
      text = connection.execute("SELECT repeat('x', $1::int), 'end'", [size]).fetch
      expect([text[0].bytesize, text[1]]).to eq([size, "end"])
    end
    rows = connection.execute("SELECT i, repeat('y', 100) FROM generate_series(1, 50000) i")
    expect(rows.column(0)).to eq((1..50_000).to_a)
  end

  it "gives large results of several statements, and drains a large COPY among them" do
    cursor = connection.execute("SELECT repeat('x', 5000000); SELECT i, repeat('y', 100) FROM generate_series(1, 50000) i")
    expect(cursor.fetch_value.bytesize).to eq(5_000_000)
    cursor.next_result
    expect(cursor.column(0)).to eq((1..50_000).to_a)
    expect { connection.execute("SELECT 1; COPY (SELECT repeat('y', 100) FROM generate_series(1, 50000)) TO STDOUT") }
      .to raise_error(Pgconn::ProgrammingError)
    connection.rollback
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "takes large parameters whole" do
    text = "0123456789" * 500_000
    expect(connection.execute("SELECT $1::text", [text]).fetch_value).to eq(text)
  end

  it "keeps deadlines" do
    expect { connection.execute("SELECT pg_sleep(30)", timeout: 0.1) }.to raise_error(Pgconn::QueryCanceledError)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "gives way to interrupts" do
    elapsed = Elapsed.seconds do
      expect { Timeout.timeout(0.2) { connection.execute("SELECT pg_sleep(30)") } }.to raise_error(Timeout::Error)
    end
    expect(elapsed).to be < ConnectionHelpers::SOON
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "gives up a host that is silent within the handshake" do
    TCPServer.open("127.0.0.1", 0) do |listener|
      accepting = in_thread do
        socket = listener.accept
        socket.readpartial(8) # SSLRequest
        socket.write("S")
        socket
      end
      elapsed = Elapsed.seconds do
        expect { connect_tcp(port: listener.addr[1], sslmode: "require", connect_timeout: 0.3) }
          .to raise_error(Pgconn::OperationalError, /time.?out/i)
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
      value_of(accepting).close
    end
  end
end
