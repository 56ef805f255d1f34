# frozen_string_literal: true

require "spec_helper"
require "English"
require "timeout"

RSpec.describe "An interrupted transaction { }" do
  include_context "ledger"

  let(:connection) { connect(autocommit: true) }

  # A thread that has inserted the row in a block, and then runs what is given in it.
  def in_block(id, &rest)
    inside = Queue.new
    thread = in_thread do
      connection.transaction do
        insert(id)
        inside << true
        rest.call
      end
    end
    inside.pop
    thread
  end

  def sleep_in_server = connection.execute("SELECT pg_sleep(30)")

  def wait_until_sleeping = wait_until_running(connection.backend_pid, "pg_sleep(30)")

  shared_examples "rolled back" do
    it "is rolled back, and the connection is usable at once" do
      insert(2)
      expect([committed, status, connection]).to match([[2], :idle, have_attributes(broken?: false)])
    end

    it "is over: another may begin" do
      expect(connection.transaction { insert(3) && status }).to eq(:intrans)
      expect(committed).to eq([3])
    end
  end

  describe "by Thread#kill in a statement" do
    before do
      thread = in_block(1) { sleep_in_server }
      wait_until_sleeping
      elapsed = Elapsed.seconds { expect(outcome_of(thread.kill)).to be_nil }
      expect(elapsed).to be < ConnectionHelpers::SOON
    end

    include_examples "rolled back"
  end

  describe "by Thread#kill between statements" do
    before do
      thread = in_block(1) { sleep }
      eventually("it sleeps") { thread.stop? }
      expect(outcome_of(thread.kill)).to be_nil
    end

    include_examples "rolled back"

    it "is rolled back on the server, though nobody uses the connection" do
      eventually("the ROLLBACK has come") { backend_state(connection.backend_pid) == "idle" }
      expect(committed).to eq([])
    end
  end

  describe "by Thread#raise" do
    before do
      thread = in_block(1) { sleep_in_server }
      wait_until_sleeping
      thread.raise(KeyError, "from outside")
      expect(outcome_of(thread)).to be_a(KeyError)
    end

    include_examples "rolled back"
  end

  describe "by Timeout in a statement" do
    before do
      elapsed = Elapsed.seconds do
        expect { Timeout.timeout(0.2) { connection.transaction { insert(1) && sleep_in_server } } }.to raise_error(Timeout::Error)
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end

    include_examples "rolled back"
  end

  %i[commit rollback].each do |ending|
    it "by Timeout may be followed by #{ending}, which has nothing to end" do
      expect { Timeout.timeout(0.2) { connection.transaction { insert(1) && connection.execute("SELECT pg_sleep(30)") } } }
        .to raise_error(Timeout::Error)
      connection.public_send(ending)
      expect([committed, status]).to eq([[], :idle])
    end
  end

  describe "by Timeout between statements" do
    before do
      expect { Timeout.timeout(0.2) { connection.transaction { insert(1) && sleep } } }.to raise_error(Timeout::Error)
    end

    include_examples "rolled back"
  end

  describe "by the deadline of a statement" do
    before do
      expect { connection.transaction { insert(1) && connection.execute("SELECT pg_sleep(30)", timeout: 0.2) } }
        .to raise_error(Pgconn::QueryCanceledError)
    end

    include_examples "rolled back"
  end

  describe "in a nested one" do
    it "by Timeout undoes the savepoint, and the outer one goes on" do
      connection.transaction do
        insert(1)
        expect { Timeout.timeout(0.2) { connection.transaction { insert(2) && sleep_in_server } } }.to raise_error(Timeout::Error)
        insert(3)
      end
      expect(committed).to eq([1, 3])
    end

    it "by Timeout in its first statement, which carried BEGIN and SAVEPOINTs, undoes no more than it should" do
      connection.transaction do
        expect { Timeout.timeout(0.2) { connection.transaction { sleep_in_server } } }.to raise_error(Timeout::Error)
        insert(1)
        connection.transaction { insert(2) }
      end
      expect([committed, status]).to eq([[1, 2], :idle])
    end

    it "by a kill rolls back all of it" do
      thread = in_block(1) { connection.transaction { insert(2) && sleep_in_server } }
      wait_until_sleeping
      expect(outcome_of(thread.kill)).to be_nil
      insert(3)
      expect(committed).to eq([3])
    end
  end

  describe "that waits for its ROLLBACK" do
    # The peer falls silent before it, so that it can't be answered.
    def leave_silently(connection, proxy)
      connection.transaction do
        connection.execute("INSERT INTO ledger VALUES (1)")
        proxy.stall
        raise IndexError, "mine"
      end
    end

    # Interrupts it there, as the block says.
    def silently
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, autocommit: true, cancel_timeout: 30)
        thread = in_thread { leave_silently(connection, proxy) }
        eventually("it waits") { proxy.stalled? && thread.stop? }
        yield thread
        proxy.resume
        expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
        expect([committed, connection.transaction_status]).to eq([[], 0])
        connection.close
      end
    end

    it "loses it to no second interrupt" do
      silently { |thread| expect(outcome_of(thread.kill)).to be_nil }
      silently do |thread|
        thread.raise(KeyError)
        expect(outcome_of(thread)).to be_a(KeyError)
      end
    end

    it "waits no longer than cancel_timeout, and the block's exception comes out" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, autocommit: true, cancel_timeout: 0.2)
        expect { leave_silently(connection, proxy) }.to raise_error(IndexError, "mine")
        proxy.resume
        expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
        expect(committed).to eq([])
        connection.close
      end
    end
  end

  it "by a kill in its COMMIT is committed or rolled back, and over" do
    20.times do |id|
      thread = in_block(id) { nil }
      thread.kill.join
      connection.transaction { insert(100 + id) }
    end
    expect(committed & (100..119).to_a).to eq((100..119).to_a)
    expect(status).to eq(:idle)
  end

  it "at any moment is over, however often, and so is what it was in" do
    random = Random.new(RSpec.configuration.seed)
    50.times do |number|
      thread = in_thread do
        loop do
          connection.transaction do
            connection.execute("SELECT 1")
            connection.transaction do
              connection.execute("SELECT 2")
              raise Pgconn::Rollback if random.rand < 0.5
            end
          end
        end
      end
      Elapsed.now.then { |start| Thread.pass until Elapsed.now > start + random.rand * 0.005 }
      outcome_of(thread.kill)
      expect(connection.transaction { connection.execute("SELECT $1::int", [number]).fetch_value }).to eq(number)
      expect(status).to eq(:idle)
    end
    expect(connection.notices).to eq([])
  end

  describe "by the loss of its connection" do
    def kill_backend = connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    it "raises ConnectionLost where the block has killed its own backend" do
      expect { connection.transaction { insert(1) && kill_backend } }.to raise_error(Pgconn::ConnectionLost)
      expect([committed, status]).to eq([[], :unknown])
    end

    it "raises the block's own exception" do
      expect do
        connection.transaction do
          insert(1)
          expect { kill_backend }.to raise_error(Pgconn::ConnectionLost)
          raise IndexError, "mine"
        end
      end.to raise_error(IndexError, "mine")
    end

    it "is never reported as committed" do
      expect do
        connection.transaction do
          insert(1)
          expect { kill_backend }.to raise_error(Pgconn::ConnectionLost)
        end
      end.to raise_error(Pgconn::ConnectionLost)
      expect { connection.transaction { nil } }.to raise_error(Pgconn::ConnectionLost)
    end

    it "raises ConnectionLost where it is noticed at the COMMIT, with the outcome unknown" do
      expect do
        connection.transaction do
          insert(1)
          observer.execute("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
          eventually("the session has ended") { backend_state(connection.backend_pid).nil? }
        end
      end.to raise_error(Pgconn::ConnectionLost) { |error| expect(error.outcome).to eq(:unknown) }
    end

    it "raises InterfaceError where the block has closed it" do
      expect { connection.transaction { insert(1) && connection.close } }.to raise_error(Pgconn::InterfaceError)
      expect { connection.transaction { nil } }.to raise_error(Pgconn::InterfaceError)
      expect(committed).to eq([])
    end
  end

  it "by a fork: the child's way out of the block sends nothing, and the parent goes on" do
    connection.transaction do
      insert(1)
      child = fork { leave_in_child }
      Timeout.timeout(ConnectionHelpers::SOON) { Process.wait(child) }
      expect($CHILD_STATUS.exitstatus).to eq(7)
      insert(2)
    end
    expect(committed).to eq([1, 2])
  end

  # Out of a block that the child has opened, which it can't; the parent's it would leave by exiting.
  def leave_in_child
    connection.transaction { nil }
  rescue Pgconn::InterfaceError
    exit!(7)
  end
end
