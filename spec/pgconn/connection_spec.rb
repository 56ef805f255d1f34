# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Connection do
  let(:connection) { connect }

  describe "what it knows of the session" do
    it "reads the server's process id" do
      expect(connection.backend_pid).to eq(connection.execute("SELECT pg_backend_pid()").fetch_value)
    end

    it "reads the server's version as a number" do
      number = connection.execute("SELECT current_setting('server_version_num')::int").fetch_value
      expect(connection.server_version).to eq(number)
    end

    it "reads the version of the protocol" do
      expect(connection.protocol_version).to eq(3)
    end

    it "reads a parameter that the server reports" do
      expect(connection.parameter_status("integer_datetimes")).to eq("on")
      expect(connection.parameter_status("session_authorization")).to eq(server.user)
    end

    it "takes a parameter's name as a Symbol, too" do
      expect(connection.parameter_status(:server_encoding)).to eq("UTF8")
    end

    it "gives nil for a parameter that the server doesn't report" do
      expect(connection.parameter_status("work_mem")).to be_nil
      expect(connection.parameter_status("no_such_parameter")).to be_nil
    end

    it "follows a parameter that was set" do
      connection.execute("SET TimeZone = 'Asia/Tokyo'")
      expect(connection.parameter_status("TimeZone")).to eq("Asia/Tokyo")
      connection.rollback
      expect(connection.parameter_status("TimeZone")).to eq("UTC")
    end

    it "follows a parameter, whoever sets it and however" do
      {
        "SET application_name = 'by SET'" => "by SET",
        "SELECT set_config('application_name', 'by a function', false)" => "by a function",
        "SET LOCAL application_name = 'in the transaction'" => "in the transaction"
      }.each do |sql, name|
        connection.execute(sql)
        expect(connection.parameter_status("application_name")).to eq(name)
      end
      connection.commit
      expect(connection.parameter_status("application_name")).to eq("by a function")
      value_of(in_thread { connection.execute("SET application_name = 'by a thread'") })
      expect(connection.parameter_status("application_name")).to eq("by a thread")
    end

    it "still knows the parameters after close" do
      connection.execute("SET TimeZone = 'Asia/Tokyo'")
      expect { connection.close }.not_to(change { %w[TimeZone server_version work_mem].map { |name| connection.parameter_status(name) } })
    end

    it "answers to the seed's names" do
      expect(connection.get_backend_pid).to eq(connection.backend_pid)
      expect(connection.get_parameter_status("server_version")).to eq(connection.parameter_status("server_version"))
      expect(connection.get_transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "knows libpq's version" do
      expect(Pgconn.libpq_version).to be_an(Integer).and be >= 140_000
    end
  end

  describe "#transaction_status" do
    it "is IDLE, INTRANS and INERROR, in the server's own words" do
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      connection.execute("SELECT 1")
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INERROR)
      connection.rollback
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "has constants with libpq's values" do
      values = %w[IDLE ACTIVE INTRANS INERROR UNKNOWN].map { |name| Pgconn.const_get("TRANSACTION_STATUS_#{name}") }
      expect(values).to eq([0, 1, 2, 3, 4])
    end
  end

  describe "#alive?" do
    it "is true for a session that answers" do
      expect(connection).to be_alive
    end

    it "starts no transaction and disturbs none" do
      connection.alive?
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      connection.execute("CREATE TEMP TABLE t (id int)")
      expect(connection.alive?).to be(true)
      expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(0)
    end

    it "is true in a failed transaction" do
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect(connection.alive?).to be(true)
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INERROR)
    end

    it "is false for a session that the server has ended" do
      observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
      eventually("the loss is noticed") { !connection.alive? }
    end

    it "wants a positive timeout" do
      [0, -1].each { |timeout| expect { connection.alive?(timeout: timeout) }.to raise_error(ArgumentError) }
    end
  end

  describe "#dsn and #inspect" do
    let(:secret) { PostgresServer::PASSWORD }

    it "show where the connection leads and no password" do
      by_keywords = connect_tcp(user: "pgconn_password", password: secret)
      by_uri = connect("postgresql://pgconn_password:correct%20horse@#{server.host}:#{server.port}/#{server.database}")
      by_string = connect(server.conninfo(user: "pgconn_password", password: secret))
      [by_keywords, by_uri, by_string].each do |connection|
        expect(connection.dsn).to include("pgconn_password", server.port.to_s, server.database)
        [connection.dsn, connection.inspect].each do |text|
          expect(text).not_to match(/correct|horse/)
        end
      end
    end

    it "quote only what is empty or has spaces, with a backslash before ' and \\" do
      { "plain" => "plain", "" => "''", "two words" => "'two words'", "it's" => "it\\'s", "a\\b" => "a\\\\b",
        "it's \\ both" => "'it\\'s \\\\ both'" }.each do |name, quoted|
        dsn = connect(application_name: name).dsn
        expect(dsn).to end_with("application_name=#{quoted}")
        expect(connect(dsn).dsn).to eq(dsn)
      end
    end

    it "are there after close" do
      connection.close
      expect(connection.dsn).to include(server.port.to_s)
      expect(connection.inspect).to include("Connection")
    end
  end

  describe "#notices" do
    def notice(text)
      connection.execute("DO $$ BEGIN RAISE NOTICE '#{text}'; END $$")
    end

    it "has the server's notices as strings, in their order" do
      notice("first")
      notice("sécond")
      expect(connection.notices).to eq(["NOTICE:  first\n", "NOTICE:  sécond\n"])
      expect(connection.notices.map(&:encoding).uniq).to eq([Encoding::UTF_8])
    end

    it "keeps the last 50" do
      connection.execute("DO $$ BEGIN FOR i IN 1..60 LOOP RAISE NOTICE '%', i; END LOOP; END $$")
      expect(connection.notices).to eq((11..60).map { |number| "NOTICE:  #{number}\n" })
    end

    it "has those of a statement that failed" do
      expect { connection.execute("DO $$ BEGIN RAISE NOTICE 'before'; RAISE 'failed'; END $$") }
        .to raise_error(Pgconn::Errors::RaiseException)
      expect(connection.notices).to eq(["NOTICE:  before\n"])
    end

    it "has warnings, too" do
      connect_with_warning = connect(autocommit: true)
      connect_with_warning.execute("COMMIT")
      expect(connect_with_warning.notices).to contain_exactly(/\AWARNING:  .*no transaction/)
    end
  end

  describe "the exceptions that it carries" do
    let(:names) do
      %i[Error InterfaceError DatabaseError DataError OperationalError IntegrityError InternalError
         ProgrammingError NotSupportedError QueryCanceledError TransactionRollbackError]
    end

    it "are constants of its class" do
      names.each { |name| expect(described_class.const_get(name)).to be(Pgconn.const_get(name)) }
    end

    it "are readers" do
      names.each { |name| expect(connection.public_send(name)).to be(Pgconn.const_get(name)) }
    end

    it "can be rescued by code that only has the connection" do
      rescued = begin
        connection.execute("SELECT nonsense")
      rescue connection.IntegrityError
        :wrong
      rescue connection.ProgrammingError
        :right
      end
      expect(rescued).to eq(:right)
    end
  end

  it "can't be copied or serialized, and survives the attempt" do
    [-> { connection.dup.execute("SELECT 1") }, -> { connection.clone.execute("SELECT 1") },
     -> { described_class.allocate.execute("SELECT 1") }, -> { Marshal.dump(connection) }].each do |attempt|
      expect(&attempt).to raise_error(StandardError) { |error|
        expect(error).to be_a(TypeError).or be_a(NoMethodError).or be_a(Pgconn::InterfaceError)
      }
    end
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "gives its cursors the class of cursor_factory:" do
    factory = Class.new(Pgconn::Cursor)
    connection = connect(cursor_factory: factory)
    expect(connection.cursor).to be_an_instance_of(factory)
    expect(connection.execute("SELECT 1")).to be_an_instance_of(factory)
  end

  it "takes nil as cursor_factory: for the default" do
    expect(connect(cursor_factory: nil).cursor).to be_an_instance_of(Pgconn::Cursor)
  end

  it "refuses a cursor_factory: that is no Cursor class" do
    [String, "Cursor", Object.new].each do |factory|
      expect { connect(cursor_factory: factory).cursor }.to raise_error(TypeError, /cursor_factory/)
    end
  end
end
