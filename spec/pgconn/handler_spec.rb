# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Handler do
  let(:called) { [] }
  let(:removed) { [] }
  let(:handler) { described_class.new(->(message) { called << message }) { |given| removed << given } }

  it "calls its block" do
    handler.call(1)
    expect(called).to eq([1])
  end

  it "is taken out once by remove, however often that is called, and calls nothing any more" do
    expect([handler.remove, handler.remove]).to eq([nil, nil])
    handler.call(1)
    expect([removed, called]).to eq([[handler], []])
  end

  it "says whether it was removed, and where its block is" do
    expect(handler.inspect).to match(/\A#<Pgconn::Handler \S*handler_spec\.rb:\d+>\z/)
    expect { handler.remove }.to change(handler, :removed?).from(false).to(true)
    expect(handler.inspect).to start_with("#<Pgconn::Handler removed ")
  end
end
