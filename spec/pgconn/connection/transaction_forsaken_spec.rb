# frozen_string_literal: true

require "spec_helper"

# A Fiber that nobody resumes any more never comes to the end of its block.
RSpec.describe "A transaction { } that its caller never leaves" do
  include_context "ledger"

  let(:connection) { connect(autocommit: true) }

  def block_in_a_fiber(shared: false)
    Fiber.new do
      connection.transaction(shared: shared) do
        insert(1)
        connection.transaction { insert(2) && Fiber.yield }
      end
    end
  end

  describe "because its thread has ended" do
    # The Fiber outlives its thread, but nobody can resume it.
    def end_a_thread(**options)
      value_of(in_thread { block_in_a_fiber(**options).tap(&:resume) })
    end

    { "a statement" => ->(conn) { conn.execute("SELECT 1") }, "a block" => ->(conn) { conn.transaction { conn.execute("SELECT 1") } },
      "commit" => :commit.to_proc, "rollback" => :rollback.to_proc, "reset" => :reset.to_proc,
      "a setter" => ->(conn) { conn.read_only = false } }.each do |name, call|
      it "is rolled back ahead of #{name}, which needn't wait" do
        fiber = end_a_thread
        value_of(in_thread { call.call(connection) })
        insert(3)
        expect([committed, status, fiber.alive?]).to eq([[3], :idle, true])
      end

      it "is rolled back ahead of #{name}, also where it was shared" do
        fiber = end_a_thread(shared: true)
        value_of(in_thread { call.call(connection) })
        insert(3)
        expect([committed, status, fiber.alive?]).to eq([[3], :idle, true])
      end
    end

    it "lets those go on that wait already" do
      opened = Queue.new
      ending = Queue.new
      owner = in_thread { block_in_a_fiber.tap(&:resume).tap { (opened << true) && ending.pop } }
      opened.pop
      other = in_thread { insert(3) }
      eventually("the other thread waits") { other.stop? }
      ending << true
      fiber = value_of(owner)
      value_of(other)
      expect([committed, status, fiber.alive?]).to eq([[3], :idle, true])
    end
  end

  describe "because its Fiber was dropped, once that is collected," do
    # In the thread of the example, which goes on; from a Fiber, with whose stack the last reference goes.
    def drop_a_fiber
      Fiber.new { block_in_a_fiber.resume }.resume
    end

    def collect(&ended)
      eventually("the Fiber is collected") do
        GC.start
        ended.call
      end
    end

    { "rollback" => :rollback.to_proc, "commit" => :commit.to_proc, "reset" => :reset.to_proc,
      "a setter" => ->(conn) { conn.read_only = false } }.each do |name, call|
      it "is rolled back by #{name}, which raises before" do
        drop_a_fiber
        collect do
          call.call(connection) || true
        rescue Pgconn::ProgrammingError => e
          expect(e.message).to include("inside transaction { }")
          false
        end
        expect([committed, status]).to eq([[], :idle])
        insert(3)
        expect(committed).to eq([3])
      end
    end

    it "is rolled back for another thread that waits" do
      drop_a_fiber
      other = in_thread { insert(3) }
      collect { other.join(0.01) }
      expect([committed, status]).to eq([[3], :idle])
    end
  end

  it "goes on where the Fiber is resumed after all" do
    fiber = block_in_a_fiber
    fiber.resume
    GC.start
    expect { connection.rollback }.to raise_error(Pgconn::ProgrammingError, /inside/)
    fiber.resume
    expect([committed, status]).to eq([[1, 2], :idle])
  end

  it "is collected with its connection, and ends its session" do
    pids = []
    in_dropped_fiber do
      own = Pgconn.connect(server.conninfo)
      pids << own.backend_pid
      own.transaction { own.execute("SELECT 1") && Fiber.yield }
    end
    eventually("the session has ended") { GC.start || backend_state(pids[0]).nil? }
  end
end
