# frozen_string_literal: true

require "spec_helper"
require "stringio"

# What is written without waiting for the answer, and read before it is asked for.
RSpec.describe Pgconn::LargeObject do
  include LargeObjectHelpers

  let(:connection) { connect }
  let(:object) { written_by(connection) }

  # What one row of pg_largeobject holds.
  head = "0123456789".rjust(2048, ".")

  # One with that, in a transaction where the next write doesn't wait; it is in the next row, which is there.
  define_method(:written_by) do |conn|
    conn.lobject(committed(" " * 2049), "rw").tap { |made| made.write(head) }
  end

  # What is written to the object next waits as long as the block runs, for another session changes the row.
  def blocked(written = object)
    holder = connect
    holder.execute("SELECT lo_put($1::int8::oid, 2048, '-')", [written.oid])
    yield
  ensure
    holder.rollback
  end

  # The server refuses what ends past 4 TB.
  def write_in_vain
    object.seek(0x7FFF_FFFF * 2048)
    object.write("x")
  end

  # 16 KB.
  def number(index) = index.to_s.rjust(16_384, "0")

  # Writes pieces without end, in a thread, and counts them; waits until it waits, when there are so many.
  def writing(count, &piece)
    @written = 0
    thread = in_thread { loop { object.write(piece.call(@written)) && @written += 1 } }
    eventually("so much is written") { @written >= count }
    eventually("it waits") { thread.status == "sleep" }
    thread
  end

  # What was written of numbers when the position is there.
  define_method(:written_up_to) do |position|
    head + Array.new((position - 2048) / 16_384) { |index| number(index) }.join
  end

  # Once the writing thread has ended.
  def expect_no_hole
    position = object.tell
    connection.commit
    expect(position).to be >= 1 << 20
    expect(content_of(object.oid) == written_up_to(position)).to be(true)
  end

  describe "that is written in small pieces" do
    WaysOfWaiting.all.each do |name, way|
      it "has all of them in their order, is read behind them and committed without close, in #{name}" do
        pieces = Array.new(200) { |index| sample(5000 + index) }
        oid, read = way.call(server) do |parameters|
          Pgconn.connect(nil, **parameters) do |conn|
            written = conn.lobject
            pieces.each { |piece| written.write(piece) }
            written.seek(4000)
            read = written.read(3000)
            written.seek(0, IO::SEEK_END)
            pieces.each { |piece| written.write(piece) }
            conn.commit
            [written.oid, read]
          end
        end
        expect(read == pieces.join.byteslice(4000, 3000)).to be(true)
        expect(content_of(oid) == pieces.join * 2).to be(true)
      end
    end

    { "4 MB" => ["x" * 65_536, 64], "256 pieces, however small" => ["x", 256], "one piece, however large" => ["x" * 6_000_000, 0] }
      .each do |most, (piece, count)|
      it "doesn't wait for the answers, but for those to come of more than #{most}" do
        object
        thread = nil
        blocked do
          thread = writing(count) { piece }
          expect(@written).to eq(count)
        end
        eventually("it goes on") { @written > count + 2 }
        thread.kill.join
      end
    end

    it "takes few round trips, also behind many pieces" do
      pieces = Array.new(40) { |index| number(index) }
      through_proxy(delay: 0.05) do |proxy|
        written = connect_tcp(port: proxy.port).lobject.tap { |made| made.write("x" * (1 << 20)) && made.flush }
        expect(proxy.round_trips { pieces.each { |piece| written.write(piece) } && written.flush }).to be <= 10
      end
    end

    it "is seen so by what comes later: truncate, size, another object, SQL" do
      object.write("abc")
      object.truncate(2050)
      object.write("d")
      expect(connection.execute("SELECT lo_get($1::int8::oid)", [object.oid]).fetch_value).to eq("#{head}ab\0d")
      object.write("e")
      expect([object.size, connection.lobject(object.oid).read]).to eq([2053, "#{head}ab\0de"])
    end

    it "keeps what it was given, whatever becomes of that String" do
      object
      given = +"given"
      blocked do
        object.write(given)
        given.replace("other")
      end
      object.rewind
      expect(object.read).to eq("#{head}given")
    end

    it "is there when it was collected before the server was done" do
      oids = Array.new(20) do
        collected = connection.lobject
        3.times { collected.write("text") }
        collected.oid
      end
      GC.start
      connection.commit
      expect(oids.map { |oid| content_of(oid) }).to all(eq("text" * 3))
    end

    it "is written in spite of a change of the client encoding that comes in between" do
      connection.execute("CREATE FUNCTION pg_temp.change() RETURNS void BEGIN ATOMIC " \
                         "SELECT set_config('client_encoding', 'LATIN1', false); END")
      object
      changing = nil
      blocked do
        changing = in_thread { connection.execute("SELECT pg_temp.change(), lo_put($1, 2048, 'z')", [object.oid]) }
        wait_until_running(connection.backend_pid, "change")
        64.times { object.write("x") }
      end
      value_of(changing)
      connection.commit
      expect([content_of(object.oid), connection.encoding]).to eq(["#{head}#{"x" * 64}", Encoding::ISO_8859_1])
    end

    it "waits in a pipeline, in a failed transaction raises at once" do
      object
      connection.pipeline do
        3.times { object.write("x") }
        expect(connection.lobject(object.oid).read).to eq("#{head}xxx")
      end
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect { object.write("x") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end

    it "by several threads of a connection has what each has written" do
      oids = Array.new(4) { |index| in_thread { connection.lobject.tap { |made| 100.times { made.write(index.to_s) } }.oid } }
      oids = oids.map { |thread| value_of(thread) }
      connection.commit
      expect(oids.map { |oid| content_of(oid) }).to eq(Array.new(4) { |index| index.to_s * 100 })
    end
  end

  describe "a write to which fails" do
    calls = { flush: [], read: [1], readpartial: [1], size: [], truncate: [1], eof?: [], import: [File::NULL],
              export: [File::NULL], unlink: [], close: [] }

    calls.each do |name, arguments|
      it "has that raised by #{name}, and once" do
        write_in_vain
        expect { object.public_send(name, *arguments) }.to raise_error(Pgconn::Error, /write request/)
        expect(object.close).to be_nil
      end
    end

    it "has that raised behind those that went well" do
      3.times { object.write("x") }
      write_in_vain
      expect { object.flush }.to raise_error(Pgconn::Error, /write request/)
    end

    it "has that raised by a later write" do
      write_in_vain
      expect { 1000.times { object.write("x") } }.to raise_error(Pgconn::Error, /write request/)
      expect { object.write("x") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end

    it "has that raised by a write once other statements have met with it" do
      write_in_vain
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect { object.write("x") }.to raise_error(Pgconn::Error, /write request/)
      expect { object.write("x") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end

    it "has that raised by tell and seek once other statements have met with it" do
      write_in_vain
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect { object.tell }.to raise_error(Pgconn::Error, /write request/)
      expect { object.seek(0) }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end

    it "isn't committed" do
      write_in_vain
      expect { connection.commit }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end

    it "is closed quietly when the transaction has ended, or the savepoint was rolled back" do
      write_in_vain
      connection.rollback
      expect(object.close).to be_nil
    end

    it "is closed quietly when the savepoint was rolled back in which that was" do
      object
      connection.execute("SAVEPOINT one")
      object.size # it is known to be valid again
      write_in_vain
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      connection.execute("ROLLBACK TO one")
      expect(object.close).to be_nil
      connection.commit
      expect(content_of(object.oid)).to eq("#{head} ")
    end

    it "can be written once the savepoint was rolled back, and what was behind that is told no more" do
      object
      connection.execute("SAVEPOINT one")
      object.size # it is known to be valid again
      write_in_vain
      object.write("y")
      expect { object.flush }.to raise_error(Pgconn::Error, /write request/)
      connection.execute("ROLLBACK TO one")
      object.seek(2048)
      object.write("z")
      object.close
      connection.commit
      expect(content_of(object.oid)).to eq("#{head}z")
    end

    it "is told by close where another caller has committed before it" do
      object
      committing = nil
      blocked do
        object.write("before")
        committing = in_thread { connection.commit }
        eventually("the commit waits") { committing.status == "sleep" }
        object.write("behind")
      end
      value_of(committing)
      expect { object.close }.to raise_error(Pgconn::ProgrammingError, /isn't valid anymore/)
      expect(content_of(object.oid)).to eq("#{head}before")
    end
  end

  describe "a write to which is interrupted" do
    { "by Thread#kill" => lambda(&:kill), "by Thread#raise" => ->(thread) { thread.raise(IndexError) } }.each do |how, interrupt|
      it "#{how} while it waits cancels nothing, and leaves no hole" do
        object
        blocked do
          thread = writing(64) { |index| number(index) }
          interrupt.call(thread)
          outcome_of(thread)
        end
        expect_no_hole
      end
    end

    it "by Timeout while it waits cancels nothing, and leaves no hole" do
      object
      blocked do
        expect { Timeout.timeout(0.3) { (0..).each { |index| object.write(number(index)) } } }.to raise_error(Timeout::Error)
      end
      expect_no_hole
    end

    it "by a stopped task while it waits cancels nothing, and leaves no hole" do
      require "async"
      object
      blocked do
        value_of(in_thread do
          Sync do |parent|
            task = parent.async { (0..).each { |index| object.write(number(index)) } }
            parent.sleep(0.01) until object.tell >= 2048 + (1 << 20)
            task.stop
          end
        end)
      end
      expect_no_hole
    end

    it "by the connection's statement_timeout raises QueryCanceledError, also in flush" do
      impatient = connect(statement_timeout: 0.3)
      written = written_by(impatient)
      blocked(written) do
        written.write("y")
        expect { written.flush }.to raise_error(Pgconn::QueryCanceledError)
      end
      impatient.rollback
      written = written_by(impatient)
      blocked(written) do
        expect { (0..).each { |index| written.write(number(index)) } }.to raise_error(Pgconn::QueryCanceledError)
      end
    end

    it "by the server's end raises ConnectionLost, and close is fine" do
      object
      blocked do
        3.times { object.write("x") }
        observe("SELECT pg_terminate_backend($1::int, 10000)", [connection.backend_pid])
        expect { object.flush }.to raise_error(Pgconn::ConnectionLost)
      end
      expect(object.close).to be_nil
    end

    it "by the end of the connection raises InterfaceError, and close is fine" do
      object
      blocked do
        object.write("x")
        connection.close
      end
      expect { object.flush }.to raise_error(Pgconn::InterfaceError)
      expect(object.close).to be_nil
    end

    it "by a fork is refused in the child, and goes on in the parent", if: Process.respond_to?(:fork) do
      object.write("x")
      pid = fork do
        object.flush
      rescue Pgconn::InterfaceError
        exit!(0)
      ensure
        exit!(1)
      end
      expect([Process.wait2(pid)[1].exitstatus, object.size]).to eq([0, 2049])
    end
  end

  it "flush gives the object, and raises InterfaceError once that is closed" do
    expect(object.flush).to equal(object)
    object.close
    expect { object.flush }.to raise_error(Pgconn::InterfaceError)
  end

  describe "that is read on and on" do
    let(:content) { sample(2_000_000) }
    let(:oid) { committed(content) }

    it "has what comes next requested before it is asked for" do
      reader = connection.lobject(oid)
      read = Array.new(20) { reader.read(16_384) }
      reading = in_thread { connection.execute("SELECT pg_sleep(60)") }
      wait_until_running(connection.backend_pid, "pg_sleep")
      3.times { read << reader.read(16_384) }
      expect(backend_state(connection.backend_pid)).to eq("active")
      connection.cancel
      outcome_of(reading)
      expect(read.join == content.byteslice(0, 23 * 16_384)).to be(true)
    end

    it "takes few round trips" do
      oid
      through_proxy(delay: 0.05) do |proxy|
        reader = connect_tcp(port: proxy.port).lobject(oid)
        expect(proxy.round_trips { IO.copy_stream(reader, File::NULL) }).to be <= 20
      end
    end

    it "forgets that for who goes elsewhere, closes it, or drops it" do
      reader = connection.lobject(oid)
      5.times { reader.read(10_000) }
      reader.seek(1_500_000)
      expect(reader.read(20_000) == content.byteslice(1_500_000, 20_000)).to be(true)
      5.times { reader.read(10_000) }
      reader.close
      5.times { connection.lobject(oid).then { |other| 5.times { other.read(10_000) } } }
      GC.start
      expect(connection.lobject(oid).read == content).to be(true)
    end

    it "asks for no more than there is, and says so" do
      reader = connection.lobject(committed("0123456789"))
      pieces = []
      pieces << reader.readpartial(3) until reader.eof?
      expect([pieces, reader.read(3), reader.read]).to eq([%w[012 345 678 9], nil, ""])
    end

    it "says where its end is, wherever it was read before" do
      reader = connection.lobject(oid)
      5.times { reader.read(10_000) }
      reader.seek(0, IO::SEEK_END)
      expect([reader.eof?, reader.read(1)]).to eq([true, nil])
      reader.seek(-1, IO::SEEK_CUR)
      expect([reader.eof?, reader.read(2), reader.eof?]).to eq([false, content[-1], true])
    end

    it "goes on in a pipeline" do
      reader = connection.lobject(oid)
      read = Array.new(5) { reader.read(10_000) }
      connection.pipeline { 5.times { read << reader.read(10_000) } }
      read << reader.read
      expect(read.join == content).to be(true)
    end

    it "raises ConnectionLost where the server has ended the session" do
      reader = connection.lobject(oid)
      5.times { reader.read(10_000) }
      observe("SELECT pg_terminate_backend($1::int, 10000)", [connection.backend_pid])
      expect { loop { reader.readpartial(10_000) } }.to raise_error(Pgconn::ConnectionLost)
    end
  end
end
