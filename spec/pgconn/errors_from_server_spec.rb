# frozen_string_literal: true

require "spec_helper"

RSpec.describe "The server's errors" do
  let(:connection) { connect(autocommit: true) }

  def error_of(sql, params = nil, connection: self.connection, **named)
    connection.execute(sql, params, **named)
    raise "no error"
  rescue Pgconn::Error => e
    e
  end

  def raised(sqlstate, using = "")
    error_of("DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '#{sqlstate}'#{using}; END $$")
  end

  describe "their classes" do
    # Two of them end the session when the server means them: spec/pgconn/losing_spec.rb.
    classes = Pgconn::Errors.constants.map { |name| Pgconn::Errors.const_get(name) }.grep(Class)
                            .reject { |klass| klass <= Pgconn::ConnectionLost }

    it "are those of their SQLSTATEs, all of them" do
      expect(classes.size).to be > 200
      wrong = classes.reject do |klass|
        error = raised(klass::SQLSTATE)
        error.instance_of?(klass) && error.sqlstate == klass::SQLSTATE
      end
      expect(wrong).to eq([])
    end

    {
      "08006" => :OperationalError, "0A000" => :NotSupportedError, "20000" => :ProgrammingError,
      "21000" => :ProgrammingError, "22003" => :DataError, "23505" => :IntegrityError, "24000" => :InternalError,
      "25006" => :InternalError, "26000" => :OperationalError, "27000" => :OperationalError,
      "28000" => :OperationalError, "2B000" => :InternalError, "2D000" => :InternalError, "2F000" => :InternalError,
      "34000" => :OperationalError, "38000" => :InternalError, "39000" => :InternalError, "3B000" => :InternalError,
      "3D000" => :ProgrammingError, "3F000" => :ProgrammingError, "40001" => :TransactionRollbackError,
      "42P01" => :ProgrammingError, "44000" => :ProgrammingError, "53100" => :OperationalError,
      "54000" => :OperationalError, "55P03" => :OperationalError, "57014" => :QueryCanceledError,
      "58030" => :OperationalError, "F0000" => :InternalError, "HV000" => :OperationalError,
      "P0001" => :InternalError, "XX000" => :InternalError, "09000" => :DatabaseError
    }.each do |sqlstate, base|
      it "are #{base}s for #{sqlstate}" do
        expect(raised(sqlstate)).to be_a(Pgconn.const_get(base))
      end
    end

    it "are their class's base for a state that nobody knows, then DatabaseError" do
      expect(raised("23ZZZ")).to be_an_instance_of(Pgconn::IntegrityError)
      expect(raised("ZZ123")).to be_an_instance_of(Pgconn::DatabaseError)
      expect(raised("ZZ123").sqlstate).to eq("ZZ123")
    end
  end

  describe "what they carry" do
    before do
      connection.execute("CREATE DOMAIN pg_temp.percent AS int CONSTRAINT in_range CHECK (VALUE BETWEEN 0 AND 100)")
      connection.execute("CREATE TEMP TABLE items (id int CONSTRAINT items_key PRIMARY KEY, name text NOT NULL)")
      connection.execute("INSERT INTO items VALUES (1, 'one')")
    end

    it "is the constraint with its table and schema, and the detail" do
      error = error_of("INSERT INTO items VALUES (1, 'again')")
      expect(error).to be_a(Pgconn::Errors::UniqueViolation)
      expect(error.diag).to have_attributes(
        severity: "ERROR", sqlstate: "23505", constraint: "items_key", table: "items", schema: /\Apg_temp/,
        detail: "Key (id)=(1) already exists.", message_primary: /duplicate key/, hint: nil, position: nil
      )
      expect(error.pgcode).to eq("23505")
    end

    it "is the column" do
      expect(error_of("INSERT INTO items VALUES (2, NULL)").diag).to have_attributes(column: "name", table: "items")
    end

    it "is the data type" do
      expect(error_of("SELECT 101::pg_temp.percent").diag).to have_attributes(datatype: "percent", constraint: "in_range")
    end

    it "is the hint and the context of what a function raised" do
      error = raised("P0001", ", HINT = 'try this', DETAIL = 'because'")
      expect(error.diag).to have_attributes(hint: "try this", detail: "because", context: /inline_code_block/)
      expect(error.message.lines.first.chomp).to eq("raised")
      expect(error.message).to include("because", "try this")
    end

    it "is libpq's whole text" do
      expect(error_of("SELECT nonsense").pgerror).to match(/\AERROR:  column "nonsense" does not exist\nLINE 1: SELECT nonsense/)
    end

    it "is the statement and the cursor" do
      cursor = connection.cursor
      expect { cursor.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError) { |error|
        expect(error.query).to eq("SELECT 1/0")
        expect(error.cursor).to be(cursor)
      }
    end

    it "is text in Ruby's encoding" do
      expect(error_of('SELECT "größe"').message).to eq('column "größe" does not exist')
      latin = connect(client_encoding: "LATIN1", autocommit: true)
      expect(error_of('SELECT "größe"', connection: latin).message.encode("UTF-8")).to eq('column "größe" does not exist')
    end

    it "is whether it may be tried again" do
      expect(%w[40001 40P01 23505 57014].map { |sqlstate| raised(sqlstate).retryable? }).to eq([true, true, false, false])
    end

    it "stays readable after other errors, reuse of the cursor and garbage collection", :gc_stress do
      cursor = connection.cursor
      first = begin
        cursor.execute("INSERT INTO items VALUES (1, 'again')")
      rescue Pgconn::IntegrityError => e
        e
      end
      error_of("SELECT nonsense")
      cursor.execute("SELECT 1")
      cursor.close
      GC.start
      expect([first.diag.constraint, first.diag.detail]).to eq(["items_key", "Key (id)=(1) already exists."])
    end

    it "comes back from Marshal" do
      error = error_of("INSERT INTO items VALUES (1, 'again')")
      copy = Marshal.load(Marshal.dump(error))
      expect(copy).to be_a(Pgconn::Errors::UniqueViolation)
      expect([copy.message, copy.sqlstate, copy.diag.constraint, copy.query])
        .to eq([error.message, "23505", "items_key", error.query])
      expect(copy.cursor).to be_nil
    end
  end

  describe "their position" do
    it "counts characters from 1" do
      expect(error_of("SELECT 'äöü', nonsense").diag.position).to eq(15)
    end

    it "counts in the user's own text where names were rewritten" do
      sql = "SELECT :a::text, 'ä :a', :a::text, nonsense, :long_name::int"
      expect(error_of(sql, a: "x", long_name: 1).diag.position).to eq(sql.index("nonsense") + 1)
    end

    it "counts from the statement where a transaction began with it" do
      expect(error_of("SELECT nonsense", connection: connect).diag.position).to eq(8)
    end
  end

  it "leave out values that were given as parameters" do
    error = error_of("SELECT $1::text, nonsense", ["s3cret"])
    expect([error.message, error.pgerror, error.query, error.inspect].join).not_to include("s3cret")
  end

  it "leave what was executed before alone, and the connection usable", :gc_stress do
    rows = connection.execute("SELECT generate_series(1, 3)")
    error_of("SELECT 1/0")
    expect(rows.column(0)).to eq([1, 2, 3])
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end
end
