# frozen_string_literal: true

# For specs of the statement cache: what the server says of the names in a session.
module PreparedStatements
  # The texts of the statements that have a name, but for those that ask here.
  def prepared(connection)
    connection.execute(<<~SQL).column(0)
      SELECT statement FROM pg_prepared_statements WHERE strpos(statement, 'pg_prepared' || '_statements') = 0
    SQL
  end

  # How many there are in all.
  def name_count(connection)
    connection.execute("SELECT count(*) FROM pg_prepared_statements").fetch_value
  end

  # When the statement got its name; nil where it has none.
  def named_since(connection, sql)
    connection.execute(<<~SQL, [sql]).fetch_value
      SELECT prepare_time FROM pg_prepared_statements WHERE statement = $1::text
    SQL
  end

  # Takes all names away without a command tag that would tell of it.
  def deallocate_all_unseen(connection)
    connection.execute("DO $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$")
  end
end
