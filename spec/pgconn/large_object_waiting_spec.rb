# frozen_string_literal: true

require "spec_helper"
require "stringio"

# However a caller waits, whoever else uses the connection, and when the wait ends early.
RSpec.describe Pgconn::LargeObject do
  include LargeObjectHelpers

  let(:connection) { connect }

  WaysOfWaiting.all.each do |name, way|
    it "is made, written, read, exported and deleted in #{name}" do
      content = sample(10_000_000)
      exported = nil
      left = way.call(server) do |parameters|
        Pgconn.connect(nil, **parameters) do |conn|
          object = with_file(content) { |path| conn.lobject(0, "rw", new_file: path) }
          object.write("XYZ")
          reader = conn.lobject(object.oid, "r")
          copy = StringIO.new("".b)
          IO.copy_stream(reader, copy)
          Tempfile.create("pgconn") do |file|
            reader.export(file.path)
            exported = File.binread(file.path) == copy.string
          end
          object.unlink
          [copy.string.byteslice(0, 3), copy.string.byteslice(3..) == content.byteslice(3..), object.oid]
        end
      end
      expect([left[0], left[1], exported, exists?(left[2])]).to eq(["XYZ", true, true, false])
    end

    it "says that it isn't valid any more in #{name}" do
      oid = committed("content")
      error = way.call(server) do |parameters|
        Pgconn.connect(nil, **parameters) do |conn|
          object = conn.lobject(oid)
          conn.commit
          object.read
        rescue Pgconn::ProgrammingError => e
          e
        end
      end
      expect(error).to be_a(Pgconn::ProgrammingError).and have_attributes(message: /isn't valid anymore/)
    end
  end

  it "can't be made by an async connection, which can be used on" do
    async = connect_async
    expect { async.lobject }.to raise_error(Pgconn::ProgrammingError, /async/)
    cursor = async.execute("SELECT 1")
    poll_to_end(async)
    expect(cursor.fetch_value).to eq(1)
  end

  it "lets other threads run while it waits" do
    object = connection.lobject(committed("content"), "rw")
    holder = connect
    holder.execute("LOCK TABLE pg_largeobject IN ACCESS EXCLUSIVE MODE")
    writing = in_thread { object.write("x") }
    wait_until_running(connection.backend_pid, "lowrite")
    holder.rollback
    expect(value_of(writing)).to eq(1)
  end

  { "anew" => ->(object) { object }, "and used" => ->(object) { object.tap(&:size) } }.each do |how, using|
    it "goes behind what a pipeline has gathered, and ahead of what comes later, when it was opened #{how}" do
      object = using.call(connection.lobject)
      values = connection.pipeline do
        before = connection.execute("SELECT lo_get($1::int8::oid)", [object.oid])
        object.write("text")
        [before, connection.execute("SELECT lo_get($1::int8::oid)", [object.oid])]
      end
      expect(values.map(&:fetch_value)).to eq(["", "text"])
    end
  end

  it "tells a tracer of what it executes" do
    told = []
    connection.tracer = ->(event) { told << event }
    object = connection.lobject
    object.write("x")
    connection.tracer = nil
    expect(told.map(&:sql)).to include(/lo_create/, /lo_open/, /lowrite/)
  end

  it "reads values as the server sends them, whatever types the user has registered" do
    connection.types.register("bytea", decoder: lambda(&:upcase))
    connection.types.register("int4", decoder: lambda(&:to_f))
    object = connection.lobject(0, "rw")
    object.write("abc")
    object.rewind
    expect([object.read, object.size]).to eq(["abc", 3])
  end

  it "sends values as the server wants them, whatever types the user has registered" do
    %w[bytea int4 int8 oid text].each { |type| connection.types.register(type, encoder: ->(_) { raise KeyError, type }) }
    object = connection.lobject(0, "rw")
    object.write("abc")
    object.truncate(2)
    object.rewind
    expect([object.read, object.unlink]).to eq(["ab", nil])
  end

  it "calls handlers for what the server says of its statements" do
    object = connection.lobject
    connection.execute("SET client_min_messages = log; SET log_statement = 'all'")
    told = []
    connection.on_notice { |notice| told << notice.message }
    object.size
    expect(told).to include(/lo_lseek64/)
  end

  it "works where statements are never named" do
    object = connect(prepare_threshold: nil).lobject(committed(sample(5_000_000)))
    expect(object.read == sample(5_000_000)).to be(true)
  end

  describe "on a shared connection" do
    let(:connection) { connect(autocommit: true) }

    it "is read by several threads at the same time, each its own" do
      contents = Array.new(4) { |number| sample(300_000 + number) }
      oids = contents.map { |content| committed(content) }
      copies = connection.transaction(shared: true) do
        oids.map do |oid|
          in_thread { StringIO.new("".b).tap { |copy| IO.copy_stream(connection.lobject(oid), copy) }.string }
        end.map { |thread| value_of(thread) }
      end
      expect(copies == contents).to be(true)
    end

    it "makes other callers wait until its block ends, and isn't harmed by them" do
      oid = committed(sample(100_000))
      other = nil
      read = connection.transaction do
        object = connection.lobject(oid)
        other = in_thread { connection.execute("SELECT 'other'").fetch_value }
        Array.new(100) { object.read(1000) }.join
      end
      expect([read == sample(100_000), value_of(other)]).to eq([true, "other"])
    end
  end

  describe "that is interrupted" do
    # What waits for a lock. For writes see large_object_ahead_spec.rb.
    def truncating(object, holder)
      holder.execute("LOCK TABLE pg_largeobject IN ACCESS EXCLUSIVE MODE")
      thread = in_thread { object.truncate(2) }
      wait_until_running(connection.backend_pid, "lo_truncate")
      thread
    end

    { "by Thread#kill" => lambda(&:kill), "by Thread#raise" => ->(thread) { thread.raise(IndexError) } }.each do |how, interrupt|
      it "#{how} leaves the connection usable after a rollback, and is where it was" do
        object = connection.lobject(committed("content"), "rw")
        object.seek(3)
        thread = truncating(object, holder = connect)
        interrupt.call(thread)
        outcome_of(thread)
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
        holder.rollback
        expect(object.close).to be_nil
        connection.rollback
        expect(connection.lobject(object.oid).read).to eq("content")
      end
    end

    it "while the file that it is made of is read isn't left half done for a commit" do
      count = "SELECT count(*) FROM pg_largeobject_metadata"
      before = connection.execute(count).fetch_value
      Dir.mktmpdir do |folder|
        File.mkfifo(path = File.join(folder, "pipe"))
        making = in_thread { connection.lobject(0, new_file: path) }
        File.open(path, "w") do |pipe|
          pipe.write("x" * 9_000_000) # more than is read before the first of it is sent
          eventually("a part of it is written") { connection.execute(count).fetch_value > before }
          making.raise(IndexError)
          expect(outcome_of(making)).to be_an(IndexError)
        end
      end
      expect(connection.execute(count).fetch_value).to eq(before)
      connection.commit
    end

    it "by the connection's statement_timeout raises QueryCanceledError" do
      impatient = connect(statement_timeout: 0.2)
      object = impatient.lobject(committed("content"), "rw")
      holder = connect
      holder.execute("LOCK TABLE pg_largeobject IN ACCESS EXCLUSIVE MODE")
      expect { object.write("x") }.to raise_error(Pgconn::QueryCanceledError)
      holder.rollback
      impatient.rollback
      expect(content_of(object.oid)).to eq("content")
    end
  end

  it "is refused in a forked child", if: Process.respond_to?(:fork) do
    object = connection.lobject(committed("content"))
    object.eof?
    reader, writer = IO.pipe
    pid = fork do
      object.read
    rescue StandardError => e
      writer.write(e.class.name)
    ensure
      exit!(true)
    end
    writer.close
    Process.wait(pid)
    expect([reader.read, object.read]).to eq(["Pgconn::InterfaceError", "content"])
  end
end
