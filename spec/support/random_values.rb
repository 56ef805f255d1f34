# frozen_string_literal: true

require "bigdecimal"
require "date"
require "ipaddr"

# Values of PostgreSQL's types at random, as Ruby has them: those that a server gives back unchanged.
# With the same seed they are the same.
class RandomValues
  # For each type a method of the same name, but for those that are made of others.
  SCALARS = %i[bool int2 int4 int8 oid float4 float8 numeric text varchar bpchar name bytea date timestamp
               timestamptz time timetz interval uuid inet cidr macaddr macaddr8 json jsonb].freeze

  # A range's type and its bounds' type, with the type of multiranges of them.
  RANGES = { int4range: :int4, int8range: :int8, numrange: :numeric, daterange: :date, tsrange: :timestamp,
             tstzrange: :timestamptz }.freeze
  MULTIRANGES = { int4multirange: :int4, int8multirange: :int8, nummultirange: :numeric,
                  datemultirange: :date, tsmultirange: :timestamp, tstzmultirange: :timestamptz }.freeze

  # Those whose ranges the server turns into the form with [ and ).
  DISCRETE = %i[int4 int8 date].freeze

  # Those whose values may be Arrays themselves, so that only one dimension can be told from them.
  ARRAYS = [:json, :jsonb, *MULTIRANGES.keys].freeze

  TYPES = [*SCALARS, *RANGES.keys, *MULTIRANGES.keys].freeze

  private_constant :SCALARS, :RANGES, :MULTIRANGES, :DISCRETE, :ARRAYS

  def initialize(random)
    @random = random
  end

  # @param type [Symbol] one of {TYPES}
  def of(type)
    if RANGES.key?(type) then range(RANGES[type])
    elsif MULTIRANGES.key?(type) then multirange(MULTIRANGES[type])
    else __send__(type)
    end
  end

  # An Array that the server has as an array: of one size in each dimension, some elements NULL.
  def array_of(type)
    dimensions = ARRAYS.include?(type) ? 1 : rand(1..3)
    dimension(type, Array.new(dimensions) { rand(1..3) })
  end

  private

  def rand(range) = @random.rand(range)
  def one_of(values) = values.sample(random: @random)

  def dimension(type, sizes)
    first, *rest = sizes
    Array.new(first) { rest.any? ? dimension(type, rest) : one_of([nil, of(type), of(type), of(type)]) }
  end

  # Of any size up to that many bits, small ones as often as large ones.
  def integer(bits) = rand(-2**(bits - 1)..(2**(bits - 1) - 1)) >> rand(0...bits)

  def bool = one_of([true, false])
  def int2 = integer(16)
  def int4 = integer(32)
  def int8 = integer(64)
  def oid = rand(0..(2**32 - 1))

  # Six digits are as many as every float4 can tell apart; with these exponents none lies half way
  # between two of them.
  def float4
    exponent = one_of([rand(-30..0), rand(12..30)])
    one_of([0.0, -0.0, Float::NAN, Float::INFINITY, *["#{rand(-999_999..999_999)}e#{exponent}".to_f] * 8])
  end

  def float8 = @random.bytes(8).unpack1("G").then { |number| number.nan? ? Float::NAN : number }

  def numeric
    digits = "#{rand(1..9)}#{Array.new(rand(0..60)) { rand(0..9) }.join}"
    one_of([BigDecimal(integer(32)), BigDecimal("#{one_of(["", "-"])}#{digits}e#{rand(-80..80)}")])
  end

  def text
    Array.new(rand(0..12)) { one_of([rand(1..127), rand(128..0xD7FF), rand(0xE000..0x10FFFF)]) }.pack("U*")
  end
  alias varchar text
  alias bpchar text

  def name = Array.new(rand(1..20)) { one_of([*"a".."z", "ü", " ", '"', "\\", "{", ","]) }.join
  def bytea = @random.bytes(rand(0..40))

  def date = one_of([Float::INFINITY, *Array.new(9) { Date.jd(day, Date::GREGORIAN) }])
  def day = one_of([rand(0..2_147_483_493), rand(2_400_000..2_500_000)])

  def timestamp = one_of([-Float::INFINITY, *Array.new(9) { moment }])
  alias timestamptz timestamp

  def moment
    seconds = one_of([rand(-210_866_803_200...9_224_318_016_000), rand(-5_000_000_000..5_000_000_000)])
    Time.at(seconds, rand(0..999_999).floor(-rand(0..6)), :usec).utc
  end

  def time(offset: nil)
    Pgconn::TimeOfDay.new(rand(0..23), rand(0..59), Rational(rand(0..59_999_999).floor(-rand(0..6)), 10**6),
                          offset: offset)
  end

  def timetz = time(offset: one_of([rand(-57_599..57_599), 3600 * rand(-12..12)]))

  def interval = Pgconn::Interval.new(months: integer(32), days: integer(32), microseconds: integer(62))

  def uuid = @random.bytes(16).unpack("H8H4H4H4H12").join("-").encode("UTF-8")

  def inet = Pgconn::Inet.new(*address)

  def address
    family, bits = one_of([[Socket::AF_INET, 32], [Socket::AF_INET6, 128]])
    [IPAddr.new(rand(0..(2**bits - 1)), family).to_s, rand(0..bits)]
  end

  def cidr
    address, prefix = *self.address
    Pgconn::Inet.new(IPAddr.new("#{address}/#{prefix}").to_s, prefix)
  end

  def macaddr = @random.bytes(6).unpack("H2" * 6).join(":").encode("UTF-8")
  def macaddr8 = @random.bytes(8).unpack("H2" * 8).join(":").encode("UTF-8")

  # A Hash, for a String would be taken for JSON's text.
  def json
    Array.new(rand(0..3)) { [text, one_of([nil, true, int8, text, [int4, text], { "a" => int2 }])] }.to_h
  end
  alias jsonb json

  def range(type)
    lower, upper = *bounds(type, 2)
    one_of([Pgconn::Range.empty, Pgconn::Range.new(nil, nil), ranged(type, nil, upper),
            ranged(type, lower, nil), *[ranged(type, lower, upper)] * 4])
  end

  # In order and apart, as the server would put them.
  def multirange(type)
    bounds(type, 2 * rand(0..3)).each_slice(2).map { |lower, upper| ranged(type, lower, upper) }
  end

  def ranged(type, lower, upper)
    return Pgconn::Range.new(lower, upper) if DISCRETE.include?(type)

    Pgconn::Range.new(lower, upper, one_of(["[)", "[]", "()", "(]"]))
  end

  # Finite ones that differ, in order.
  def bounds(type, count)
    values = []
    values |= [of(type)].grep_v(Float) while values.size < count
    values.sort
  end
end
