# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Closing" do
  let(:connection) { connect }

  describe "a connection" do
    it "ends the server's session", :no_leaks do
      pid = connection.backend_pid
      connection.close
      eventually("the session has ended") { backend_state(pid).nil? }
    end

    it "may be done again" do
      expect(connection.close).to be_nil
      expect(connection.close).to be_nil
    end

    it "shows in closed?, and is no loss" do
      expect { connection.close }.to change(connection, :closed?).from(false).to(true)
      expect(connection).not_to be_broken
    end

    it "rolls back what was not committed" do
      connect(autocommit: true).execute("CREATE TABLE closing (id int)")
      connection.execute("INSERT INTO closing VALUES (1)")
      pid = connection.backend_pid
      connection.close
      eventually("the session has ended") { backend_state(pid).nil? }
      expect(observe("SELECT count(*) FROM closing")).to eq(0)
      observer.execute("DROP TABLE closing")
    end

    it "works in a failed transaction" do
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      connection.close
      expect(connection).to be_closed
    end

    it "sends no ROLLBACK and waits for nothing" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port)
        connection.execute("SELECT 1")
        proxy.stall # whoever waits for an answer now, waits for ever
        closing = in_thread { connection.close }
        expect(value_of(closing)).to be_nil
      end
    end

    it "leaves the status UNKNOWN" do
      connection.close
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_UNKNOWN)
    end

    it "makes every method that talks raise InterfaceError" do
      cursor = connection.execute("SELECT 1")
      connection.close
      [-> { connection.execute("SELECT 1") }, -> { connection.cursor }, -> { connection.commit },
       -> { connection.rollback }, -> { cursor.execute("SELECT 1") }].each do |call|
        expect(&call).to raise_error(Pgconn::InterfaceError, /connection already closed/)
      end
    end

    it "closes its cursors" do
      cursor = connection.execute("SELECT 1")
      expect { connection.close }.to change(cursor, :closed?).from(false).to(true)
      expect { cursor.fetch }.to raise_error(Pgconn::InterfaceError)
    end

    it "leaves the rows readable that were fetched", :gc_stress do
      rows = connection.execute("SELECT i, 'text ' || i FROM generate_series(1, 3) i").fetch_all
      connection.close
      expect(rows).to eq([[1, "text 1"], [2, "text 2"], [3, "text 3"]])
    end

    it "wakes those who wait with InterfaceError, the one under way and the ones behind it", :no_leaks do
      connection = connect(autocommit: true)
      running = in_thread { connection.execute("SELECT pg_sleep(30)") }
      wait_until_running(connection.backend_pid, "pg_sleep")
      waiting = in_thread { connection.execute("SELECT 1") }
      eventually("the second thread waits") { waiting.stop? }
      pid = connection.backend_pid
      elapsed = Elapsed.seconds do
        connection.close
        expect([outcome_of(running), outcome_of(waiting)]).to all(be_a(Pgconn::InterfaceError))
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
      observe("SELECT pg_terminate_backend($1::int)", [pid])
    end

    it "happens by itself to a connection that nobody holds any more" do
      Thread.new { 10.times { Pgconn.connect(server.conninfo(application_name: "dropped")) } }.join
      eventually("the sessions have ended") do
        GC.start
        # One or another may still be found on the machine's stack.
        observe("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dropped'") <= 2
      end
    end
  end

  describe "a cursor" do
    let(:cursor) { connection.execute("SELECT 1") }

    it "may be done again, and leaves the connection open" do
      expect { 2.times { cursor.close } }.to change(cursor, :closed?).from(false).to(true)
      expect(connection.execute("SELECT 2").fetch_value).to eq(2)
    end

    it "makes its methods raise InterfaceError" do
      cursor.close
      [-> { cursor.execute("SELECT 1") }, -> { cursor.fetch }, -> { cursor.fetch_many(1) }, -> { cursor.fetch_all },
       -> { cursor.fetch_value }, -> { cursor.column(0) }, -> { cursor.each(&:to_a) }].each do |call|
        expect(&call).to raise_error(Pgconn::InterfaceError, /cursor already closed/)
      end
    end

    it "leaves the rows readable that were fetched", :gc_stress do
      row = cursor.fetch
      cursor.close
      expect(row).to eq([1])
    end
  end
end
