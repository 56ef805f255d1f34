# frozen_string_literal: true

require_relative "time_zone_tables"

# Reads the compiled files of the time zone database, which say when the clocks of a zone were changed, and
# will be. (See RFC 8536. All is there twice: first with times of 32 bits, then with times of 64 bits.)
module TimeZoneFiles
  HEADER_SIZE = 44

  # Some files begin with the Big Bang.
  CLOCKS = (Time.utc(1700)..Time.utc(2100))

  module_function

  # An Array for each change: the zone, when, and from then on the seconds ahead of UTC, whether it is summer
  # time, and its abbreviation.
  def changes(zone)
    times, types, names = read(File.binread(File.join(TimeZoneTables::DIRECTORY, zone)))
    times.zip(types).filter_map do |time, (ahead, summer, name)|
      time = Time.at(time).utc
      [zone, time, ahead, summer == 1, names[name..][/\A[^\0]*/]] if CLOCKS.cover?(time)
    end
  end

  # The times, the type of each, and the names that types point to.
  def read(data)
    start = HEADER_SIZE + size_of_data(counts(data, 0), 4)
    *, time_count, type_count, name_size = counts(data, start)
    format = "q>#{time_count}C#{time_count}#{"l>CC" * type_count}a#{name_size}"
    values = data.unpack("@#{start + HEADER_SIZE}#{format}")
    times = values.shift(time_count)
    kinds = values.shift(time_count)
    names = values.pop
    [times, values.each_slice(3).to_a.values_at(*kinds), names]
  end

  # Of universal and standard indicators, leap seconds, times, types, bytes of names.
  def counts(data, header)
    data.unpack("@#{header + 20}N6")
  end

  def size_of_data((universal, standard, leaps, times, types, names), time_size)
    universal + standard + (leaps * (time_size + 4)) + (times * (time_size + 1)) + (types * 6) + names
  end
end
