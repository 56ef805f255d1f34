# frozen_string_literal: true

require "spec_helper"

# A sanitizer makes its own system calls.
RSpec.describe "The looks at the socket before a thread sleeps", unless: LoadPath::EXTENSION do
  def looks(script) = TracedLooks.of(script, server.conninfo)

  # The first sixteen waits try both ways in turn, and then one of 64 does. An answer that takes longer than any
  # look takes as long in either way.
  it "end themselves where they don't pay, but for a rare trial" do
    part = looks("connection = connect; mark('slow'); 400.times { sleepy(connection) }").fetch("slow")
    expect(part.looks).to be_between(8, 8 + (400 / 32))
  end

  # Where both ways are tried in turn, the one that sleeps meets the slow answers. Of several connections, for on a
  # machine under load the others may be slow, too.
  it "are what a connection goes on with where its answers came sooner in that way" do
    parts = looks(<<~RUBY)
      8.times do |number|
        connection = connect
        16.times { |number| connection.execute("SELECT pg_sleep($1)", [number.even? ? 0.01 : 0]) }
        mark("quick \#{number}")
        40.times { connection.execute("SELECT pg_sleep($1)", [0]) }
        mark("next")
      end
    RUBY
    sleeps_without_look = Array.new(8) { |number| parts["quick #{number}"].then { |part| part.sleeps - part.given_up_at.size } }
    expect(sleeps_without_look.min).to be < 20
  end

  it "last for a bounded time, after which the thread sleeps" do
    part = looks("connection = connect; mark('slow'); 4.times { connection.execute('SELECT pg_sleep(0.5)') }").fetch("slow")
    expect(part.looks).to eq(2)
    expect(part.given_up_at.size).to eq(2)
    expect(part.given_up_at).to all(be_between(1, 5000))
  end

  it "don't happen where they are turned off" do
    part = looks("connection = connect(busy_poll: false); mark('off'); 20.times { sleepy(connection) }").fetch("off")
    expect(part).to have_attributes(looks: 0, sleeps: be >= 20)
  end

  it "don't happen while another caller waits" do
    parts = looks(<<~RUBY)
      connection = connect
      connection.transaction do
        waiting = Thread.new { connection.execute("SELECT 1") }
        Thread.pass until waiting.stop?
        mark("two callers")
        20.times { sleepy(connection) }
        mark("done")
      end
    RUBY
    expect(parts.fetch("two callers")).to have_attributes(looks: 0, sleeps: be >= 20)
  end

  it "don't happen under a Fiber scheduler" do
    parts = looks(<<~RUBY)
      require "async"
      Sync do
        connection = connect
        mark("scheduler")
        20.times { sleepy(connection) }
        mark("done")
      end
    RUBY
    expect(parts.fetch("scheduler").looks).to eq(0)
  end

  it "don't happen where a callback waits" do
    parts = looks(<<~RUBY)
      Pgconn.wait_callback = lambda do |connection|
        loop do
          events = connection.poll
          break if events == Pgconn::POLL_OK
          connection.to_io.wait(events, 10)
        end
      end
      connection = connect
      mark("callback")
      20.times { sleepy(connection) }
      mark("done")
    RUBY
    expect(parts.fetch("callback").looks).to eq(0)
  end
end
