# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn.connect" do
  def shown(connection, setting)
    connection.execute("SELECT current_setting($1)", [setting]).fetch_value
  end

  describe "what it connects to" do
    it "takes a key/value string" do
      expect(connect(server.conninfo).execute("SELECT 1").fetch_value).to eq(1)
    end

    it "takes a URI" do
      expect(connect(server.uri).execute("SELECT 1").fetch_value).to eq(1)
    end

    it "takes keywords alone, the port as an Integer" do
      connection = connect_tcp(port: Integer(server.port))
      expect(connection.execute("SELECT inet_server_port()").fetch_value).to eq(server.port)
    end

    it "lets keywords win over a key/value string" do
      connection = connect(server.conninfo(application_name: "string"), application_name: "keyword")
      expect(shown(connection, "application_name")).to eq("keyword")
    end

    it "lets keywords win over a URI" do
      connection = connect("#{server.uri}?application_name=uri", application_name: "keyword")
      expect(shown(connection, "application_name")).to eq("keyword")
    end

    it "drops keywords that are nil" do
      connection = connect(server.conninfo(application_name: "string"), application_name: nil, host: nil)
      expect(shown(connection, "application_name")).to eq("string")
    end

    it "keeps keywords that are empty" do
      connection = connect(server.conninfo(application_name: "string"), application_name: "")
      expect(shown(connection, "application_name")).not_to eq("string")
    end

    it "takes database: as another name of dbname:" do
      connection = connect(server.conninfo(dbname: nil), database: "template1")
      expect(connection.execute("SELECT current_database()").fetch_value).to eq("template1")
    end

    it "refuses database: beside dbname:" do
      expect { connect(database: "a", dbname: "a") }.to raise_error(ArgumentError, /dbname/)
    end

    it "hands over spaces, quotes and backslashes as they are" do
      name = %q( it's a \"test\" \\\\)
      expect(shown(connect(application_name: name), "application_name")).to eq(name)
    end

    it "hands over a string alone as it is, however it is written" do
      connection = connect("#{server.conninfo}  application_name = 'it\\'s a \\\\ b'\n options='-c geqo=off'")
      expect([shown(connection, "application_name"), shown(connection, "geqo")]).to eq(["it's a \\ b", "off"])
    end

    it "gives the session the program's name unless it is given one" do
      expect(shown(connect, "application_name")).to include(File.basename($PROGRAM_NAME))
    end

    it "speaks UTF-8 unless it is told otherwise" do
      connection = connect
      expect(connection.parameter_status("client_encoding")).to eq("UTF8")
      expect(connection.execute("SELECT 'é'").fetch_value).to eq("é").and have_attributes(encoding: Encoding::UTF_8)
    end

    it "resolves names" do
      connection = connect_tcp(host: "localhost")
      expect(connection.execute("SELECT inet_server_addr() IS NOT NULL").fetch_value).to be(true)
    end

    it "gives the password to a server that asks for it" do
      connection = connect_tcp(user: "pgconn_password", password: PostgresServer::PASSWORD)
      expect(connection.execute("SELECT current_user::text").fetch_value).to eq("pgconn_password")
    end
  end

  describe "with a block" do
    before { connect(autocommit: true).execute("CREATE TABLE connecting (id int)") }
    after { connect(autocommit: true).execute("DROP TABLE connecting") }

    it "gives the block's value" do
      expect(Pgconn.connect(server.conninfo) { |connection| [connection.class, :value] })
        .to eq([Pgconn::Connection, :value])
    end

    it "commits and closes when the block ends" do
      inside = nil
      Pgconn.connect(server.conninfo) { |connection| (inside = connection).execute("INSERT INTO connecting VALUES (1)") }
      expect(inside).to be_closed
      expect(observe("SELECT count(*) FROM connecting")).to eq(1)
    end

    it "rolls back and closes when the block raises, and the exception comes out" do
      inside = nil
      failing = lambda do
        Pgconn.connect(server.conninfo) do |connection|
          (inside = connection).execute("INSERT INTO connecting VALUES (1)")
          raise KeyError, "the block's own"
        end
      end
      expect(&failing).to raise_error(KeyError, "the block's own")
      expect(inside).to be_closed
      expect(observe("SELECT count(*) FROM connecting")).to eq(0)
    end

    it "raises when the transaction that it should commit has failed" do
      failing = lambda do
        Pgconn.connect(server.conninfo) do |connection|
          connection.execute("INSERT INTO connecting VALUES (1)")
          expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
        end
      end
      expect(&failing).to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end
  end

  describe "connection_factory:" do
    let(:subclass) { Class.new(Pgconn::Connection) }

    it "makes the connection" do
      expect(connect(connection_factory: subclass)).to be_an_instance_of(subclass)
    end

    it "does what new of the class does" do
      connection = closed_later(subclass.new(server.conninfo, application_name: "new"))
      expect(shown(connection, "application_name")).to eq("new")
    end

    it "must be a subclass of Connection" do
      expect { connect(connection_factory: String) }.to raise_error(TypeError, /connection_factory/)
    end
  end

  describe "wrong arguments" do
    it "raises TypeError for a conninfo that is no String" do
      expect { connect(42) }.to raise_error(TypeError)
    end

    it "raises TypeError or ArgumentError for a keyword of no fitting class" do
      expect { connect(application_name: Object.new) }
        .to raise_error(StandardError) { |error| expect(error).to be_a(TypeError).or be_a(ArgumentError) }
    end

    it "raises ArgumentError for times that are not positive" do
      %i[statement_timeout cancel_timeout].product([0, -1, -0.5]) do |keyword, value|
        expect { connect(keyword => value) }.to raise_error(ArgumentError, /#{keyword}/)
      end
    end

    it "takes infinity as a time for none" do
      connection = connect(connect_timeout: Float::INFINITY, statement_timeout: Float::INFINITY, cancel_timeout: Float::INFINITY)
      expect(connection.execute("SELECT 1", timeout: Float::INFINITY).fetch_value).to eq(1)
      expect(connection.info.dsn_parameters["connect_timeout"]).to eq("0") # libpq's word for it
      expect(connect(connect_timeout: BigDecimal("Infinity")).dsn).to include("connect_timeout=0")
      [Float::NAN, -Float::INFINITY].each do |wrong|
        expect { connect(connect_timeout: wrong) }.to raise_error(ArgumentError, /connect_timeout/)
      end
    end

    it "raises ProgrammingError that names an unknown keyword, before any traffic" do
      SilentHost.open do |host|
        expect { connect("", host: host.host, port: host.port, hots: "localhost") }
          .to raise_error(Pgconn::ProgrammingError, /hots/)
        expect(host).not_to be_called
      end
    end

    it "raises ProgrammingError for an unknown keyword in the string, before any traffic" do
      SilentHost.open do |host|
        expect { connect("host=#{host.host} port=#{host.port} hots=localhost") }
          .to raise_error(Pgconn::ProgrammingError)
        expect(host).not_to be_called
      end
    end

    it "raises ProgrammingError for a malformed conninfo and quotes none of it" do
      ["password=s3cret host", "host='x password=s3cret", "password=s3cret host='\xFF", "postgresql://me:s3cret@[::1/db",
       "postgresql://me:s3cret@host/db?nonsense=1"].each do |conninfo|
        expect { connect(conninfo) }.to raise_error(Pgconn::ProgrammingError) { |error|
          expect(error.full_message).not_to include("s3cret")
        }
      end
    end

    it "raises ArgumentError for a NUL byte" do
      expect { connect(application_name: "a\0b") }.to raise_error(ArgumentError)
      expect { connect("#{server.conninfo}\0") }.to raise_error(ArgumentError)
    end
  end
end
