# frozen_string_literal: true

require "spec_helper"

# The same behaviour, however a caller waits.
RSpec.describe "A call that waits" do
  WaysOfWaiting.all.each do |name, way|
    describe "in #{name}" do
      define_method(:waiting) do |**keywords, &block|
        way.call(server) do |parameters|
          connection = Pgconn.connect(nil, **parameters, **keywords)
          block.call(connection, parameters)
        ensure
          connection&.close
        end
      end

      # Runs the block beside the caller, in a thread or, where there is a scheduler, in a fiber.
      def beside(&block)
        Fiber.current_scheduler ? Fiber.schedule { block.call } : in_thread(&block)
      end

      it "executes a statement" do
        expect(waiting { |conn| conn.execute("SELECT $1::int + 1", [41]).fetch_value }).to eq(42)
      end

      it "raises the server's error, and the connection can be used" do
        result = waiting(autocommit: true) do |conn|
          error = begin
            conn.execute("SELECT 1/0")
          rescue Pgconn::DataError => e
            e
          end
          [error.class, conn.execute("SELECT 'still'").fetch_value]
        end
        expect(result).to eq([Pgconn::Errors::DivisionByZero, "still"])
      end

      it "takes a large result" do
        size = waiting { |conn| conn.execute("SELECT repeat('x', 10000000)").fetch_value.bytesize }
        expect(size).to eq(10_000_000)
      end

      it "sends a large parameter" do
        text = "y" * 10_000_000
        expect(waiting { |conn| conn.execute("SELECT $1::text", [text]).fetch_value == text }).to be(true)
      end

      it "commits and rolls back" do
        rows = waiting do |conn|
          conn.execute("CREATE TEMPORARY TABLE kept (id int)")
          conn.execute("INSERT INTO kept VALUES (1)")
          conn.commit
          conn.execute("INSERT INTO kept VALUES (2)")
          conn.rollback
          conn.transaction { conn.execute("INSERT INTO kept VALUES (3)") }
          conn.execute("SELECT id FROM kept ORDER BY id").column(0)
        end
        expect(rows).to eq([1, 3])
      end

      it "runs a transaction again after a retryable error" do
        attempts = waiting(autocommit: true) do |conn|
          count = 0
          conn.transaction(retries: 2) do
            count += 1
            conn.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$") if count < 3
          end
          count
        end
        expect(attempts).to eq(3)
      end

      it "cancels the statement at its deadline" do
        result = waiting(autocommit: true) do |conn|
          conn.execute("SELECT pg_sleep(60)", timeout: 0.2)
        rescue Pgconn::QueryCanceledError => e
          [e.outcome, conn.execute("SELECT 'still'").fetch_value]
        end
        expect(result).to eq([:canceled, "still"])
      end

      it "breaks the connection when its peer has vanished" do
        outcome = through_proxy do |proxy|
          waiting(port: proxy.port, cancel_timeout: 0.2) do |conn|
            conn.execute("SELECT 1")
            proxy.stall
            conn.execute("SELECT 2", timeout: 0.2)
          rescue Pgconn::QueryCanceledError => e
            [e.outcome, conn.broken?]
          end
        end
        expect(outcome).to eq([:unknown, true])
      end

      it "is cancelled by another caller, who waits for the request's end" do
        result = waiting(autocommit: true) do |conn|
          beside do
            wait_until_running(conn.backend_pid, "pg_sleep(60)")
            conn.cancel
          end
          conn.execute("SELECT pg_sleep(60)")
        rescue Pgconn::QueryCanceledError => e
          [e.outcome, conn.execute("SELECT 'still'").fetch_value]
        end
        expect(result).to eq([:canceled, "still"])
      end

      it "is ended by close with an InterfaceError" do
        expect do
          waiting(autocommit: true) do |conn|
            beside do
              wait_until_running(conn.backend_pid, "pg_sleep(60)")
              conn.close
            end
            conn.execute("SELECT pg_sleep(60)")
          end
        end.to raise_error(Pgconn::InterfaceError, /closed/)
      end

      it "takes a notification that comes later, and none at the timeout" do
        result = waiting(autocommit: true) do |conn|
          conn.listen("news")
          none = conn.wait_for_notify(timeout: 0.05)
          beside { observer.notify("news", "late") }
          [none, conn.wait_for_notify(timeout: ConnectionHelpers::SOON).payload]
        end
        expect(result).to eq([nil, "late"])
      end

      it "executes several statements in one string" do
        values = waiting do |conn|
          cursor = conn.execute("SELECT 1; SELECT pg_sleep(0.01); SELECT 3")
          first = cursor.fetch_value
          2.times { cursor.next_result }
          [first, cursor.fetch_value]
        end
        expect(values).to eq([1, 3])
      end

      it "asks first for the types of an Array's statement" do
        expect(waiting { |conn| conn.execute("SELECT $1::int[]", [[1, nil]]).fetch_value }).to eq([1, nil])
      end

      it "gives callers that share the connection each its own answers" do
        answers = waiting(autocommit: true) do |conn|
          found = Queue.new
          10.times do |number|
            beside { found << [number, conn.execute("SELECT $1::int FROM pg_sleep(0.01)", [number]).fetch_value] }
          end
          Array.new(10) { found.pop }
        end
        expect(answers.sort).to eq(Array.new(10) { |number| [number, number] })
      end

      # The server takes nothing while nobody reads what it sends.
      it "reads other callers' large results while it sends a large parameter" do
        size = 20_000_000
        sizes = waiting(autocommit: true) do |conn|
          found = Queue.new
          text = "y" * size
          4.times do |number|
            beside { found << conn.execute("SELECT repeat('x', #{size}), $1::int", [number]).fetch[0].bytesize }
            beside { found << conn.execute("SELECT length($1::text)", [text]).fetch_value }
          end
          Array.new(8) { found.pop }
        end
        expect(sizes).to eq([size] * 8)
      end

      it "ends at the connect_timeout of a silent host" do
        SilentHost.open do |silent|
          expect { waiting(host: silent.host, port: silent.port, connect_timeout: 0.2) { nil } }
            .to raise_error(Pgconn::OperationalError, /timeout expired/)
        end
      end

      it "connects by name and with TLS" do
        used = waiting(host: "localhost", sslmode: "require") { |conn| conn.info.ssl_in_use? }
        expect(used).to be(true)
      end

      it "pings" do
        expect(waiting { |_, parameters| Pgconn.ping(nil, **parameters) }).to eq(:ok)
      end
    end
  end
end
