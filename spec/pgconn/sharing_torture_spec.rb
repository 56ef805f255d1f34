# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A connection that many threads and fibers share" do
  before { observer.execute(Torture::TABLES) && observer.listen("torture") }

  after do
    close_connections # their locks would make the DROP wait
    observer.execute("DROP TABLE torture_entries, torture_accounts")
  end

  # The connection's own session hears of everything, too: what comes between the answers.
  def torture(kind, connection, seconds:, threads: 50, fibers: 200)
    connection.listen("torture")
    torture = kind.new(connection, RSpec.configuration.seed)
    failures = GCMode.stressed { torture.run(threads: threads, fibers: fibers, seconds: seconds) }
    expect(failures.first(10).map(&:full_message)).to eq([])
    expect_usable(connection)
    expect_written(torture)
    torture
  end

  def expect_usable(connection)
    expect(connection).not_to be_broken
    connection.rollback
    expect(connection.execute("SELECT 'usable'").fetch_value).to eq("usable")
    connection.commit
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  # That callers had answers, and that what they know agrees with what is in the tables and was heard.
  def expect_written(torture)
    expect(torture.answers).to be > 0
    expect(torture.entries.contradictions(observer.execute("SELECT name FROM torture_entries").column(0))).to eq({})
    expect(observe("SELECT sum(balance) FROM torture_accounts")).to eq(0)
    expect(torture.notifications.contradictions(observer.notifies.map(&:payload))).to eq({})
  end

  # With few statements remembered, names come and go, too.
  def shared(**keywords)
    connect(autocommit: true, cancel_timeout: 30, statement_cache_size: 5, **keywords)
  end

  describe "in autocommit" do
    it "gives each its own answers, whatever errors, deadlines, kills, cancels, blocks, notifications and large " \
       "values there are, and commits what it says" do
      torture = torture(AutocommitTorture, shared, seconds: 20)
      expect(torture.entries.count(:done)).to be_positive
    end

    # With threads only: what fibers have waited with is kept, or closed when it is collected.
    it "leaves no descriptor open", :no_leaks do
      torture(AutocommitTorture, shared, threads: 30, fibers: 0, seconds: 4)
    end

    it "does so with TLS, too" do
      torture(AutocommitTorture, shared(host: server.host, sslmode: "require"), threads: 10, fibers: 20, seconds: 5)
    end

    it "does so while the garbage collector works hard", gc_stress: :in_part do
      torture(AutocommitTorture, shared, threads: 2, fibers: 0, seconds: GCMode.stress? ? 30 : 1)
    end

    it "does so for minutes", :long do
      torture(AutocommitTorture, shared, seconds: 600)
    end
  end

  describe "with the implicit transaction, which one thread commits" do
    it "gives each its own answers, whatever errors, deadlines, kills, cancels, notifications and large values " \
       "there are, and commits what it says" do
      torture = torture(ImplicitTransactionTorture, shared(autocommit: false), seconds: 20)
      expect(torture.commits).to be_positive
    end

    it "does so while the garbage collector works hard", gc_stress: :in_part do
      torture(ImplicitTransactionTorture, shared(autocommit: false),
              threads: 2, fibers: 0, seconds: GCMode.stress? ? 30 : 1)
    end

    it "does so for minutes", :long do
      torture(ImplicitTransactionTorture, shared(autocommit: false), seconds: 600)
    end
  end
end
