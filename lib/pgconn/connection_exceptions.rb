# frozen_string_literal: true

module Pgconn
  # The exception classes, attached to the connection: as constants of {Connection} (those of
  # {Errors} too) and as readers, so that code which is handed a connection need not name the
  # driver.
  #
  # @example
  #   begin
  #     conn.execute(sql)
  #   rescue conn.IntegrityError
  #     conn.rollback
  #   end
  module ConnectionExceptions
    include Errors

    # Classes of this module win over those of the same name in {Errors}.
    Error = Pgconn::Error # {Pgconn::Error}
    Warning = Pgconn::Warning # {Pgconn::Warning}
    InterfaceError = Pgconn::InterfaceError # {Pgconn::InterfaceError}
    DatabaseError = Pgconn::DatabaseError # {Pgconn::DatabaseError}
    DataError = Pgconn::DataError # {Pgconn::DataError}
    OperationalError = Pgconn::OperationalError # {Pgconn::OperationalError}
    QueryCanceledError = Pgconn::QueryCanceledError # {Pgconn::QueryCanceledError}
    TransactionRollbackError = Pgconn::TransactionRollbackError # {Pgconn::TransactionRollbackError}
    ConnectionLost = Pgconn::ConnectionLost # {Pgconn::ConnectionLost}
    PipelineAborted = Pgconn::PipelineAborted # {Pgconn::PipelineAborted}
    IntegrityError = Pgconn::IntegrityError # {Pgconn::IntegrityError}
    InternalError = Pgconn::InternalError # {Pgconn::InternalError}
    ProgrammingError = Pgconn::ProgrammingError # {Pgconn::ProgrammingError}
    NotSupportedError = Pgconn::NotSupportedError # {Pgconn::NotSupportedError}

    # rubocop:disable Naming/MethodName -- DB-API's names

    # @return [Class] {Pgconn::Error}
    def Error = Pgconn::Error

    # @return [Class] {Pgconn::Warning}
    def Warning = Pgconn::Warning

    # @return [Class] {Pgconn::InterfaceError}
    def InterfaceError = Pgconn::InterfaceError

    # @return [Class] {Pgconn::DatabaseError}
    def DatabaseError = Pgconn::DatabaseError

    # @return [Class] {Pgconn::DataError}
    def DataError = Pgconn::DataError

    # @return [Class] {Pgconn::OperationalError}
    def OperationalError = Pgconn::OperationalError

    # @return [Class] {Pgconn::QueryCanceledError}
    def QueryCanceledError = Pgconn::QueryCanceledError

    # @return [Class] {Pgconn::TransactionRollbackError}
    def TransactionRollbackError = Pgconn::TransactionRollbackError

    # @return [Class] {Pgconn::ConnectionLost}
    def ConnectionLost = Pgconn::ConnectionLost

    # @return [Class] {Pgconn::PipelineAborted}
    def PipelineAborted = Pgconn::PipelineAborted

    # @return [Class] {Pgconn::IntegrityError}
    def IntegrityError = Pgconn::IntegrityError

    # @return [Class] {Pgconn::InternalError}
    def InternalError = Pgconn::InternalError

    # @return [Class] {Pgconn::ProgrammingError}
    def ProgrammingError = Pgconn::ProgrammingError

    # @return [Class] {Pgconn::NotSupportedError}
    def NotSupportedError = Pgconn::NotSupportedError

    # rubocop:enable Naming/MethodName
  end
end
