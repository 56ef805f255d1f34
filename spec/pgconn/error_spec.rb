# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Error do
  {
    Pgconn::Error => StandardError,
    Pgconn::Warning => StandardError,
    Pgconn::InterfaceError => Pgconn::Error,
    Pgconn::DatabaseError => Pgconn::Error,
    Pgconn::DataError => Pgconn::DatabaseError,
    Pgconn::OperationalError => Pgconn::DatabaseError,
    Pgconn::QueryCanceledError => Pgconn::OperationalError,
    Pgconn::TransactionRollbackError => Pgconn::OperationalError,
    Pgconn::ConnectionLost => Pgconn::OperationalError,
    Pgconn::PipelineAborted => Pgconn::OperationalError,
    Pgconn::IntegrityError => Pgconn::DatabaseError,
    Pgconn::InternalError => Pgconn::DatabaseError,
    Pgconn::ProgrammingError => Pgconn::DatabaseError,
    Pgconn::NotSupportedError => Pgconn::DatabaseError
  }.each do |klass, superclass|
    it "has #{klass} directly under #{superclass}" do
      expect(klass.superclass).to be(superclass)
    end
  end

  it "can be raised by anyone with a text or without one" do
    expect { raise Pgconn::DataError, "text" }.to raise_error(Pgconn::DataError, "text")
    expect { raise Pgconn::DataError }.to raise_error(Pgconn::DataError, "Pgconn::DataError")
    expect(Pgconn::DataError.new.message).to eq("Pgconn::DataError")
  end

  it "carries nothing from a server where the driver made it" do
    error = Pgconn::InterfaceError.new("connection already closed")

    expect(error).to have_attributes(
      sqlstate: nil, pgcode: nil, pgerror: nil, query: nil, cursor: nil, outcome: nil
    )
    expect(error).not_to be_retryable
    expect(error.diag).to be(Pgconn::Diagnostics::EMPTY)
  end

  it "carries what it was given, texts as frozen copies" do
    query = +"SELECT 1"
    cursor = Object.new
    error = described_class.new("text", sqlstate: "22012", query: query, cursor: cursor,
                                        pgerror: "ERROR:  text\n", outcome: :unknown)
    query << " changed"

    expect(error).to have_attributes(
      message: "text", sqlstate: "22012", pgcode: "22012", query: "SELECT 1",
      pgerror: "ERROR:  text\n", outcome: :unknown
    )
    expect(error.cursor).to be(cursor)
    expect(error.query).to be_frozen
    expect(error.pgerror).to be_frozen
  end

  it "takes its SQLSTATE from the diagnostics, else from its class" do
    diag = Pgconn::Diagnostics.new(sqlstate: "23999")

    expect(Pgconn::Errors::UniqueViolation.new(diag: diag).sqlstate).to eq("23999")
    expect(Pgconn::Errors::UniqueViolation.new.sqlstate).to eq("23505")
    expect(Class.new(Pgconn::Errors::UniqueViolation).new.sqlstate).to eq("23505")
  end

  it "is retryable for serialization failures and deadlocks" do
    retryable = Pgconn::Errors::BY_SQLSTATE.values.select { |klass| klass.new.retryable? }

    expect(retryable).to contain_exactly(Pgconn::Errors::SerializationFailure,
                                         Pgconn::Errors::DeadlockDetected)
  end

  it "is retryable or not as it is told" do
    error = Pgconn::OperationalError.new("text", retryable: true)

    expect(error).to be_retryable
    error.retryable = nil
    expect(error).not_to be_retryable
    expect(Pgconn::Errors::DeadlockDetected.new("text", retryable: false)).not_to be_retryable
  end

  it "keeps all that it carries when raised again with another text" do
    error = described_class.new("text", sqlstate: "22012", outcome: :unknown)

    expect(raised(error.exception("other")))
      .to have_attributes(message: "other", sqlstate: "22012", outcome: :unknown)
  end

  it "shows no statement in its message and inspect" do
    error = described_class.new("text", query: "ALTER ROLE me PASSWORD 'secret'",
                                        pgerror: "ERROR:  text\nLINE 1: ... 'secret'\n")

    expect([error.message, error.inspect, error.full_message].join).not_to include("secret")
  end

  it "makes a Marshal round trip without its cursor" do
    error = raised(Pgconn::Errors::UniqueViolation.new(
                     "text", diag: Pgconn::Diagnostics.new(sqlstate: "23505", table_name: "users"),
                             query: "SELECT 1", pgerror: "ERROR", outcome: :canceled,
                             cursor: proc { "can't be dumped" }, retryable: true
                   ))
    copy = Marshal.load(Marshal.dump(error))

    expect(copy).to eq(error)
    expect(copy).to have_attributes(
      class: Pgconn::Errors::UniqueViolation, message: "text", backtrace: error.backtrace,
      diag: error.diag, sqlstate: "23505", query: "SELECT 1", pgerror: "ERROR",
      outcome: :canceled, retryable?: true, cursor: nil
    )
  end

  def raised(error)
    raise error
  rescue described_class => e
    e
  end
end
