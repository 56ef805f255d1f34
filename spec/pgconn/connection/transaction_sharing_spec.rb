# frozen_string_literal: true

require "spec_helper"

RSpec.describe "transaction { } on a connection that threads share" do
  include_context "ledger"

  let(:connection) { connect(autocommit: true) }

  # Starts what is given in a thread once the block is open, and waits until that waits.
  def beside(&block)
    in_thread(&block).tap { |thread| eventually("the other thread waits") { thread.stop? } }
  end

  it "keeps the statements of other threads waiting until its end" do
    others = nil
    connection.transaction do
      insert(1)
      others = Array.new(3) { |number| beside { insert(10 + number) && connection.transaction_status } }
      insert(2)
      expect([committed, others.map(&:alive?)]).to eq([[], [true] * 3])
      raise Pgconn::Rollback
    end
    others.each { |thread| value_of(thread) }
    expect(committed).to eq([10, 11, 12])
  end

  it "keeps them waiting also before its first statement, and where it sends none" do
    other = nil
    connection.transaction do
      other = beside { insert(1) }
      expect(committed).to eq([])
    end
    value_of(other)
    expect(committed).to eq([1])
  end

  it "keeps another thread's block waiting, which is a transaction of its own then" do
    other = nil
    connection.transaction do
      insert(1)
      other = beside { connection.transaction(isolation: :serializable) { insert(2) && connection.execute("SHOW transaction_isolation").fetch_value } }
      raise Pgconn::Rollback
    end
    expect([value_of(other), committed]).to eq(["serializable", [2]])
  end

  it "keeps another thread's commit, rollback and setters waiting, which then find no transaction" do
    others = nil
    connection.transaction do
      insert(1)
      others = [beside { connection.rollback }, beside { connection.commit }, beside { connection.read_only = false }]
      insert(2)
    end
    others.each { |thread| value_of(thread) }
    expect([committed, connection.read_only]).to eq([[1, 2], false])
  end

  it "keeps another thread's reset and tpc_begin waiting" do
    connection.autocommit = false
    others = nil
    connection.transaction do
      others = [beside { connection.tpc_begin("two phases") }, beside { connection.reset }]
      insert(1)
    end
    others.each { |thread| value_of(thread) }
    expect([committed, status]).to eq([[1], :idle])
  end

  it "counts the waiting in a timeout: the statement was not sent then" do
    error = nil
    connection.transaction do
      insert(1)
      error = outcome_of(in_thread { connection.execute("INSERT INTO ledger VALUES (9)", timeout: 0.2) })
      insert(2)
    end
    expect(error).to be_a(Pgconn::QueryCanceledError).and have_attributes(outcome: :not_sent)
    expect(committed).to eq([1, 2])
  end

  it "isn't disturbed by a thread that is killed while it waits, and nor are the others" do
    last = nil
    connection.transaction do
      insert(1)
      killed = [beside { insert(8) }, beside { connection.transaction { insert(9) } }]
      last = beside { insert(3) }
      killed.each { |thread| expect(outcome_of(thread.kill)).to be_nil }
      insert(2)
    end
    value_of(last)
    expect(committed).to eq([1, 2, 3])
  end

  it "hands over to those who wait when its thread is killed" do
    inside = Queue.new
    holder = in_thread { connection.transaction { insert(1) && (inside << true) && sleep } }
    inside.pop
    others = Array.new(3) { |number| beside { insert(10 + number) } }
    expect(outcome_of(holder.kill)).to be_nil
    others.each { |thread| value_of(thread) }
    expect(committed).to eq([10, 11, 12])
  end

  it "hands over to those who wait when its thread is killed in a statement" do
    holder = in_thread { connection.transaction { insert(1) && connection.execute("SELECT pg_sleep(30)") } }
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
    other = beside { insert(2) }
    expect(outcome_of(holder.kill)).to be_nil
    value_of(other)
    expect(committed).to eq([2])
  end

  it "wakes those who wait with InterfaceError when the connection is closed" do
    other = nil
    expect do
      connection.transaction do
        other = beside { insert(1) }
        connection.close
      end
    end.to raise_error(Pgconn::InterfaceError)
    expect(outcome_of(other)).to be_a(Pgconn::InterfaceError)
  end

  it "waits itself for a statement of another thread that is under way" do
    holder = connect(autocommit: true)
    holder.execute("SELECT pg_advisory_lock(32)")
    running = in_thread { connection.execute("SELECT 'first' FROM pg_advisory_lock(32)").fetch_value }
    wait_until_running(connection.backend_pid, "'first'")
    block = beside { connection.transaction { insert(1) } }
    holder.close
    expect(value_of(running)).to eq("first")
    value_of(block)
    expect(committed).to eq([1])
  end

  it "gives each of many threads its own transaction" do
    threads = Array.new(4) do |thread|
      in_thread do
        20.times do |number|
          connection.transaction do
            insert((thread * 100) + number)
            raise Pgconn::Rollback if number.odd?
          end
        end
      end
    end
    threads.each { |thread| value_of(thread) }
    expect(committed).to eq(Array.new(4) { |thread| Array.new(10) { |number| (thread * 100) + (number * 2) } }.flatten)
    expect([status, connection.notices]).to eq([:idle, []])
  end

  it "counts an Enumerator's fiber as its thread" do
    rows = Enumerator.new { |yielder| 2.times { |number| yielder << insert(number).rowcount } }
    connection.transaction do
      expect([rows.next, insert(5).rowcount, rows.next]).to eq([1, 1, 1])
    end
    expect(committed).to eq([0, 1, 5])
  end

  it "takes true, false and nil as shared, and nothing that might be meant as one of them" do
    expect([true, false, nil].map { |shared| connection.transaction(shared: shared) { :run } }).to eq([:run] * 3)
    expect { connection.transaction(shared: "no") { insert(1) } }.to raise_error(ArgumentError, /shared must be true, false or nil/)
    expect(committed).to eq([])
  end

  describe "with shared: true" do
    it "lets threads take part that it starts and waits for" do
      connection.transaction(shared: true) do
        Array.new(4) { |number| in_thread { insert(number) } }.each { |thread| value_of(thread) }
        expect(committed).to eq([])
      end
      expect(committed).to eq([0, 1, 2, 3])
    end

    it "begins once, whoever has the first statement" do
      connection.transaction(shared: true) do
        ids = Array.new(4) { in_thread { connection.execute("SELECT pg_current_xact_id()::text").fetch_value } }
        expect(ids.map { |thread| value_of(thread) }.uniq.size).to eq(1)
      end
      expect([status, connection.notices]).to eq([:idle, []])
    end

    it "lets nobody end it, or change the session" do
      connection.transaction(shared: true) do
        insert(1)
        [:commit.to_proc, :rollback.to_proc, :reset.to_proc, ->(shared) { shared.read_only = true }].each do |call|
          expect(outcome_of(in_thread { call.call(connection) })).to be_a(Pgconn::ProgrammingError)
        end
      end
      expect(committed).to eq([1])
    end

    it "takes another thread's block as a savepoint, that holds the line until it ends" do
      connection.transaction(shared: true) do
        inside = Queue.new
        go_on = Queue.new
        other = in_thread { connection.transaction { insert(2) && (inside << true) && go_on.pop && raise(Pgconn::Rollback) } }
        inside.pop
        mine = beside { insert(1) }
        go_on << true
        expect(value_of(other)).to be_nil
        value_of(mine)
      end
      expect(committed).to eq([1])
    end

    it "ends only after the blocks that others have opened in it" do
      inside = Queue.new
      go_on = Queue.new
      other = nil
      outer = in_thread do
        connection.transaction(shared: true) do
          other = in_thread { connection.transaction { (inside << true) && go_on.pop && insert(1) } }
          inside.pop
        end
      end
      eventually("it waits for the inner one") { outer.stop? && other&.stop? }
      expect(committed).to eq([])
      go_on << true
      [other, outer].each { |thread| value_of(thread) }
      expect([committed, status]).to eq([[1], :idle])
    end

    # Another thread's shared block in one of this thread's; the other goes on when it is told.
    def with_inner_block(inside, go_on)
      in_thread do
        connection.transaction(shared: true) do
          insert(1)
          inside << true
          go_on.pop
        end
      end
    end

    it "commits also where another thread's shared block ends only after its own end was reached" do
      inside = Queue.new
      go_on = Queue.new
      other = nil
      outer = in_thread do
        connection.transaction(shared: true) do
          other = with_inner_block(inside, go_on)
          inside.pop
        end
      end
      eventually("it waits for the inner one") { outer.stop? && other&.stop? }
      go_on << true
      [other, outer].each { |thread| value_of(thread) }
      expect([committed, status]).to eq([[1], :idle])
    end

    it "takes nothing in that comes after its end, which waits for another thread's shared block" do
      inside = Queue.new
      go_on = Queue.new
      other = nil
      later = in_thread do
        connection.transaction(shared: true) do
          other = with_inner_block(inside, go_on)
          inside.pop
          raise Pgconn::Rollback
        end
        connection.transaction { insert(2) }
        insert(3)
      end
      eventually("it waits for the inner one") { later.stop? && other&.stop? }
      go_on << true
      [other, later].each { |thread| value_of(thread) }
      expect([committed, status]).to eq([[2, 3], :idle])
    end
  end
end
