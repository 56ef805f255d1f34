# frozen_string_literal: true

require "spec_helper"

RSpec.describe "The object of a subclass whose initialize never calls super" do
  # With the arguments that the method must have. C's with optional ones don't tell, and get one.
  def call(object, name)
    parameters = object.method(name).parameters
    positional = parameters.count { |kind, _| kind == :req } + (parameters == [[:rest]] ? 1 : 0)
    keywords = parameters.filter_map { |kind, keyword| keyword if kind == :keyreq }
    object.public_send(name, *["x"] * positional, **keywords.to_h { |keyword| [keyword, "x"] }) { nil }
  end

  # What each method raises, or gives, by its name.
  def outcomes(object, names)
    names.to_h do |name|
      [name, call(object, name)]
    rescue StandardError => e
      [name, e.class]
    end
  end

  {
    Pgconn::Connection => -> { Class.new(Pgconn::Connection) { def initialize(*, **) = nil }.new(server.conninfo) },
    Pgconn::Cursor => -> { Class.new(Pgconn::Cursor) { def initialize(*, **) = nil }.new(connect) }
  }.each do |klass, made|
    describe "of #{klass}" do
      let(:object) { instance_exec(&made) }

      it "raises InterfaceError from every method" do
        names = klass.public_instance_methods(false) - [:inspect]
        wrong = outcomes(object, names).reject { |_, outcome| outcome == Pgconn::InterfaceError }
        expect(wrong).to eq({})
      end

      it "can be inspected, collected and compared" do
        expect(object.inspect).to be_a(String)
        expect(object == object.itself).to be(true)
        expect(object).not_to eq(instance_exec(&made))
        GC.start
      end
    end
  end

  it "of Pgconn::Connection still carries the exceptions, for a rescue" do
    object = Class.new(Pgconn::Connection) { def initialize(*, **) = nil }.new
    expect(object.InterfaceError).to be(Pgconn::InterfaceError)
  end
end
