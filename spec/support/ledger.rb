# frozen_string_literal: true

# A table for specs of transactions, and what is seen of it from outside.
RSpec.shared_context "ledger" do
  before do
    observer.execute("CREATE TABLE ledger (id int PRIMARY KEY, parent int REFERENCES ledger " \
                     "DEFERRABLE INITIALLY DEFERRED)")
  end

  after do
    close_connections # their locks would make the DROP wait
    observer.execute("DROP TABLE ledger")
  end

  def insert(id, parent = nil)
    connection.execute("INSERT INTO ledger VALUES ($1, $2)", [id, parent])
  end

  def committed
    observer.execute("SELECT id FROM ledger ORDER BY id").column(0)
  end

  def status
    %i[idle active intrans inerror unknown].fetch(connection.transaction_status)
  end
end
