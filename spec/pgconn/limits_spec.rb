# frozen_string_literal: true

require "spec_helper"

RSpec.describe "At the limits" do
  let(:connection) { connect(autocommit: true) }

  describe "the number of parameters" do
    def sum(count)
      names = (1..count).map { |number| "$#{number}" }.join(",")
      connection.execute("SELECT array_length(ARRAY[#{names}]::int[], 1), ($#{count})::int", [1] * (count - 1) + [42])
    end

    it "may be 65,535" do
      expect(sum(65_535).fetch).to eq([65_535, 42])
    end

    it "may not be 65,536: ProgrammingError that tells the limit, and nothing is sent" do
      connection = connect
      expect { connection.execute("SELECT 1", [1] * 65_536) }.to raise_error(Pgconn::ProgrammingError)
      names = (1..65_536).map { |number| "$#{number}::int" }.join(",")
      expect { connection.execute("SELECT array_length(ARRAY[#{names}], 1)", [1] * 65_536) }
        .to raise_error(Pgconn::ProgrammingError, /65,?535/)
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end
  end

  describe "the size of values" do
    let(:size) { 100 * 1024 * 1024 }

    it "may be 100 MB for a parameter" do
      expect(connection.execute("SELECT length($1::text)", ["x" * size]).fetch_value).to eq(size)
    end

    it "may be 100 MB for a result" do
      text = connection.execute("SELECT repeat('0123456789', $1::int / 10)", [size]).fetch_value
      expect(text.bytesize).to eq(size / 10 * 10)
      expect(text[-10..]).to eq("0123456789")
    end

    it "is the server's to refuse" do
      expect { connection.execute("SELECT repeat('x', 1024 * 1024 * 1024)") }
        .to raise_error(Pgconn::Errors::ProgramLimitExceeded)
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "lets other threads run while 100 MB are on their way, and can be interrupted" do
      # What was left of them still has to go before the next statement.
      connection = connect(autocommit: true, cancel_timeout: 12 * ConnectionHelpers::SOON)
      2.times do
        sending = in_thread { connection.execute("SELECT length($1::text)", ["x" * size]) }
        eventually("the thread waits") { sending.stop? }
        outcome_of(sending.kill)
        expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
      end
    end
  end

  describe "the number of columns" do
    it "may be 1,600 in a table" do
      columns = (1..1600).map { |number| "c#{number} int" }.join(", ")
      connection.execute("CREATE TEMP TABLE wide (#{columns})")
      connection.execute("INSERT INTO wide VALUES (#{(1..1600).to_a.join(", ")})")
      row = connection.execute("SELECT * FROM wide").fetch
      expect(row.size).to eq(1600)
      expect([row[:c1], row[:c1600], row[1599]]).to eq([1, 1600, 1600])
      expect(row.to_a).to eq((1..1600).to_a)
    end

    it "is the server's to refuse" do
      expect { connection.execute("SELECT #{(1..1665).to_a.join(", ")}") }
        .to raise_error(Pgconn::Errors::TooManyColumns)
    end
  end

  it "reads a row whose values are all large" do
    row = connection.execute("SELECT #{Array.new(50) { "repeat('x', 100000)" }.join(", ")}").fetch
    expect(row.map(&:size)).to eq([100_000] * 50)
  end

  it "reads a million rows" do
    rows = connection.execute("SELECT generate_series(1, 1000000)")
    expect(rows.rowcount).to eq(1_000_000)
    expect(rows.column(0).sum).to eq(500_000_500_000)
  end

  it "sends a statement of 10 MB" do
    expect(connection.execute("SELECT length('#{"x" * 10_000_000}')").fetch_value).to eq(10_000_000)
  end

  describe "text that can't be sent" do
    let(:connection) { connect }

    after do
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      expect(connection.execute("SELECT 'usable'").fetch_value).to eq("usable")
    end

    it "is a statement with a NUL byte: ProgrammingError" do
      ["SELECT 1\0", "\0", "SELECT '\0'"].each do |sql|
        expect { connection.execute(sql) }.to raise_error(Pgconn::ProgrammingError, /NUL/i)
      end
      expect { connection.execute("SELECT :a\0", a: 1) }.to raise_error(Pgconn::ProgrammingError, /NUL/i)
    end

    it "is a parameter with a NUL byte: DataError that tells which" do
      expect { connection.execute("SELECT $1::text, $2::text", ["fine", "a\0b"]) }.to raise_error(Pgconn::DataError, /NUL/i)
      expect { connection.execute("SELECT :a::text", a: "\0") }.to raise_error(Pgconn::DataError, /NUL/i)
      expect { connection.execute("SELECT $1", [Pgconn::Typed.new("a\0b", 25)]) }.to raise_error(Pgconn::DataError, /NUL/i)
    end

    it "is a parameter of invalid UTF-8: DataError" do
      ["\xFF", "a\xC3", "\xED\xA0\x80", "\xF8\x88\x80\x80\x80"].each do |text|
        expect { connection.execute("SELECT $1::text", [text]) }.to raise_error(Pgconn::DataError), text.inspect
      end
    end

    it "is a statement of invalid UTF-8: DataError" do
      expect { connection.execute("SELECT '\xFF'") }.to raise_error(Pgconn::DataError)
      expect { connection.execute("SELECT '\xFF', :a", a: 1) }.to raise_error(Pgconn::DataError)
    end
  end

  it "leaves text in ASCII-8BIT that is no UTF-8 to the server, which refuses it" do
    ["SELECT '\xFF'".b].each do |sql|
      expect { connection.execute(sql) }.to raise_error(Pgconn::Errors::CharacterNotInRepertoire)
    end
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "keeps fifty connections apart" do
    connections = Array.new(50) { |number| connect(application_name: "number #{number}") }
    names = connections.map { |each| each.execute("SELECT current_setting('application_name')").fetch_value }
    expect(names).to eq((0...50).map { |number| "number #{number}" })
  end
end
