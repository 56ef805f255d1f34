# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A connection that many threads share" do
  def torture(connection, callers:, seconds:)
    connection.listen("torture")
    torture = Torture.new(connection, RSpec.configuration.seed)
    failures = torture.run(callers: callers, seconds: seconds)
    expect(failures.map(&:full_message)).to eq([])
    expect(torture.answers).to be > callers
    expect(connection).not_to be_broken
    expect(connection.execute("SELECT 'usable'").fetch_value).to eq("usable")
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  # With few statements remembered, names come and go, too.
  def shared(**keywords)
    connect(autocommit: true, cancel_timeout: 30, statement_cache_size: 5, **keywords)
  end

  it "gives each its own answers, whatever errors, deadlines, kills, cancels, blocks and large values there are", :no_leaks do
    torture(shared, callers: 50, seconds: 20)
  end

  it "does so with TLS, too" do
    torture(shared(host: server.host, sslmode: "require"), callers: 20, seconds: 5)
  end

  it "does so while the garbage collector works hard", :gc_stress do
    torture(shared, callers: 2, seconds: 1)
  end

  it "does so for minutes", :long do
    torture(shared, callers: 50, seconds: 180)
  end
end
