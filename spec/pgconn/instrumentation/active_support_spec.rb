# frozen_string_literal: true

require "spec_helper"
require "pgconn/instrumentation/active_support"

RSpec.describe Pgconn::Instrumentation::ActiveSupport do
  let(:connection) { connect(autocommit: true).tap { |conn| conn.tracer = described_class.new } }
  let(:notifications) { ActiveSupport::Notifications }
  let(:received) { [] }

  after { @subscriptions&.each { |subscription| notifications.unsubscribe(subscription) } }

  # What the subscriber is told while the block runs.
  def subscribe(method = :subscribe, name = "sql.pgconn", subscriber = nil, &block)
    (@subscriptions ||= []) << (subscriber ? notifications.public_send(method, name, subscriber) : notifications.public_send(method, name, &block))
  end

  it "is required by name only: pgconn itself knows nothing of ActiveSupport" do
    ended = RubyProcess.run("print defined?(ActiveSupport).inspect, defined?(Pgconn::Instrumentation).inspect")
    expect(ended.output).to eq("nilnil")
  end

  it "publishes sql.pgconn with the SQL, the rows and the connection" do
    subscribe { |*, payload| received << payload }
    connection.execute("SELECT generate_series(1, 3)")
    expect(received).to eq([{ sql: "SELECT generate_series(1, 3)", row_count: 3, connection: connection }])
  end

  it "publishes an error as ActiveSupport does: its class and message, and itself" do
    subscribe { |*, payload| received << payload }
    expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero) { |error|
      expect(received.first).to include(row_count: nil, exception: ["Pgconn::Errors::DivisionByZero", "division by zero"],
                                        exception_object: error)
    }
  end

  it "gives subscribers with five arguments the Times when it began and ended" do
    subscribe { |name, started, finished, id, _payload| received.push(name, started, finished, id) }
    connection.execute("SELECT pg_sleep(0.05)")
    name, started, finished, id = received
    expect([name, id]).to eq(["sql.pgconn", notifications.instrumenter.id])
    expect(finished - started).to be_between(0.05, ConnectionHelpers::SOON)
    expect(Time.now - started).to be_between(0.05, ConnectionHelpers::SOON) # a Time, and the right one
  end

  it "gives monotonic subscribers seconds of the monotonic clock" do
    subscribe(:monotonic_subscribe) { |_name, started, finished, *| received.push(started, finished) }
    before = Elapsed.now
    connection.execute("SELECT pg_sleep(0.05)")
    started, finished = received
    expect(started).to be_between(before, Elapsed.now)
    expect(finished).to be_between(started + 0.05, Elapsed.now)
  end

  it "gives subscribers with one argument an Event with its duration in milliseconds" do
    subscribe { |event| received << event }
    connection.execute("SELECT pg_sleep(0.05)")
    event = received.first
    expect(event).to be_a(notifications::Event)
    expect([event.name, event.payload[:sql]]).to eq(["sql.pgconn", "SELECT pg_sleep(0.05)"])
    expect(event.duration).to be_between(50, ConnectionHelpers::SOON * 1000)
  end

  it "gives subscribers with publish_event, as ActiveSupport::Subscriber has, the Event" do
    subscriber = Class.new do
      attr_reader :events

      def start(*) = raise("it measures for itself")
      def finish(*) = raise("it measures for itself")
      def publish_event(event) = (@events ||= []) << event
    end.new
    subscribe(:subscribe, "sql.pgconn", subscriber)
    connection.execute("SELECT 1")
    expect(subscriber.events.map { |event| event.payload[:sql] }).to eq(["SELECT 1"])
  end

  it "tells all subscribers, also by pattern, and then raises what the first has raised" do
    subscribe { |_event| raise IOError, "subscriber" }
    subscribe(:subscribe, /pgconn/) { |event| received << event.payload[:sql] }
    expect { connection.execute("SELECT 1") }.to raise_error(IOError, "subscriber")
    expect(received).to eq(["SELECT 1"])
  end

  it "does nothing while nobody has subscribed" do
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    expect(described_class.new.call(Pgconn::TraceEvent.new(connection: nil, sql: "", rows: nil, started: nil, seconds: nil, error: nil))).to be_nil
  end
end
