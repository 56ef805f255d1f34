# frozen_string_literal: true

require_relative "demo_output"

# The part of the demonstration with two sessions: what they see of each other, and what they tell.
class DemoSessions
  include DemoOutput

  ZONE = "Europe/Vienna"

  # @param conn [Pgconn::Connection] whose search_path has the tables
  # @param other [Pgconn::Connection] in autocommit, with the same search_path
  def initialize(conn, other)
    @conn = conn
    @other = other
  end

  def run
    isolation
    retried
    notice
    notification
  end

  private

  def isolation
    title "Isolation: what a REPEATABLE READ transaction sees of another session's commit"
    @conn.transaction(isolation: :repeatable_read, read_only: true) do
      cells [40, 20], "at its beginning", comments
      @other.execute("UPDATE zones SET comments = 'changed meanwhile' WHERE name = $1", [ZONE])
      cells [40, 20], "after the other session's commit", comments
    end
    cells [40, 20], "in a transaction after it", comments
    @conn.commit
  end

  def comments
    @conn.execute("SELECT comments FROM zones WHERE name = $1", [ZONE]).fetch_value.inspect
  end

  # The other session commits in the middle of the first run, but not in that of the second.
  def retried
    title "A serialization failure that is retried: transaction(isolation: :serializable, retries: 3)"
    runs = 0
    @conn.transaction(isolation: :serializable, retries: 3) do
      runs += 1
      before = comments
      @other.execute("UPDATE zones SET comments = 'changed again' WHERE name = $1", [ZONE]) if runs == 1
      add_to_comments(runs, before)
    end
    cells [8, 20], "result", comments
    @conn.commit
  end

  def add_to_comments(run, before)
    @conn.execute("UPDATE zones SET comments = comments || ', and here' WHERE name = $1", [ZONE])
    cells [8, 20], "run #{run}", "read #{before}, updated it"
  rescue Pgconn::TransactionRollbackError => e
    cells [8, 20], "run #{run}", "read #{before}: #{e.sqlstate}, #{e.diag.message}"
    raise
  end

  def notice
    title "A notice: CREATE TABLE IF NOT EXISTS zones ()"
    handler = @conn.on_notice { |notice| line "#{notice.severity} #{notice.sqlstate}: #{notice.message}" }
    @conn.transaction { @conn.execute("CREATE TABLE IF NOT EXISTS zones ()") }
  ensure
    handler&.remove
  end

  # It is delivered when the transaction that sends it commits.
  def notification
    title "A notification: NOTIFY in a transaction, while another session waits"
    @other.listen("zones")
    waiting = Thread.new { @other.wait_for_notify(timeout: 10) }
    @conn.transaction do
      @conn.execute("DELETE FROM zone_countries WHERE zone = $1", [ZONE])
      @conn.notify("zones", ZONE)
    end
    notify = waiting.value or abort "The notification didn't come."
    line "From backend #{notify.pid} on channel #{notify.channel}: #{notify.payload}"
  end
end
