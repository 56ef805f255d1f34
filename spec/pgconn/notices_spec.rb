# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Notices" do
  let(:connection) { connect(autocommit: true) }
  let(:received) { [] }

  def raising(*texts)
    raises = texts.map { |text| "RAISE NOTICE '#{text}';" }
    "DO $$ BEGIN #{raises.join(" ")} END $$"
  end

  def notice(*texts)
    connection.execute(raising(*texts))
  end

  def receive
    connection.on_notice { |notice| received << notice.message }
  end

  describe "without a handler" do
    it "are the last 50 texts, in the server's order" do
      notice(*1..60)
      expect(connection.notices).to eq((11..60).map { |number| "NOTICE:  #{number}\n" })
    end

    it "can be read when the connection has ended" do
      notice("last")
      connection.close
      expect(connection.notices).to eq(["NOTICE:  last\n"])
    end

    it "have the encoding that the session had when they came" do
      latin = connect(autocommit: true, client_encoding: "LATIN1")
      latin.execute(raising("sécond"))
      latin.execute("SET client_encoding TO UTF8")
      latin.execute(raising("thïrd"))
      expect(latin.notices.map(&:encoding)).to eq([Encoding::ISO_8859_1, Encoding::UTF_8])
      expect(latin.notices.map { |text| text.encode("UTF-8") }).to eq(["NOTICE:  sécond\n", "NOTICE:  thïrd\n"])
    end
  end

  describe "with a handler" do
    it "come with all their fields" do
      connection.on_notice { |notice| received << notice }
      connection.execute(<<~SQL)
        DO $$ BEGIN
          RAISE WARNING 'careful' USING ERRCODE = '01008', DETAIL = 'more', HINT = 'do', SCHEMA = 's', TABLE = 't',
            COLUMN = 'c', DATATYPE = 'd', CONSTRAINT = 'n';
        END $$
      SQL
      expect(received).to contain_exactly(
        have_attributes(severity: "WARNING", sqlstate: "01008", message: "careful", detail: "more", hint: "do",
                        schema: "s", table: "t", column: "c", datatype: "d", constraint: "n", position: nil,
                        context: /inline_code_block/, source_file: "pl_exec.c", source_line: /\A\d+\z/,
                        source_function: "exec_stmt_raise")
      )
      expect(received.first).to be_a(Pgconn::Notice).and be_frozen.and(satisfy { |value| Ractor.shareable?(value) })
    end

    it "have their position as a number" do
      connection.on_notice { |notice| received << notice.position }
      connection.execute("SET escape_string_warning TO on")
      connection.execute("SET standard_conforming_strings TO off")
      connection.execute("SELECT 'a\\\\b'")
      expect(received).to eq([8])
    end

    it "are equal to a Notice of the same fields, and survive Marshal" do
      connection.on_notice { |notice| received << notice }
      notice("one")
      made = Pgconn::Notice.new(received.first.to_s, **received.first.to_h)
      copy = Marshal.load(Marshal.dump(received.first))
      expect([made, copy]).to all(eq(received.first).and(be_frozen))
      expect([made.to_s, copy.to_s]).to eq(["NOTICE:  one\n"] * 2)
    end

    it "have the text that `notices` has, which gets them all the same" do
      connection.on_notice { |notice| received << notice.to_s }
      notice("one", "two")
      expect(received).to eq(["NOTICE:  one\n", "NOTICE:  two\n"]).and eq(connection.notices)
    end

    it "come in the server's order, however many a command raises" do
      receive
      connection.execute("DO $$ BEGIN FOR i IN 1..10000 LOOP RAISE NOTICE '%', i; END LOOP; END $$")
      expect(received).to eq((1..10_000).map(&:to_s))
    end

    it "go to each handler that was added, in the order of adding" do
      connection.on_notice { received << :first }
      connection.on_notice { received << :second }
      notice("one", "two")
      expect(received).to eq(%i[first second first second])
    end

    it "go to no handler that was removed" do
      handler = receive
      notice("one")
      2.times { handler.remove }
      notice("two")
      expect(received).to eq(["one"])
    end

    it "go to no handler that another one has just removed" do
      handler = nil
      connection.on_notice { handler.remove }
      handler = receive
      notice("one")
      expect(received).to eq([])
    end

    it "that came before it was added aren't for it" do
      notice("before")
      receive
      notice("after")
      expect(received).to eq(["after"])
    end

    it "come when the result of their command is whole" do
      cursor = connection.cursor
      connection.execute(<<~SQL)
        CREATE FUNCTION pg_temp.loud() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''loud''; RETURN 7; END'
      SQL
      connection.on_notice { received << cursor.fetch_value }
      cursor.execute("SELECT pg_temp.loud()")
      expect(received).to eq([7])
    end

    it "come in the thread whose command brought them" do
      connection.on_notice { received << Thread.current }
      threads = Array.new(3) { |number| in_thread { notice(number) }.tap { |thread| value_of(thread) } }
      expect(received).to eq(threads)
    end

    it "of a failed statement come ahead of its exception" do
      receive
      expect { connection.execute("DO $$ BEGIN RAISE NOTICE 'before'; RAISE 'failed'; END $$") }
        .to raise_error(Pgconn::Errors::RaiseException) { received << :raised }
      expect(received).to eq(["before", :raised])
    end

    it "of a commit come with it" do
      connection = connect
      connection.on_notice { |notice| received << notice.message }
      connection.execute(<<~SQL)
        CREATE TEMP TABLE t (id int);
      SQL
      connection.execute(<<~SQL)
        CREATE FUNCTION pg_temp.loud() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''deferred''; RETURN NULL; END'
      SQL
      connection.execute(<<~SQL)
        CREATE CONSTRAINT TRIGGER loud AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION pg_temp.loud()
      SQL
      connection.execute("INSERT INTO t VALUES (1)")
      expect { connection.commit }.to change { received.dup }.from([]).to(["deferred"])
    end

    it "don't come between a statement and the question for the types of its parameters" do
      connection.execute("CREATE TEMP TABLE t (id int)")
      connection.listen("c")
      observer.notify("c")
      connection.on_notify { received << connection.execute("SELECT count(*) FROM t").fetch_value }
      # The Array makes the driver ask first; the answer to that brings the notification.
      connection.execute("INSERT INTO t SELECT unnest($1::int[])", [[1, 2]])
      expect(received).to eq([2])
    end

    it "need a block" do
      expect { connection.on_notice }.to raise_error(ArgumentError, /block/)
      expect { connection.on_notify }.to raise_error(ArgumentError, /block/)
    end
  end

  describe "a handler that raises" do
    it "raises out of the command, which is done; the connection is in step" do
      connection.execute("CREATE TEMP TABLE t (id int)")
      connection.on_notice { raise KeyError, "from the handler" }
      expect { connection.execute("DO $$ BEGIN INSERT INTO t VALUES (1); RAISE NOTICE 'n'; END $$") }
        .to raise_error(KeyError, "from the handler")
      expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(1)
    end

    it "leaves the result with the cursor" do
      cursor = connection.cursor
      connection.on_notice { raise KeyError }
      expect { cursor.execute(raising("n")) }.to raise_error(KeyError)
      expect(cursor.statusmessage).to eq("DO")
    end

    it "leaves all results of several statements with the cursor" do
      cursor = connection.cursor
      connection.on_notice { raise KeyError }
      expect { cursor.execute("#{raising("n")}; SELECT 2") }.to raise_error(KeyError)
      expect([cursor.statusmessage, cursor.next_result, cursor.fetch_value]).to eq(["DO", true, 2])
    end

    it "doesn't hide the statement's own error, as a tracer doesn't" do
      connection.on_notice { raise KeyError }
      expect { connection.execute("DO $$ BEGIN RAISE NOTICE 'before'; RAISE 'failed'; END $$") }
        .to raise_error(Pgconn::Errors::RaiseException, /failed/) { |error| expect(error.cause).to be_nil }
    end

    it "doesn't hide that a transaction was lost, nor keeps it from being run again" do
      connection.on_notice { raise KeyError }
      failing = "DO $$ BEGIN RAISE NOTICE 'n'; RAISE 'once more' USING ERRCODE = '40001'; END $$"
      runs = 0
      connection.transaction(retries: 1) { (runs += 1) == 1 && connection.execute(failing) }
      expect(runs).to eq(2)
      connection.listen("c")
      connection.on_notify { raise KeyError }
      connection.execute("BEGIN")
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      observer.notify("c")
      expect { connection.commit }.to raise_error(Pgconn::Errors::InFailedSqlTransaction, /nothing is committed/)
    end

    it "hides it where it throws, or is killed" do
      connection.on_notice { throw :out, :thrown }
      expect(catch(:out) { connection.execute("DO $$ BEGIN RAISE NOTICE 'before'; RAISE 'failed'; END $$") }).to eq(:thrown)
    end

    it "leaves the other messages of a statement that failed to the next command" do
      connection.on_notice { |notice| received << notice.message && raise(KeyError) }
      expect { connection.execute("DO $$ BEGIN RAISE NOTICE 'a'; RAISE NOTICE 'b'; RAISE 'failed'; END $$") }
        .to raise_error(Pgconn::Errors::RaiseException)
      expect { connection.execute("SELECT 1") }.to raise_error(KeyError)
      expect(received).to eq(%w[a b])
    end

    it "loses none of the other messages: they are delivered with the next command" do
      connection.on_notice do |notice|
        received << [1, notice.message]
        raise KeyError if notice.message == "b"
      end
      connection.on_notice { |notice| received << [2, notice.message] }
      expect { notice("a", "b", "c") }.to raise_error(KeyError)
      expect(received).to eq([[1, "a"], [2, "a"], [1, "b"]])
      connection.execute("SELECT 1")
      expect(received.drop(3)).to eq([[2, "b"], [1, "c"], [2, "c"]])
    end
  end

  describe "a handler that uses the connection" do
    it "gets its results" do
      connection.on_notice { |notice| received << connection.execute("SELECT $1::text", [notice.message]).fetch_value }
      notice("a", "b")
      expect(received).to eq(%w[a b])
    end

    it "isn't called for the notices of its own command before the next one" do
      connection.on_notice do |notice|
        received << notice.message
        notice("#{notice.message}+")
      end
      notice("a")
      expect(received).to eq(["a"])
      connection.execute("SELECT 1")
      expect(received).to eq(["a", "a+"])
    end

    it "may close it" do
      connection.on_notice { connection.close }
      notice("a")
      expect(connection).to be_closed
    end
  end

  describe "when a call is interrupted" do
    it "are delivered with the next command" do
      receive
      running = in_thread { connection.execute("DO $$ BEGIN RAISE NOTICE 'early'; PERFORM pg_sleep(30); END $$") }
      wait_until_running(connection.backend_pid, "pg_sleep")
      outcome_of(running.kill)
      expect(received).to eq([])
      connection.execute("SELECT 1")
      expect(received).to eq(["early"])
    end

    it "are delivered from where a killed handler has stopped" do
      stuck = Queue.new
      connection.on_notice do |notice|
        received << notice.message
        stuck.push(true) && sleep if notice.message == "b"
      end
      running = in_thread { notice("a", "b", "c") }
      stuck.pop
      outcome_of(running.kill)
      connection.execute("SELECT 1")
      expect(received).to eq(%w[a b c])
    end
  end

  describe "from several threads" do
    it "are delivered by one at a time, in order, and none is lost" do
      inside = 0
      connection.on_notice do |notice|
        inside += 1
        Thread.pass
        received << [inside, notice.message]
        inside -= 1
      end
      threads = Array.new(4) { |thread| in_thread { 50.times { |number| notice("#{thread} #{number}") } } }
      threads.each { |thread| value_of(thread) }
      connection.execute("SELECT 1")
      expect(received.map(&:first).uniq).to eq([1])
      by_thread = received.map { |_, text| text.split.map(&:to_i) }.group_by(&:first)
      expect(by_thread.transform_values { |list| list.map(&:last) }).to eq((0..3).to_h { |thread| [thread, (0...50).to_a] })
    end

    it "don't hold up a thread whose messages another one delivers" do
      gate = Queue.new
      inside = Queue.new
      connection.on_notice do |notice|
        received << notice.message
        next unless notice.message == "first"

        inside << true
        gate.pop
      end
      first = in_thread { notice("first") }
      inside.pop
      value_of(in_thread { notice("second") })
      expect(received).to eq(["first"])
      gate << true
      value_of(first)
      expect(received).to eq(%w[first second])
    end
  end
end
