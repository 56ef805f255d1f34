# frozen_string_literal: true

require "spec_helper"

# Settings that change how the server writes values, set by anyone in mid-session. A value is the same
# then, or there is a DataError that says why, but it never is another one.
RSpec.describe "Values after SET" do
  let(:connection) { connect(autocommit: true) }

  # Each type's samples as the columns of one row. A "char" is a byte of no encoding.
  def statements
    samples = SampleValues.new(observer)
    Pgconn::Codec.types.keys.map { |oid| samples.expressions(oid) }.reject(&:empty?)
                 .map { |expressions| "SELECT #{expressions.join(", ")}" }.grep_v(/"char"/)
  end

  # As a text, in which NaN is itself and the encoding of Strings doesn't count.
  def text(value)
    case value
    when Array then "[#{value.map { |part| text(part) }.join(", ")}]"
    when String then value.encoding == Encoding::BINARY ? value.inspect : value.encode("UTF-8").inspect
    else value.inspect
    end
  end

  def read(sql)
    text(connection.execute(sql).fetch.to_a)
  rescue Pgconn::DataError => e
    e
  end

  # @yield [Pgconn::DataError] tells whether it is one that has to be
  # @return [Array] what is neither the same after SET nor such an error
  def changes(setting, value)
    before = statements.to_h { |sql| [sql, Array.new(3) { read(sql) }.last] }
    connection.execute("SET #{setting} TO #{value}")
    before.filter_map do |sql, expected|
      given = Array.new(2) { read(sql) }
      wrong = given.reject { |result| result == expected || (result.is_a?(Pgconn::DataError) && yield(result)) }
      [sql[0, 200], expected, *wrong] if wrong.any?
    end
  end

  {
    "DateStyle" => ["SQL, DMY", "SQL, MDY", "German", "Postgres, DMY", "ISO, DMY"],
    "IntervalStyle" => %w[sql_standard postgres_verbose iso_8601],
    "TimeZone" => ["'America/St_Johns'", "'Asia/Kathmandu'", "'Africa/Monrovia'"],
    "bytea_output" => %w[escape hex],
    "extra_float_digits" => %w[2 3]
  }.each do |setting, values|
    values.each do |value|
      it "are the same, or can't be read for a reason that is told: #{setting} #{value}" do
        expect(changes(setting, value) { |error| error.message.include?(setting) }).to eq([])
      end
    end
  end

  %w[LATIN1 EUC_JP SJIS WIN1252].each do |encoding|
    it "are the same, or have characters that the encoding lacks: client_encoding #{encoding}" do
      expect(changes("client_encoding", encoding) { |error| error.message.match?(/SQL can't be sent as|has no equivalent/) }).to eq([])
    end
  end
end
