# frozen_string_literal: true

require "spec_helper"

RSpec.describe "The message" do
  let(:connection) { connect(autocommit: true) }

  it "of a URI whose password has an @ says how to write it, and shows no piece of it" do
    expect { Pgconn.connect("postgresql://app:top@secret99@db.example.com/shop") }
      .to raise_error(Pgconn::ProgrammingError, /%40/) { |error| expect(error.message).not_to include("secret99") }
  end

  it "of a URI whose password has a / says how to write it, and shows no piece of it" do
    ["pi3ce/secret99", "secret99/pi3ce"].each do |password|
      expect { Pgconn.connect("postgresql://app:#{password}@db.example.com/shop") }
        .to raise_error(Pgconn::ProgrammingError, /%2F/) { |error| expect(error.full_message).not_to match(/secret99|pi3ce/) }
    end
  end

  it "of a failed connect has both the name and the address of the host" do
    expect { Pgconn.connect(host: "localhost", port: 1, dbname: "x", user: "x") }
      .to raise_error(Pgconn::OperationalError, /at "localhost" \(127\.0\.0\.1\), port 1/)
  end

  it "of a deadline differs from that of a cancel" do
    expect { connection.execute("SELECT pg_sleep(30)", timeout: 0.05) }
      .to raise_error(Pgconn::QueryCanceledError, /timeout had passed/)
    running = in_thread { connection.execute("SELECT pg_sleep(30)") }
    wait_until_running(connection.backend_pid, "pg_sleep")
    connection.cancel
    expect(outcome_of(running).message).not_to include("timeout")
  end

  it "of a call after the loss says that the connection was lost before" do
    first = error_of("SELECT pg_terminate_backend(pg_backend_pid())")
    expect(first.message).not_to include("before this call")
    expect(error_of("SELECT 1").message).to include("before this call")
  end

  it "of parameters that don't fit says how they are written" do
    expect { connection.execute("SELECT ?", [1]) }.to raise_error(Pgconn::ProgrammingError, /\$1.*:name/)
  end

  it "of a copy says that there is none" do
    [connection, connection.cursor].product(%i[dup clone]) do |object, copy|
      expect { object.public_send(copy) }.to raise_error(TypeError, /can't copy/)
    end
  end

  def error_of(sql)
    connection.execute(sql)
  rescue Pgconn::Error => e
    e
  end
end
