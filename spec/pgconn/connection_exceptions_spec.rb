# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::ConnectionExceptions do
  let(:names) do
    %i[Error Warning InterfaceError DatabaseError DataError OperationalError QueryCanceledError
       TransactionRollbackError ConnectionLost PipelineAborted IntegrityError InternalError
       ProgrammingError NotSupportedError]
  end
  let(:connection_class) { Class.new { include Pgconn::ConnectionExceptions } }

  it "gives a connection's class the exception classes as constants" do
    expect(names.map { |name| connection_class.const_get(name) })
      .to eq(names.map { |name| Pgconn.const_get(name) })
    expect(connection_class::UniqueViolation).to be(Pgconn::Errors::UniqueViolation)
  end

  it "gives a connection the exception classes as readers" do
    expect(names.map { |name| connection_class.new.public_send(name) })
      .to eq(names.map { |name| Pgconn.const_get(name) })
  end

  it "leaves none of the tree out" do
    tree = Pgconn.constants.map { |name| Pgconn.const_get(name) }.grep(Class)
                 .select { |klass| klass <= Pgconn::Error }

    expect(names.map { |name| Pgconn.const_get(name) }).to include(*tree)
  end

  it "lets a rescue name the class through the connection" do
    connection = connection_class.new
    rescued =
      begin
        raise Pgconn::Errors::UniqueViolation
      rescue connection.IntegrityError => e
        e
      end

    expect(rescued).to be_a(Pgconn::IntegrityError)
  end
end
