# frozen_string_literal: true

module Pgconn
  # A class for each SQLSTATE that means an error, named after PostgreSQL's condition name:
  # `unique_violation` is {UniqueViolation}. Where a condition name occurs twice, the first keeps it
  # and the second has the name of its SQLSTATE class in front.
  module Errors
    # The base of the errors of a SQLSTATE class, the first two characters of the state.
    BASES = {
      "08" => Pgconn::OperationalError,
      "0A" => Pgconn::NotSupportedError,
      "20" => Pgconn::ProgrammingError,
      "21" => Pgconn::ProgrammingError,
      "22" => Pgconn::DataError,
      "23" => Pgconn::IntegrityError,
      "24" => Pgconn::InternalError,
      "25" => Pgconn::InternalError,
      "26" => Pgconn::OperationalError,
      "27" => Pgconn::OperationalError,
      "28" => Pgconn::OperationalError,
      "2B" => Pgconn::InternalError,
      "2D" => Pgconn::InternalError,
      "2F" => Pgconn::InternalError,
      "34" => Pgconn::OperationalError,
      "38" => Pgconn::InternalError,
      "39" => Pgconn::InternalError,
      "3B" => Pgconn::InternalError,
      "3D" => Pgconn::ProgrammingError,
      "3F" => Pgconn::ProgrammingError,
      "40" => Pgconn::TransactionRollbackError,
      "42" => Pgconn::ProgrammingError,
      "44" => Pgconn::ProgrammingError,
      "53" => Pgconn::OperationalError,
      "54" => Pgconn::OperationalError,
      "55" => Pgconn::OperationalError,
      "57" => Pgconn::OperationalError,
      "58" => Pgconn::OperationalError,
      "F0" => Pgconn::InternalError,
      "HV" => Pgconn::OperationalError,
      "P0" => Pgconn::InternalError,
      "XX" => Pgconn::InternalError
    }.freeze
    private_constant :BASES

    # States that don't have the base of their class.
    SPECIAL_BASES = {
      "57014" => Pgconn::QueryCanceledError,
      "57P01" => Pgconn::ConnectionLost,
      "57P02" => Pgconn::ConnectionLost
    }.freeze
    private_constant :SPECIAL_BASES

    # The class of a server's error.
    #
    # @param sqlstate [String, nil]
    # @return [Class] the state's own class; for a state without one, that of its SQLSTATE class;
    #   else {DatabaseError}
    # @example
    #   Pgconn::Errors.lookup("23505") # => Pgconn::Errors::UniqueViolation
    #   Pgconn::Errors.lookup("23999") # => Pgconn::IntegrityError
    def self.lookup(sqlstate)
      BY_SQLSTATE.fetch(sqlstate) { base(sqlstate) }
    end

    # The class that a state's own class stands under.
    #
    # @param sqlstate [String, nil]
    # @return [Class]
    # @api private
    def self.base(sqlstate)
      SPECIAL_BASES[sqlstate] || BASES.fetch(sqlstate.to_s[0, 2], Pgconn::DatabaseError)
    end
  end
end
