# frozen_string_literal: true

# For examples on two-phase transactions: the table that they write to, and the end of what they leave
# prepared, which would outlive its session.
module TwoPhaseHelpers
  def self.included(group)
    group.let(:connection) { connect }
    group.let(:xid) { connection.xid(1, "global", "branch") }
    group.before do
      observer.execute("CREATE TABLE two_phase (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
    end
    group.after do
      close_connections
      prepared.each { |gid| observer.execute("ROLLBACK PREPARED '#{gid.gsub("'", "''")}'") }
      observer.execute("DROP TABLE two_phase")
    end
  end

  # What the server has prepared, by its identifiers.
  def prepared
    observer.execute("SELECT gid FROM pg_prepared_xacts ORDER BY gid").column(0)
  end

  def insert(id, on: connection)
    on.execute("INSERT INTO two_phase VALUES ($1)", [id])
  end

  def committed
    observer.execute("SELECT id FROM two_phase ORDER BY id").column(0)
  end

  # A transaction that is prepared, and has inserted 1.
  def prepare(on: connection, as: xid)
    on.tpc_begin(as)
    insert(1, on: on)
    on.tpc_prepare
  end

  def fail_transaction
    expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero)
  end

  def ready = eq(Pgconn::STATUS_READY)
  def begun = eq(Pgconn::STATUS_BEGIN)
end
