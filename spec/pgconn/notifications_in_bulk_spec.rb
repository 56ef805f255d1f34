# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Notifications in bulk" do
  let!(:connection) { connect.tap { |made| made.listen("bulk") } }

  # A thread of its own session that sends the numbers, some in each transaction.
  def sending(count)
    sender = connect(autocommit: true)
    in_thread do
      (0...count).each_slice(20) do |numbers|
        sender.execute("SELECT pg_notify('bulk', n::text) FROM unnest($1::int[]) n", [numbers])
      end
    end
  end

  # What a program may do while they come, in turn.
  def work(connection, number)
    case number % 5
    when 0 then connection.execute("SELECT 1")
    when 1 then connection.execute("SELECT 1/0")
    when 2 then connection.execute("SELECT n, repeat('x', 1000) FROM generate_series(1, 500) n").fetch_all
    when 3 then connection.commit
    when 4 then connection.rollback
    end
  rescue Pgconn::DatabaseError
    connection.rollback
  end

  def receive_all(count)
    taken = []
    sender = sending(count)
    number = 0
    while sender.alive?
      work(connection, number += 1)
      while (notify = connection.notifies.shift) do taken << notify.payload end
    end
    value_of(sender)
    connection.rollback
    while taken.size < count && (notify = connection.wait_for_notify(timeout: ConnectionHelpers::SOON))
      taken << notify.payload
    end
    taken
  end

  def expect_each_once(count)
    expect(receive_all(count)).to eq((0...count).map(&:to_s))
    expect(connection.wait_for_notify(timeout: 0.1)).to be_nil
  end

  it "come each once and in order, across commits, rollbacks, errors and large results" do
    expect_each_once(5_000)
  end

  it "come each once and in order: a hundred thousand", :long do
    expect_each_once(100_000)
  end

  # A thread that takes them until it is killed, which it is only while it waits.
  def taking(taken)
    in_thread do
      Thread.handle_interrupt(Object => :on_blocking) do
        loop { taken << connection.wait_for_notify.payload.to_i }
      end
    end
  end

  it "come each once where threads wait, execute and are killed" do
    taken = Queue.new
    connection.autocommit = true
    sender = sending(2_000)
    takers = Array.new(3) { taking(taken) }
    while sender.alive?
      connection.execute("SELECT 1")
      outcome_of(takers.shift.kill)
      takers << taking(taken)
    end
    value_of(sender)
    connection.execute("SELECT 1")
    eventually("all are taken") { taken.size == 2_000 }
    takers.each { |thread| outcome_of(thread.kill) }
    expect(Array.new(taken.size) { taken.pop }.sort).to eq((0...2_000).to_a)
  end

  it "that nobody takes wait in the queue until somebody does" do
    value_of(sending(2_000))
    connection.commit
    connection.execute("SELECT 1")
    connection.commit
    expect(connection.notifies.size).to eq(2_000)
  end

  it "go to handlers in order, while objects are collected at any moment", :gc_stress do
    received = []
    connection.on_notify { |notify| received << notify.payload }
    connection.on_notice { |notice| received << notice.message }
    connection.execute(<<~SQL)
      DO $$ BEGIN
        FOR i IN 1..3 LOOP RAISE NOTICE 'notice %', i; PERFORM pg_notify('bulk', i::text); END LOOP;
      END $$
    SQL
    connection.commit
    expect(received).to eq(["notice 1", "notice 2", "notice 3", "1", "2", "3"])
  end
end
