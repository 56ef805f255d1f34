# frozen_string_literal: true

require "spec_helper"

RSpec.describe "docs/psycopg2.md" do
  # What the classes of psycopg2 2.9.5 have.
  connection_names = %w[
    DataError DatabaseError Error IntegrityError InterfaceError InternalError NotSupportedError
    OperationalError ProgrammingError Warning async async_ autocommit binary_types cancel close closed
    commit cursor cursor_factory deferrable dsn encoding fileno get_backend_pid get_dsn_parameters
    get_native_connection get_parameter_status get_transaction_status info isexecuting isolation_level
    lobject notices notifies pgconn_ptr poll protocol_version readonly reset rollback server_version
    set_client_encoding set_isolation_level set_session status string_types tpc_begin tpc_commit
    tpc_prepare tpc_recover tpc_rollback xid
  ]
  cursor_names = %w[
    arraysize binary_types callproc cast close closed connection copy_expert copy_from copy_to
    description execute executemany fetchall fetchmany fetchone itersize lastrowid mogrify name nextset
    pgresult_ptr query row_factory rowcount rownumber scroll scrollable setinputsizes setoutputsize
    statusmessage string_types typecaster tzinfo_factory withhold
  ]

  sections = ConformanceList.sections
  rows = sections.values.flatten

  # The names here in rows of that state for which the block is true.
  def self.ours(rows, state, &block)
    rows.select { |row| row.state == state }.flat_map(&:ours).select(&block)
  end

  it "says of every row whether it is there, will be or won't" do
    expect(rows.size).to be > 50
    expect(rows.reject { |row| ["yes", "not yet", "no"].include?(row.state) }).to eq([])
  end

  it "names everything that psycopg2's connection has" do
    expect(connection_names - sections.fetch("Connection").flat_map(&:theirs)).to eq([])
  end

  it "names everything that psycopg2's cursor has" do
    expect(cursor_names - sections.fetch("Cursor").flat_map(&:theirs)).to eq([])
  end

  it "says yes only of what is public here" do
    missing = self.class.ours(rows, "yes") { |name| !ConformanceList.there?(name) }
    expect(missing).to eq([])
  end

  it "says not yet only of what isn't here" do
    there = self.class.ours(rows, "not yet") { |name| ConformanceList.there?(name) }
    expect(there).to eq([])
  end
end
