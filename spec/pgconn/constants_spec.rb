# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn do
  {
    ISOLATION_LEVEL_AUTOCOMMIT: 0, ISOLATION_LEVEL_READ_COMMITTED: 1,
    ISOLATION_LEVEL_REPEATABLE_READ: 2, ISOLATION_LEVEL_SERIALIZABLE: 3,
    ISOLATION_LEVEL_READ_UNCOMMITTED: 4, ISOLATION_LEVEL_DEFAULT: nil,
    TRANSACTION_STATUS_IDLE: 0, TRANSACTION_STATUS_ACTIVE: 1, TRANSACTION_STATUS_INTRANS: 2,
    TRANSACTION_STATUS_INERROR: 3, TRANSACTION_STATUS_UNKNOWN: 4,
    POLL_OK: 0, POLL_READ: 1, POLL_WRITE: 4, POLL_ERROR: 3,
    STATUS_SETUP: 0, STATUS_READY: 1, STATUS_BEGIN: 2, STATUS_PREPARED: 5
  }.each do |name, value|
    it "has #{value.inspect} as #{name}" do
      expect(described_class.const_get(name)).to eq(value)
    end
  end

  it "has poll's answers in IO#wait's terms" do
    expect([described_class::POLL_READ, described_class::POLL_WRITE])
      .to eq([IO::READABLE, IO::WRITABLE])
  end
end
