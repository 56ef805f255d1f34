# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Types do
  include RegisteredTypes

  define_types("CREATE TYPE mood AS ENUM ('sad', 'ok')", %(CREATE TYPE "Mood" AS ENUM ('a')),
               %(CREATE TYPE "a.b ""c""" AS ENUM ('x')), "CREATE TYPE size AS ENUM ('s', 'm')",
               "CREATE TYPE point3 AS (x int, y int, z int)", "CREATE DOMAIN feeling AS mood")

  let(:connection) { connect_typed }
  let(:types) { connection.types }

  # Arrays of a type come as Arrays once it is registered, and as Strings before.
  def known?(sql_name, connection = self.connection)
    connection.execute("SELECT ARRAY[NULL]::#{sql_name}[]").fetch_value.is_a?(Array)
  end

  # How often the block asks the catalog, and how many round trips it makes.
  def questions_of
    questions = 0
    count = ->(bytes, _) { bytes.tap { questions += bytes.scan("SELECT asked").size } }
    through_proxy(to_server: count) do |proxy|
      connection = connect(server.conninfo(host: proxy.host, port: proxy.port, sslmode: "disable", options: RegisteredTypes.options))
      questions = 0
      trips = proxy.round_trips { yield connection }
      [questions, trips]
    end
  end

  describe "the name of a type" do
    it "is found through the search_path, and isn't folded" do
      types.register_enum("Mood")
      expect([known?('"Mood"'), known?("mood")]).to eq([true, false])
      types.register_enum(:mood)
      expect(known?("mood")).to be(true)
    end

    it "may have its schema, in one String or apart" do
      other = connect(autocommit: true)
      other.types.register_enum("registered.mood", %w[registered size])
      expect([known?("registered.mood", other), known?("registered.size", other)]).to eq([true, true])
    end

    it "may have dots and quotes, apart from its schema" do
      types.register_enum(["registered", 'a.b "c"'], ['a.b "c"'])
      expect(known?('"a.b ""c"""')).to be(true)
    end

    it "may be an OID" do
      types.register_enum(connection.execute("SELECT 'mood'::regtype::oid").fetch_value)
      expect(known?("mood")).to be(true)
    end

    it "that no type has raises a ProgrammingError with it" do
      { "nobody" => /"nobody"/, "registered.nobody" => /"registered"."nobody"/, "nowhere.mood" => /"nowhere"."mood"/, :MOOD => /"MOOD"/,
        99_999_999 => /99999999/, "" => /does not exist/, "mood." => /does not exist/, ["mood", ""] => /does not exist/,
        %w[a b c] => /does not exist/, [] => /does not exist/ }.each do |name, message|
        expect { types.register_enum("mood", name) }.to raise_error(Pgconn::ProgrammingError, message)
      end
      expect(known?("mood")).to be(false)
    end

    it "of another class is a TypeError" do
      [nil, 1.5, Object.new, ["registered", nil]].each do |name|
        expect { types.register_enum(name) }.to raise_error(TypeError)
      end
    end

    it "may be a domain's, whose arrays and parameters have its own OID" do
      types.register_enum("feeling")
      expect(known?("feeling")).to be(true)
      expect(connection.execute("SELECT $1::feeling[]", [[:sad, nil]]).fetch_value).to eq(["sad", nil])
    end
  end

  it "refuses a type of another kind, by name" do
    { register_enum: "point3", register_composite: "mood", register_range: "mood", register_hstore: "mood" }.each do |method, name|
      expect { types.public_send(method, name) }.to raise_error(Pgconn::ProgrammingError, /"#{name}" is no /)
    end
  end

  it "asks nothing when a connection is made" do
    questions = 0
    through_proxy(to_server: ->(bytes, _) { bytes.tap { questions += bytes.scan("pg_catalog").size } }) do |proxy|
      connect(server.conninfo(host: proxy.host, port: proxy.port, sslmode: "disable")).execute("SELECT 1")
    end
    expect(questions).to eq(0)
  end

  it "asks once for a call, in one round trip" do
    expect(questions_of { |connection| connection.types.register_enum("mood", "Mood", "size") }).to eq([1, 1])
    expect(questions_of { |connection| connection.types.register_composite("point3") }).to eq([1, 1])
  end

  it "asks nothing more when its types are used" do
    expect(questions_of do |connection|
      connection.types.register_enum("mood")
      2.times { connection.execute("SELECT 'sad'::mood, ARRAY['sad']::mood[]").fetch }
      connection.execute("SELECT $1::mood", [:sad])
    end).to eq([1, 4])
  end

  it "leaves no transaction open that it found closed, and none closed that it found open" do
    plain = connect_typed(autocommit: false)
    plain.types.register_enum("mood")
    expect(plain.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    plain.execute("CREATE TEMP TABLE kept (m mood)")
    plain.types.register_enum("size")
    expect(plain.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    plain.rollback
    expect(plain.execute("SELECT to_regclass('kept')").fetch_value).to be_nil
  end

  it "finds a type that only its transaction has" do
    plain = connect_typed(autocommit: false)
    plain.execute("CREATE TYPE fresh AS ENUM ('new')")
    plain.types.register_enum("fresh")
    expect(plain.execute("SELECT ARRAY['new']::fresh[]").fetch_value).to eq(["new"])
    plain.rollback
  end

  it "raises the server's error in a failed transaction, and leaves it as it is" do
    plain = connect_typed(autocommit: false)
    expect { plain.execute("SELECT 1 / 0") }.to raise_error(Pgconn::Errors::DivisionByZero)
    expect { plain.types.register_enum("mood") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    plain.rollback
    plain.types.register_enum("mood")
    expect(known?("mood", plain)).to be(true)
  end

  it "does nothing wrong in a transaction when a type is missing" do
    plain = connect_typed(autocommit: false)
    plain.execute("SELECT 1")
    expect { plain.types.register_enum("nobody") }.to raise_error(Pgconn::ProgrammingError)
    expect(plain.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "obeys the connection's statement_timeout" do
    locked = connect_typed(statement_timeout: 0.2)
    observer.execute("BEGIN")
    observer.execute("LOCK TABLE pg_catalog.pg_range")
    expect { locked.types.register_enum("mood") }.to raise_error(Pgconn::QueryCanceledError)
    observer.execute("ROLLBACK")
    locked.types.register_enum("mood")
    expect(known?("mood", locked)).to be(true)
  end

  it "reads the catalog as it is, whatever was made of the catalog's own types" do
    %w[oid text name char int8].each { |name| types.register(["pg_catalog", name], decoder: ->(_) { raise "called" }) }
    types.register(%w[pg_catalog text], encoder: ->(_) { raise "called" })
    types.register_enum("mood")
    expect(known?("mood")).to be(true)
  end

  it "counts at once for statements that were executed before" do
    sql = "SELECT ARRAY['sad']::mood[]"
    before = Array.new(3) { connection.execute(sql).fetch_value }
    types.register_enum("mood")
    after = Array.new(3) { connection.execute(sql).fetch_value }
    expect([before.uniq, after.uniq]).to eq([["{sad}"], [["sad"]]])
  end

  it "leaves results that were there before as they were" do
    cursor = connection.execute("SELECT ARRAY[m]::mood[] FROM unnest(enum_range(NULL::mood)) AS m")
    first = cursor.fetch_value
    types.register_enum("mood")
    expect([first, cursor.fetch_value]).to eq(["{sad}", "{ok}"])
  end

  it "changes nothing when a type is registered again as it is" do
    register = lambda do
      types.register_enum("mood", "size")
      types.register("money", decoder: method(:Float))
      types.register_composite("point3")
      types.registry.__send__(:codecs)
    end
    expect(register.call).to equal(register.call)
  end

  it "can be registered as something else" do
    types.register_enum("mood")
    types.register("mood", decoder: :to_sym.to_proc)
    expect(connection.execute("SELECT ARRAY['sad']::mood[]").fetch_value).to eq([:sad])
    types.register_enum("mood")
    expect(connection.execute("SELECT ARRAY['sad']::mood[]").fetch_value).to eq(["sad"])
  end

  it "works in any client encoding" do
    connection.execute(%(CREATE TYPE pg_temp."größe" AS ("läng" text)))
    struct = Struct.new(:läng)
    %w[LATIN1 UTF8 SQL_ASCII].each do |encoding|
      connection.execute("SET client_encoding = #{encoding}")
      expect(types.register_composite("größe", as: struct)).to eq(struct)
      expect(types.register_composite("größe").members).to eq([:läng])
    end
  end

  it "raises InterfaceError on a closed connection, and tells what it is even then" do
    types
    connection.close
    expect { types.register_enum("mood") }.to raise_error(Pgconn::InterfaceError)
    expect(connection.types.inspect).to eq("#<Pgconn::Types>")
  end

  it "isn't there on a connection that was never made" do
    expect { Pgconn::Connection.allocate.types }.to raise_error(Pgconn::InterfaceError)
  end

  describe "shared by connections" do
    let(:other) { connect_typed(types: types) }

    it "counts for all of them at once" do
      expect(known?("mood", other)).to be(false)
      types.register_enum("mood")
      expect([known?("mood"), known?("mood", other)]).to eq([true, true])
      other.types.register_enum("size")
      expect(known?("size")).to be(true)
    end

    it "outlives the connection that it comes from" do
      types.register_enum("mood")
      other
      connection.close
      other.types.register_enum("size")
      expect([known?("mood", other), known?("size", other)]).to eq([true, true])
    end

    it "gives threads that register the same composite one class" do
      connections = Array.new(4) { connect_typed(types: types) }
      classes = connections.map { |one| in_thread { one.types.register_composite("point3") } }.map { |thread| value_of(thread) }
      expect(classes.uniq.size).to eq(1)
      expect(connection.execute("SELECT (1, 2, 3)::point3").fetch_value).to eq(classes.first.new(1, 2, 3))
    end

    it "is nothing but a Pgconn::Types" do
      [types.registry, Object.new, true].each do |wrong|
        expect { connect(types: wrong) }.to raise_error(TypeError, /types/)
      end
    end

    it "reads what is on its way in binary, when its type is registered to be read as text" do
      sql = "SELECT 42 FROM (SELECT pg_advisory_xact_lock(4711)) AS wait"
      3.times { other.execute(sql) }
      observer.execute("SELECT pg_advisory_lock(4711)")
      reader = in_thread { other.execute(sql).fetch_value }
      wait_until_running(other.backend_pid, "4711")
      types.register("int4", decoder: ->(text) { "text #{text}" })
      observer.execute("SELECT pg_advisory_unlock(4711)")
      expect(value_of(reader)).to eq(42)
      expect(other.execute(sql).fetch_value).to eq("text 42")
    end
  end
end
