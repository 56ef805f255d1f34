# frozen_string_literal: true

require "spec_helper"

RSpec.describe "The client encoding" do
  let(:connection) { connect }

  def names
    [connection.client_encoding, connection.encoding, connection.parameter_status("client_encoding")]
  end

  # That each side reads what the other has sent.
  def expect_exchange(text)
    row = connection.execute("SELECT $1::text AS text, length($1::text) AS length", [text]).fetch
    expect(row.to_a).to eq([text.encode(connection.encoding), text.length])
    expect(row[:text].encoding).to be(connection.encoding)
    connection.rollback
  end

  it "is UTF8 unless connect was told another one" do
    expect(names).to eq(["UTF8", Encoding::UTF_8, "UTF8"])
    latin = connect(client_encoding: "latin1")
    expect([latin.client_encoding, latin.encoding]).to eq(["LATIN1", Encoding::ISO_8859_1])
  end

  describe "client_encoding=" do
    it "takes PostgreSQL's name, as the server reads names, or Ruby's Encoding" do
      { "LATIN1" => ["LATIN1", Encoding::ISO_8859_1], "iso-8859-1" => ["LATIN1", Encoding::ISO_8859_1], "utf-8" => ["UTF8", Encoding::UTF_8],
        Encoding::EUC_JP => ["EUC_JP", Encoding::EUC_JP], Encoding::Windows_31J => ["SJIS", Encoding::Windows_31J],
        Encoding::UTF_8 => ["UTF8", Encoding::UTF_8], Encoding::BINARY => ["SQL_ASCII", Encoding::BINARY] }.each do |given, (name, encoding)|
        connection.client_encoding = given
        expect(names).to eq([name, encoding, name])
      end
    end

    it "is what both sides read and write from then on" do
      connection.execute("SELECT 1")
      connection.rollback
      { "LATIN1" => "caf\u00E9", "SJIS" => "\u8868", "GBK" => "\u8BC1", "UTF8" => "\u20AC" }.each do |name, text|
        connection.client_encoding = name
        3.times { expect_exchange(text) }
      end
    end

    it "begins no transaction, and no rollback undoes it" do
      connection.client_encoding = "LATIN1"
      expect(connection.status).to eq(Pgconn::STATUS_READY)
      connection.execute("SELECT 1")
      connection.rollback
      expect(names.first).to eq("LATIN1")
    end

    it "raises ProgrammingError inside a transaction, also a failed one, and changes nothing" do
      connection.execute("SELECT 1")
      expect { connection.client_encoding = "LATIN1" }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect { connection.client_encoding = "LATIN1" }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      expect(names.first).to eq("UTF8")
    end

    it "raises ProgrammingError while another thread begins a transaction" do
      holder = connect(autocommit: true)
      holder.execute("SELECT pg_advisory_lock(12)")
      running = in_thread { connection.execute("SELECT pg_advisory_xact_lock(12)") }
      wait_until_running(connection.backend_pid, "pg_advisory_xact_lock")
      changing = in_thread { connection.client_encoding = "LATIN1" }
      eventually("it waits") { changing.stop? }
      holder.close
      value_of(running)
      expect(outcome_of(changing)).to be_a(Pgconn::ProgrammingError)
      expect(names.first).to eq("UTF8")
    end

    it "raises ArgumentError for what PostgreSQL doesn't know, and changes nothing" do
      ["nonsense", "", "x" * 1000, "UTF8'; SELECT 1; --"].each do |name|
        expect { connection.client_encoding = name }.to raise_error(ArgumentError, "PostgreSQL has no encoding #{name.inspect}")
      end
      [Encoding::UTF_16LE, Encoding::US_ASCII, Encoding::Shift_JIS].each do |encoding|
        expect { connection.client_encoding = encoding }.to raise_error(ArgumentError, "PostgreSQL has no encoding like Ruby's #{encoding}")
      end
      expect(names).to eq(["UTF8", Encoding::UTF_8, "UTF8"])
    end

    it "raises the server's FeatureNotSupported for one that the server can't convert to, and changes nothing" do
      expect { connection.client_encoding = "MULE_INTERNAL" }.to raise_error(Pgconn::Errors::FeatureNotSupported, /MULE_INTERNAL/)
      expect(names).to eq(["UTF8", Encoding::UTF_8, "UTF8"])
    end

    it "raises ArgumentError for one that Ruby has none like, and changes nothing" do
      expect { connection.client_encoding = "johab" }.to raise_error(ArgumentError, "Ruby has no encoding like PostgreSQL's JOHAB")
      expect(names).to eq(["UTF8", Encoding::UTF_8, "UTF8"])
    end

    it "raises TypeError for anything else" do
      [nil, 1, :utf8].each do |given|
        expect { connection.client_encoding = given }.to raise_error(TypeError, /\Aclient_encoding must be a String or an Encoding, not/)
      end
    end

    it "raises what the server says of one that it can't convert to, and changes nothing" do
      expect { connection.client_encoding = "MULE_INTERNAL" }.to raise_error(Pgconn::DatabaseError, /not supported/)
      expect(names).to eq(["UTF8", Encoding::UTF_8, "UTF8"])
      expect_exchange("\u20AC")
    end

    it "is set_client_encoding, too" do
      connection.set_client_encoding("LATIN1")
      expect(names.first).to eq("LATIN1")
    end

    it "raises InterfaceError once the connection is closed, but the last one is still known" do
      connection.client_encoding = "LATIN1"
      connection.close
      expect { connection.client_encoding = "UTF8" }.to raise_error(Pgconn::InterfaceError, "connection already closed")
      expect([connection.client_encoding, connection.encoding]).to eq(["LATIN1", Encoding::ISO_8859_1])
    end
  end

  it "follows a SET by anybody, and the rollback that undoes it" do
    connection.execute("SET client_encoding TO LATIN1")
    expect(names).to eq(["LATIN1", Encoding::ISO_8859_1, "LATIN1"])
    connection.rollback
    expect(names).to eq(["UTF8", Encoding::UTF_8, "UTF8"])
    connection.execute("SELECT set_config('client_encoding', 'WIN1252', false)")
    connection.commit
    expect(names).to eq(["WIN1252", Encoding::Windows_1252, "WIN1252"])
    expect_exchange("\u20AC")
  end

  describe "parameter_status" do
    it "follows each change, by anybody" do
      connection.execute("SET TimeZone TO 'Asia/Kathmandu'")
      expect(connection.parameter_status("TimeZone")).to eq("Asia/Kathmandu")
      connection.rollback
      expect(connection.parameter_status("TimeZone")).to eq("UTC")
      connection.execute("SELECT set_config('application_name', 'changed', false)")
      expect(connection.parameter_status(:application_name)).to eq("changed")
      connection.execute("SET SESSION AUTHORIZATION pgconn_plain")
      expect([connection.parameter_status("session_authorization"), connection.parameter_status("is_superuser")]).to eq(%w[pgconn_plain off])
    end
  end
end
