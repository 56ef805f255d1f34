# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A connection whose network fails" do
  def running(connection)
    thread = in_thread { connection.execute("SELECT pg_sleep(30)") }
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
    thread
  end

  { "closed" => false, "reset" => true }.each do |how, reset|
    it "raises ConnectionLost in the middle of a statement when it is #{how}", :no_leaks do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port)
        thread = running(connection)
        proxy.cut(reset: reset)
        expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost)
        expect([connection.broken?, connection.closed?]).to eq([true, true])
        connection.close
      end
    end

    it "raises ConnectionLost at the next call when it was #{how} while idle" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port)
        connection.execute("SELECT 1")
        proxy.cut(reset: reset)
        2.times { expect { connection.execute("SELECT 2") }.to raise_error(Pgconn::ConnectionLost) }
        expect(connection).to be_broken
      end
    end

    it "raises ConnectionLost through TLS when it is #{how}" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, sslmode: "require")
        thread = running(connection)
        proxy.cut(reset: reset)
        expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost)
      end
    end
  end

  it "raises ConnectionLost with an unknown outcome when it is lost in COMMIT" do
    cutting = lambda do |bytes, proxy|
      proxy.cut if bytes.include?("COMMIT")
      bytes
    end
    through_proxy(to_server: cutting) do |proxy|
      connection = connect_tcp(port: proxy.port)
      connection.execute("SELECT 1")
      expect { connection.commit }
        .to raise_error(Pgconn::ConnectionLost) { |error| expect(error.outcome).to eq(:unknown) }
    end
  end

  it "is not made again behind the caller's back, and nothing is sent twice" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      proxy.cut
      3.times { expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost) }
      expect(proxy.connections).to eq(1)
    end
  end

  it "raises ConnectionLost when it is cut in the middle of a large result" do
    passed = 0
    cutting = lambda do |bytes, proxy|
      passed += bytes.bytesize
      proxy.cut if passed > 1_000_000
      bytes
    end
    through_proxy(to_client: cutting) do |proxy|
      connection = connect_tcp(port: proxy.port)
      expect { connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 100000)") }
        .to raise_error(Pgconn::ConnectionLost)
      expect(connection).to be_broken
    end
  end

  it "raises ConnectionLost when it is cut in the middle of a large parameter" do
    passed = 0
    cutting = lambda do |bytes, proxy|
      passed += bytes.bytesize
      proxy.cut if passed > 1_000_000
      bytes
    end
    through_proxy(to_server: cutting) do |proxy|
      connection = connect_tcp(port: proxy.port)
      expect { connection.execute("SELECT length($1)", ["x" * 20_000_000]) }.to raise_error(Pgconn::ConnectionLost)
    end
  end

  it "gives up a large parameter that nobody takes at the deadline" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true, cancel_timeout: 0.2)
      proxy.stall
      elapsed = Elapsed.seconds do
        expect { connection.execute("SELECT length($1)", ["x" * 20_000_000], timeout: 0.2) }
          .to raise_error(Pgconn::QueryCanceledError)
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
      expect(connection).to be_broken
    end
  end

  it "raises an error and is broken when what comes is no PostgreSQL any more" do
    garbling = false
    through_proxy(to_client: ->(bytes, _) { garbling ? "\xFFgarbage from somewhere else".b : bytes }) do |proxy|
      connection = connect_tcp(port: proxy.port)
      connection.execute("SELECT 1")
      garbling = true
      expect { connection.execute("SELECT 2", timeout: 5) }.to raise_error(Pgconn::ConnectionLost)
      expect(connection).to be_broken
    end
  end

  it "that is only slow gives every answer" do
    through_proxy(delay: 0.05) do |proxy|
      connection = connect_tcp(port: proxy.port)
      expect(Array.new(3) { |number| connection.execute("SELECT $1::int", [number]).fetch_value }).to eq([0, 1, 2])
    end
  end

  it "can be interrupted, closed and replaced while the peer is silent", :no_leaks do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      proxy.stall
      thread = in_thread { connection.execute("SELECT 1") }
      eventually("the thread waits") { thread.stop? }
      elapsed = Elapsed.seconds do
        expect(outcome_of(thread.kill)).to be_nil
        connection.close
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end
  end
end
