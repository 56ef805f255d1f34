# frozen_string_literal: true

require "spec_helper"
require "stringio"

# What becomes of a COPY where a row, or the moment, is an odd one.
RSpec.describe "COPY, row by row:" do
  let(:connection) { connect(autocommit: true).tap { |made| made.execute("CREATE TEMP TABLE things (id int, name text)") } }

  def things = connection.execute("SELECT * FROM things ORDER BY id").map(&:to_a)

  # A value whose to_pg runs the block.
  def value(&block)
    Object.new.tap { |made| made.define_singleton_method(:to_pg) { block.call } }
  end

  def raising = value { raise KeyError }

  def fail_with(copy, row, error = KeyError, message = nil)
    expect { copy << row }.to raise_error(error, message)
  end

  %i[binary text csv].each do |format|
    describe "in, in the format #{format}," do
      it "leaves nothing of a row that raises, be it the first, where its block goes on" do
        count = connection.copy_in("things", format: format) do |copy|
          fail_with(copy, [0, raising])
          copy << [1, "a"]
          fail_with(copy, [2, raising])
          copy << [3, "b"]
        end
        expect([count, things]).to eq([2, [[1, "a"], [3, "b"]]])
      end

      it "has no rows where the only one raises and its block goes on" do
        expect(connection.copy_in("things", format: format) { |copy| fail_with(copy, [0, raising]) }).to eq(0)
      end

      it "takes text with whatever the format has a use for" do
        texts = ["\r", "\n", "\r\n", "\t", "\\", "\\\\", "\"", "\"\"", ",", "'", "\\N", "\\.", "", "NULL", " ", "a\"b,c\\d\te\rf\ng"]
        connection.copy_in("things", texts.each_with_index.map { |text, id| [id, text] }, format: format)
        expect(things.map(&:last)).to eq(texts)
      end

      it "has NULL for what a value's to_pg takes out of its row" do
        row = []
        row.push(value { row.clear && 1 }, "gone")
        connection.copy_in("things", [row], format: format)
        expect(things).to eq([[1, nil]])
      end

      it "takes no other row from within a value's to_pg" do
        connection.copy_in("things", format: format) do |copy|
          fail_with(copy, [1, value { copy << [2, "b"] }], Pgconn::ProgrammingError, /middle of a row/)
          copy << [3, "c"]
        end
        expect(things).to eq([[3, "c"]])
      end
    end
  end

  it "in goes on where the first row turns it to text and then raises" do
    forms = [-> { "7" }, -> { raise KeyError }].each
    connection.copy_in("things") do |copy|
      fail_with(copy, [value { forms.next.call }, "a"])
      copy << [8, "b"]
    end
    expect(things).to eq([[8, "b"]])
  end

  it "in takes no row once it has ended, be it before it began" do
    ended = connection.copy_in("things") { |copy| break copy }
    fail_with(ended, [1, "a"], Pgconn::ProgrammingError, /has ended/)
    connection.copy_in("things") { |copy| (ended = copy) << [2, "b"] }
    fail_with(ended, [3, "c"], Pgconn::ProgrammingError, /has ended/)
    expect(things).to eq([[2, "b"]])
  end

  it "in lets nobody change the client encoding after its table was described" do
    connection.copy_in("things") do |copy|
      expect { connection.client_encoding = "LATIN1" }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
      copy << [1, "ä"]
    end
    expect(things).to eq([[1, "ä"]])
  end

  it "in is stopped soon by an error of the server behind a notice" do
    connection.execute(<<~SQL)
      CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'seen'; RAISE 'refused'; END $$;
      CREATE TRIGGER refuses BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()
    SQL
    sent = 0
    expect { connection.copy_in("COPY things (id) FROM STDIN") { |copy| 10_000_000.times { copy << "1234567\n" && sent += 1 } } }
      .to raise_error(Pgconn::Errors::RaiseException, "refused")
    expect(sent).to be < 9_000_000
  end

  it "has the time that its cursor's timeout: says" do
    impatient = connection.cursor(timeout: 0.1)
    expect { impatient.copy_expert("COPY (SELECT pg_sleep(60)) TO STDOUT", StringIO.new) }.to raise_error(Pgconn::QueryCanceledError)
  end
end
