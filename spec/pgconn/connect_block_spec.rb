# frozen_string_literal: true

require "spec_helper"
require "timeout"

RSpec.describe "The block of Pgconn.connect" do
  # A connection that tells how its block was ended.
  let(:ended) { [] }
  let(:factory) do
    calls = ended
    Class.new(Pgconn::Connection) do
      define_method(:commit) do
        calls << :commit
        super()
      end
      define_method(:rollback) do
        calls << :rollback
        super()
      end
    end
  end

  def open(&block)
    Pgconn.connect(server.conninfo, connection_factory: factory, &block)
  end

  def leave_by_return
    open do |connection|
      connection.execute("SELECT 1")
      return :returned
    end
  end

  it "commits at its end, and gives its value" do
    expect(open { |connection| connection.execute("SELECT 1").fetch_value }).to eq(1)
    expect(ended).to eq([:commit])
  end

  it "commits when it is left by next, break or return" do
    expect([open { next :next }, open { break :broken }, leave_by_return]).to eq(%i[next broken returned])
    expect(ended).to eq(%i[commit commit commit])
  end

  it "rolls back when it raises, and the exception comes out" do
    expect { open { raise IndexError, "mine" } }.to raise_error(IndexError, "mine")
    expect(ended).to eq([:rollback])
  end

  it "rolls back when something is thrown" do
    expect(catch(:away) { open { throw :away, :thrown } }).to eq(:thrown)
    expect(ended).to eq([:rollback])
  end

  it "rolls back when Timeout ends it" do
    expect { open { |connection| Timeout.timeout(0.1) { connection.execute("SELECT pg_sleep(30)") } } }
      .to raise_error(Timeout::Error)
    expect(ended).to eq([:rollback])
  end

  it "rolls back when its thread is killed" do
    inside = Queue.new
    thread = in_thread do
      open do |connection|
        connection.execute("SELECT 1")
        inside << true
        sleep
      end
    end
    inside.pop
    thread.kill.join
    expect(ended).to eq([:rollback])
  end

  it "gives its value when it has closed the connection itself" do
    expect(open { |connection| connection.close || :closed }).to eq(:closed)
    expect(ended).to eq([])
  end

  it "raises the block's own exception when the connection was closed or lost in it" do
    expect { open { |connection| connection.close || raise(IndexError) } }.to raise_error(IndexError)
    expect { open { |connection| connection.execute("SELECT pg_terminate_backend(pg_backend_pid())") } }
      .to raise_error(Pgconn::ConnectionLost)
  end

  it "raises ConnectionLost when the connection was lost in a block that goes on" do
    expect do
      open do |connection|
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
      rescue Pgconn::ConnectionLost
        :overlooked
      end
    end.to raise_error(Pgconn::ConnectionLost)
  end

  it "closes the connection in any case" do
    connections = []
    open { |connection| connections << connection }
    expect { open { |connection| raise IndexError if connections << connection } }.to raise_error(IndexError)
    expect(connections).to all(be_closed)
  end
end
