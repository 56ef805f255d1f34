# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Errors do
  bases = {
    Pgconn::OperationalError => %w[08 26 27 28 34 53 54 55 57 58 HV],
    Pgconn::NotSupportedError => %w[0A],
    Pgconn::ProgrammingError => %w[20 21 3D 3F 42 44],
    Pgconn::DataError => %w[22],
    Pgconn::IntegrityError => %w[23],
    Pgconn::InternalError => %w[24 25 2B 2D 2F 38 39 3B F0 P0 XX],
    Pgconn::TransactionRollbackError => %w[40],
    Pgconn::DatabaseError => %w[03 09 0B 0F 0L 0P 0Z 72 99]
  }

  bases.each do |base, sqlstate_classes|
    it "gives #{base} for unknown states of #{sqlstate_classes.join(" ")}" do
      expect(sqlstate_classes.map { |two| described_class.lookup("#{two}Z99") }).to all(be(base))
    end

    it "has the states of #{sqlstate_classes.join(" ")} under #{base}" do
      states = described_class::BY_SQLSTATE.select do |state, klass|
        sqlstate_classes.include?(state[0, 2]) && klass < base
      end

      expect(states.size).to eq(
        described_class::BY_SQLSTATE.count { |state, _| sqlstate_classes.include?(state[0, 2]) }
      )
    end
  end

  {
    "23505" => ["UniqueViolation", Pgconn::IntegrityError],
    "57014" => ["QueryCanceled", Pgconn::QueryCanceledError],
    "57P01" => ["AdminShutdown", Pgconn::ConnectionLost],
    "57P02" => ["CrashShutdown", Pgconn::ConnectionLost],
    "57P03" => ["CannotConnectNow", Pgconn::OperationalError],
    "40001" => ["SerializationFailure", Pgconn::TransactionRollbackError],
    "25P02" => ["InFailedSqlTransaction", Pgconn::InternalError],
    "XX000" => ["InternalError", Pgconn::InternalError],
    "XX001" => ["DataCorrupted", Pgconn::InternalError],
    "72000" => ["SnapshotTooOld", Pgconn::DatabaseError]
  }.each do |sqlstate, (name, base)|
    it "gives #{name} < #{base} for #{sqlstate}" do
      expect(described_class.lookup(sqlstate)).to be(described_class.const_get(name, false))
      expect(described_class.lookup(sqlstate).superclass).to be(base)
    end
  end

  it "has the class's name in front of a condition name's second use" do
    expect(described_class.lookup("2F003")).to be(described_class::ProhibitedSqlStatementAttempted)
    expect(described_class.lookup("38003"))
      .to be(described_class::ExternalRoutineExceptionProhibitedSqlStatementAttempted)
    expect(described_class.lookup("22004")).to be(described_class::NullValueNotAllowed)
    expect(described_class.lookup("39004"))
      .to be(described_class::ExternalRoutineInvocationExceptionNullValueNotAllowed)
  end

  it "gives DatabaseError where there is no state" do
    expect(described_class.lookup(nil)).to be(Pgconn::DatabaseError)
    expect(described_class.lookup("")).to be(Pgconn::DatabaseError)
  end

  it "has no class for warnings and success" do
    expect(%w[00000 01000 02000].map { |state| described_class.lookup(state) })
      .to all(be(Pgconn::DatabaseError))
    expect(described_class.const_defined?(:SuccessfulCompletion, false)).to be(false)
  end

  it "knows every class by exactly one state, which the class knows too" do
    table = described_class::BY_SQLSTATE

    expect(table.values.uniq.size).to eq(table.size)
    expect(table.values.map { |klass| klass::SQLSTATE }).to eq(table.keys)
    expect(table.values).to match_array(described_class.constants
      .map { |name| described_class.const_get(name) }.grep(Class))
  end

  it "can be used in every Ractor" do
    expect(Ractor.shareable?(described_class::BY_SQLSTATE)).to be(true)
  end
end
