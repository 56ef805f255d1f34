# frozen_string_literal: true

# A transaction whose COMMIT takes a minute: a trigger that is due then sleeps.
module SlowCommit
  # Its only row is in the temporary table kept, if it is ever committed.
  def self.begin(connection)
    connection.execute(<<~SQL)
      CREATE TEMP TABLE kept (id int);
      CREATE FUNCTION pg_temp.sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON kept DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION pg_temp.sleep();
      COMMIT;
      BEGIN;
      INSERT INTO kept VALUES (1)
    SQL
  end
end
