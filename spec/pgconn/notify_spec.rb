# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Notify do
  let(:notify) { described_class.new(42, "jobs", "7") }

  it "has the sender's pid, the channel and the payload, which is '' by default" do
    expect(notify).to have_attributes(pid: 42, channel: "jobs", payload: "7")
    expect(described_class.new(42, "jobs").payload).to eq("")
  end

  it "compares with another by all three" do
    expect(notify).to eq(described_class.new(42, "jobs", "7"))
    expect(notify).to eql(described_class.new(42, "jobs", "7"))
    expect([[1, "jobs", "7"], [42, "job", "7"], [42, "jobs", ""]].map { |fields| described_class.new(*fields) })
      .to all(satisfy { |other| other != notify })
    expect(notify).not_to eq([42, "jobs", "7"])
  end

  it "is the same key of a Hash as another that is equal" do
    expect({ notify => 1 }[described_class.new(42, "jobs", "7")]).to eq(1)
  end

  it "is taken apart by to_a and by patterns" do
    pid, channel, payload = notify.to_a
    expect([pid, channel, payload]).to eq([42, "jobs", "7"])
    expect((notify in [Integer, "jobs", "7"])).to be(true)
    expect((notify in { channel: "jobs", payload: "7", pid: 42 })).to be(true)
  end

  it "stays one value where Arrays are flattened" do
    expect([[notify]].flatten).to eq([notify])
  end

  it "is frozen with all that it has, can be shared between Ractors, and keeps its texts" do
    channel = +"jobs"
    notify = described_class.new(42, channel)
    channel << "!"
    expect(notify.channel).to eq("jobs")
    expect(notify).to be_frozen.and(satisfy { |value| Ractor.shareable?(value) })
  end

  it "survives Marshal" do
    copy = Marshal.load(Marshal.dump(notify))
    expect(copy).to eq(notify).and be_frozen
  end

  it "shows what it has" do
    expect(notify.inspect).to eq('#<Pgconn::Notify pid=42 channel="jobs" payload="7">')
  end
end
