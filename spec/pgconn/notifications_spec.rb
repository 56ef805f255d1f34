# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Notifications" do
  let(:connection) { connect(autocommit: true) }
  let(:received) { [] }

  # What has come by now.
  def payloads(connection = self.connection)
    connection.execute("SELECT 1")
    connection.rollback
    connection.notifies.map(&:payload)
  end

  def channels(connection = self.connection)
    connection.execute("SELECT pg_listening_channels()").column(0)
  end

  describe "a channel" do
    ["jobs", "Jobs", "two words", 'a "quoted" one', "with'quote", "back\\slash", "größe", "select", "x" * 63,
     "ü" * 31].each do |name|
      it "may be called #{name}" do
        connection.listen(name)
        connection.notify(name, "seen")
        expect(channels).to eq([name])
        expect(connection.notifies).to eq([Pgconn::Notify.new(connection.backend_pid, name, "seen")])
        connection.unlisten(name)
        expect(channels).to eq([])
      end
    end

    it "may be a Symbol" do
      connection.listen(:jobs)
      connection.notify(:jobs)
      expect(connection.notifies.map(&:channel)).to eq(["jobs"])
      connection.unlisten(:jobs)
      expect(channels).to eq([])
    end

    %w[UTF-16LE UTF-32BE ISO-8859-1 ASCII-8BIT].each do |encoding|
      it "may be named in #{encoding}" do
        name = encoding == "ASCII-8BIT" ? "\u{E9}\"".b : "\u{E9}\"".encode(encoding)
        connection.listen(name)
        connection.notify(name, "seen")
        expect([channels, connection.notifies.map(&:channel)]).to eq([["\u{E9}\""], ["\u{E9}\""]])
        connection.unlisten(name)
        expect(channels).to eq([])
      end
    end

    { "is empty" => "", "has a NUL byte" => "a\0b", "has 64 bytes" => "x" * 64,
      "has 64 bytes, though less characters" => "ü" * 32 }.each do |what, name|
      it "whose name #{what} is an ArgumentError, and nothing is sent" do
        calls = [-> { connection.listen("fine", name) }, -> { connection.unlisten(name) }, -> { connection.notify(name) }]
        expect(calls).to all(raise_error(ArgumentError, /channel/))
        expect([channels, connection.notices]).to eq([[], []])
      end
    end

    it "whose name isn't valid text is a DataError" do
      [-> { connection.listen("a\xFF") }, -> { connection.notify("a\xFF") }].each do |call|
        expect(&call).to raise_error(Pgconn::DataError, /channel.*valid UTF-8/)
      end
    end

    it "that is neither String nor Symbol is a TypeError" do
      expect { connection.listen(1) }.to raise_error(TypeError, /Integer/)
      expect { connection.notify(nil) }.to raise_error(TypeError, /NilClass/)
    end

    it "has as many bytes as the server counts, whatever the client's encoding" do
      latin = connect(client_encoding: "LATIN1")
      expect { latin.listen(("ü" * 32).encode("ISO-8859-1")) }.to raise_error(ArgumentError, /63 bytes/)
      latin.listen(("ü" * 31).encode("ISO-8859-1"))
      expect(channels(latin)).to eq([("ü" * 31).encode("ISO-8859-1")])
    end
  end

  describe "#listen" do
    it "takes several channels in one round trip" do
      through_proxy do |proxy|
        connection = connect_tcp(host: proxy.host, port: proxy.port)
        connection.listen("warm")
        expect(proxy.round_trips { expect(connection.listen("a", "b", :c)).to be_nil }).to eq(1)
        expect(channels(connection)).to contain_exactly("warm", "a", "b", "c")
      end
    end

    it "needs at least one" do
      expect { connection.listen }.to raise_error(ArgumentError)
    end
  end

  describe "#unlisten" do
    it "takes several channels" do
      connection.listen("a", "b", "c")
      connection.unlisten("a", "c")
      expect(channels).to eq(["b"])
    end

    it "without one means all" do
      connection.listen("a", "b")
      expect(connection.unlisten).to be_nil
      expect(channels).to eq([])
    end

    it "leaves what has come" do
      connection.listen("a")
      connection.notify("a", "1")
      connection.unlisten
      expect(connection.notifies.map(&:payload)).to eq(["1"])
    end
  end

  describe "#notify" do
    before { connection.listen("c") }

    it "sends '' without a payload" do
      connection.notify("c")
      connection.notify("c", nil)
      expect(connection.notifies.map(&:payload)).to eq(["", ""])
    end

    ["it's", "back\\slash", '"', "$1 :name", "größe", "line\nline", "x" * 7999].each do |payload|
      it "sends #{payload[0, 20].inspect} as it is" do
        expect(observer.notify("c", payload)).to be_nil
        expect(payloads).to eq([payload])
      end
    end

    it "sends numbers and Symbols as texts, and bytes as the text that they are" do
      connection.notify("c", 42)
      connection.notify("c", :done)
      connection.notify("c", "größe".b)
      expect(connection.notifies.map(&:payload)).to eq(%w[42 done größe])
    end

    it "gets the server's error for a payload of more than 7999 bytes" do
      expect { connection.notify("c", "x" * 8000) }.to raise_error(Pgconn::DataError, /payload string too long/)
      expect(payloads).to eq([])
    end

    it "is a DataError for a NUL byte, and for what isn't text" do
      expect { connection.notify("c", "a\0b") }.to raise_error(Pgconn::DataError, /NUL/)
      expect { connection.notify("c", { a: 1 }) }.to raise_error(Pgconn::DataError, /Hash/)
    end
  end

  [true, false].each do |autocommit|
    describe "with autocommit #{autocommit ? "on" : "off"}, outside of a transaction" do
      let(:connection) { connect(autocommit: autocommit) }

      it "listening takes effect at once" do
        connection.listen("c")
        expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
        observer.notify("c", "1")
        expect(payloads).to eq(["1"])
      end

      it "a notification is sent at once" do
        observer.listen("c")
        connection.notify("c", "1")
        expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
        expect(payloads(observer)).to eq(["1"])
      end

      it "listening ends at once" do
        connection.listen("c")
        connection.unlisten("c")
        observer.notify("c")
        expect(payloads).to eq([])
      end
    end
  end

  describe "inside a transaction" do
    let(:connection) { connect }

    before { connection.execute("SELECT 1") }

    it "listening takes effect at the commit" do
      connection.listen("c")
      observer.notify("c", "too early")
      connection.commit
      observer.notify("c", "in time")
      expect(payloads).to eq(["in time"])
    end

    it "listening ends with a rollback" do
      connection.listen("c")
      connection.rollback
      observer.notify("c")
      expect(payloads).to eq([])
      expect(channels).to eq([])
    end

    it "a notification is sent at the commit, and not at all by a rollback" do
      observer.listen("c")
      connection.notify("c", "rolled back")
      connection.rollback
      connection.execute("SELECT 1")
      connection.notify("c", "committed")
      expect(payloads(observer)).to eq([])
      connection.commit
      expect(payloads(observer)).to eq(["committed"])
    end

    it "that has failed, they are the server's error" do
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      [-> { connection.listen("c") }, -> { connection.unlisten }, -> { connection.notify("c") }].each do |call|
        expect(&call).to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      end
    end
  end

  describe "as the first statements of a transaction" do
    def undone(conn = connection)
      conn.transaction do
        yield
        raise Pgconn::Rollback
      end
    end

    it "are undone with a block that rolls back" do
      observer.listen("c")
      undone { connection.notify("c", "undone") }
      undone { connection.listen("d") }
      expect(payloads(observer)).to eq([])
      expect(channels).to eq([])
    end

    it "take effect with a block that commits" do
      observer.listen("c")
      connection.transaction { connection.notify("c", "done") }
      connection.transaction { connection.listen("d") }
      expect(payloads(observer)).to eq(["done"])
      expect(channels).to eq(["d"])
    end

    it "are undone with a nested block alone, also where that fails" do
      observer.listen("c")
      connection.transaction do
        connection.execute("SELECT 1")
        undone { connection.notify("c", "undone") }
        expect { connection.transaction { connection.notify("c", "x" * 8000) } }.to raise_error(Pgconn::DatabaseError)
        connection.notify("c", "done")
      end
      expect(payloads(observer)).to eq(["done"])
    end

    it "are undone with a two-phase transaction" do
      observer.listen("c")
      two_phase = connect
      two_phase.tpc_begin("x")
      two_phase.notify("c", "undone")
      two_phase.tpc_rollback
      expect(payloads(observer)).to eq([])
    end
  end

  it "are told to a tracer as any command" do
    connection.tracer = ->(event) { received << event.sql }
    connection.listen("a", "b")
    connection.notify("a", "secret")
    expect(received).to eq(['LISTEN "a"; LISTEN "b"', "SELECT pg_catalog.pg_notify($1, $2)"])
  end

  describe "the queue" do
    before { connection.listen("c") }

    it "is empty at first, and always the same" do
      expect(connection.notifies).to be_empty.and equal(connection.notifies)
    end

    it "gives the oldest by shift, and all are taken by clear" do
      %w[1 2 3].each { |payload| connection.notify("c", payload) }
      expect(connection.notifies.shift).to eq(Pgconn::Notify.new(connection.backend_pid, "c", "1"))
      expect(connection.notifies.map(&:payload)).to eq(%w[2 3])
      expect(connection.notifies.size).to eq(2)
      connection.notifies.clear
      expect([connection.notifies.empty?, connection.notifies.shift]).to eq([true, nil])
    end

    it "has the sender's process ID" do
      observer.notify("c")
      payloads
      expect(connection.notifies.first.pid).to eq(observer.backend_pid)
    end

    it "has texts in the session's encoding, frozen" do
      latin = connect(client_encoding: "LATIN1")
      latin.listen("größe".encode("ISO-8859-1"))
      observer.notify("größe", "weiß")
      payloads(latin)
      notify = latin.notifies.first
      expect([notify.channel, notify.payload]).to all(be_frozen.and(have_attributes(encoding: Encoding::ISO_8859_1)))
      expect([notify.channel, notify.payload].map { |text| text.encode("UTF-8") }).to eq(%w[größe weiß])
    end

    { "an execute" => ->(connection) { connection.execute("SELECT 1") },
      "one that fails" => ->(connection) { connection.execute("SELECT 1/0") rescue nil }, # rubocop:disable Style/RescueModifier
      "alive?" => :alive?.to_proc }.each do |what, command|
      it "is filled by #{what}" do
        observer.notify("c", "1")
        expect { command.call(connection) }.to change { connection.notifies.map(&:payload) }.from([]).to(["1"])
      end
    end

    %i[commit rollback].each do |ending|
      it "is filled by #{ending}: the server delivers between transactions" do
        connection = connect
        connection.listen("c")
        connection.execute("SELECT 1")
        observer.notify("c", "1")
        connection.execute("SELECT 1")
        expect { connection.public_send(ending) }.to change { connection.notifies.map(&:payload) }.from([]).to(["1"])
      end
    end

    it "can be read after close" do
      connection.notify("c", "1")
      connection.close
      expect(connection.notifies.map(&:payload)).to eq(["1"])
    end

    it "gives each notification to one of the threads that take" do
      200.times { |number| connection.notify("c", number) }
      threads = Array.new(4) { in_thread { [].tap { |taken| while (one = connection.notifies.shift) do taken << one.payload end } } }
      expect(threads.flat_map { |thread| value_of(thread) }).to match_array((0...200).map(&:to_s))
    end

    it "outlives a reset, as handlers and notices do" do
      connection.on_notice { |notice| received << notice.message }
      connection.notify("c", "1")
      connection.reset
      connection.execute("DO $$ BEGIN RAISE NOTICE 'n'; END $$")
      expect([payloads, received, connection.notices]).to eq([["1"], ["n"], ["NOTICE:  n\n"]])
      expect(channels).to eq([])
    end

    it "keeps what came while a call was interrupted" do
      running = in_thread { connection.execute("SELECT pg_sleep(30)") }
      wait_until_running(connection.backend_pid, "pg_sleep")
      observer.notify("c", "1")
      outcome_of(running.kill)
      expect(payloads).to eq(["1"])
    end
  end

  describe "that come right ahead of the connection's loss" do
    # Yields a connection for which the notification and the end of the session lie in the socket.
    def with_lost_connection
      through_proxy do |proxy|
        connection = connect_tcp(host: proxy.host, port: proxy.port, autocommit: true)
        connection.listen("c")
        proxy.reset_counts
        observer.notify("c", "1")
        eventually("the notification has come") { proxy.counts.bytes_to_client.positive? }
        observer.execute("SELECT pg_terminate_backend($1)", [connection.backend_pid])
        eventually("the session has ended") { backend_state(connection.backend_pid).nil? }
        yield connection
      end
    end

    it "are in the queue after the command that finds it lost" do
      with_lost_connection do |connection|
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
        expect(connection.notifies.map(&:payload)).to eq(["1"])
      end
    end

    it "are given by wait_for_notify before it raises" do
      with_lost_connection do |connection|
        expect(connection.wait_for_notify.payload).to eq("1")
        expect { connection.wait_for_notify }
          .to raise_error(Pgconn::ConnectionLost) { |error| expect(error.sqlstate).to eq("57P01") }
      end
    end

    it "go to handlers ahead of the exception" do
      with_lost_connection do |connection|
        connection.on_notify { |notify| received << notify.payload }
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost) { received << :raised }
        expect(received).to eq(["1", :raised])
      end
    end
  end

  describe "with an on_notify handler" do
    before { connection.listen("c") }

    it "go to it, and nothing is queued" do
      connection.on_notify { |notify| received << notify }
      observer.notify("c", "1")
      expect(payloads).to eq([])
      expect(received).to eq([Pgconn::Notify.new(observer.backend_pid, "c", "1")])
    end

    it "are queued again once it was removed" do
      handler = connection.on_notify { |notify| received << notify.payload }
      connection.notify("c", "1")
      handler.remove
      connection.notify("c", "2")
      expect([received, connection.notifies.map(&:payload)]).to eq([["1"], ["2"]])
    end

    describe "that is removed before it got all that had come" do
      # Three notifications that come with one command.
      def notify_thrice
        connection.transaction { %w[1 2 3].each { |payload| connection.notify("c", payload) } }
      end

      def queued = connection.notifies.map(&:payload)

      it "by itself, go to the queue" do
        handler = connection.on_notify { |notify| (received << notify.payload) && handler.remove }
        notify_thrice
        expect([received, queued]).to eq([["1"], %w[2 3]])
        connection.notify("c", "4")
        expect([received, queued]).to eq([["1"], %w[2 3 4]])
      end

      it "after it has raised or was interrupted, go to the queue" do
        handler = connection.on_notify { |notify| (received << notify.payload) && raise(KeyError) }
        expect { notify_thrice }.to raise_error(KeyError)
        handler.remove
        expect([received, queued]).to eq([["1"], %w[2 3]])
      end

      it "go on to the other handlers, and are in the queue only when there is none any more" do
        handlers = []
        2.times do |number|
          handlers << connection.on_notify do |notify|
            received << [number, notify.payload]
            handlers[number].remove if notify.payload == (number + 1).to_s
          end
        end
        notify_thrice
        expect([received, queued]).to eq([[[0, "1"], [1, "1"], [1, "2"]], ["3"]])
      end

      it "aren't for one that was added later, nor lost" do
        handler = connection.on_notify do |notify|
          received << notify.payload
          connection.on_notify { |later| received << [later.payload] }
          handler.remove
        end
        notify_thrice
        expect([received, queued]).to eq([["1"], %w[2 3]])
        connection.notify("c", "4")
        expect([received, queued]).to eq([["1", ["4"]], %w[2 3]])
      end

      it "are what wait_for_notify gives then" do
        handler = connection.on_notify { |notify| (received << notify.payload) && handler.remove }
        observer.transaction { %w[1 2].each { |payload| observer.notify("c", payload) } }
        given = Array.new(2) { connection.wait_for_notify(timeout: 10).payload }
        expect([received, given]).to eq([["1"], %w[1 2]])
      end

      it "leave notices alone" do
        connection.on_notify { nil }.remove
        handler = connection.on_notice { |notice| (received << notice.message) && handler.remove }
        connection.execute("DO $$ BEGIN RAISE NOTICE 'a'; RAISE NOTICE 'b'; END $$")
        expect([received, queued]).to eq([["a"], []])
      end
    end

    it "that were queued before stay in the queue" do
      connection.notify("c", "1")
      connection.on_notify { |notify| received << notify.payload }
      connection.notify("c", "2")
      expect([connection.notifies.map(&:payload), received]).to eq([["1"], ["2"]])
    end

    it "raise out of the command where it raises; those that are left come with the next" do
      connection.on_notify do |notify|
        received << notify.payload
        raise KeyError if notify.payload == "1"
      end
      observer.notify("c", "1")
      observer.notify("c", "2")
      expect { connection.execute("SELECT 1") }.to raise_error(KeyError)
      connection.execute("SELECT 1")
      expect(received).to eq(%w[1 2])
    end
  end
end
