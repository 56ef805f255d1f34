# frozen_string_literal: true

require "spec_helper"

# Values are read as text of DateStyle ISO and IntervalStyle postgres.
RSpec.describe "DateStyle and IntervalStyle" do
  let(:unusual) { { options: "-c datestyle=German -c intervalstyle=sql_standard" } }

  # All statements that the block has the server log.
  def logged
    before = server.log.size
    yield
    server.log[before..].scan(/LOG:  (?:statement|execute <unnamed>): (.*)/).flatten
  end

  def styles(connection)
    %w[DateStyle IntervalStyle].map { |name| connection.parameter_status(name) }
  end

  it "are set right before the first statement, and never where they are right" do
    connection = connect(**unusual)
    expect(styles(connection)).to eq(["German, DMY", "sql_standard"])
    connection.execute("SELECT 1")
    expect(styles(connection)).to match([/\AISO/, "postgres"])
    usual = connect(options: "-c log_statement=all")
    expect(logged { usual.execute("SELECT 1") }.grep(/style/i)).to eq([])
  end

  ["RESET ALL", "RESET DateStyle", "DISCARD ALL", "RESET ALL; SELECT 1"].each do |sql|
    it "are set again after #{sql}" do
      connection = connect(autocommit: true, **unusual)
      2.times do
        expect(connection.execute("SELECT '2024-02-03'::date").fetch_value).to eq(Date.new(2024, 2, 3))
        connection.execute(sql)
      end
      expect(connection.execute("SELECT '1 day 2:00'::interval").fetch_value).to eq(Pgconn::Interval.new(days: 1, microseconds: 7_200_000_000))
    end
  end

  it "are set before BEGIN, so that no rollback undoes it" do
    connection = connect(options: "#{unusual[:options]} -c log_statement=all")
    expect(logged { connection.execute("SELECT 1") }.map { |sql| sql[/\w+/] }.uniq).to eq(%w[SET BEGIN SELECT])
    connection.rollback
    expect(styles(connection)).to match([/\AISO/, "postgres"])
    expect(connection.execute("SELECT '2024-02-03'::date").fetch_value).to eq(Date.new(2024, 2, 3))
  end
end
