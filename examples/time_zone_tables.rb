# frozen_string_literal: true

require "bigdecimal"

# Reads the tables of the time zone database.
module TimeZoneTables
  DIRECTORY = "/usr/share/zoneinfo"

  # ISO 6709: degrees and minutes, perhaps seconds, north and east.
  COORDINATES = /\A([+-])(\d\d)(\d\d)(\d\d)?([+-])(\d{3})(\d\d)(\d\d)?\z/

  module_function

  # Each country's code and name.
  def countries
    lines("iso3166.tab")
  end

  # Each zone as a Hash; the first of its countries is the one it is named for.
  def zones
    lines("zone1970.tab").map do |codes, coordinates, name, comments|
      north, east = COORDINATES.match(coordinates).captures.each_slice(4).map { |parts| degrees(*parts) }
      { name: name, latitude: north, longitude: east, sun: (BigDecimal(east.to_s) / 15).round(2),
        comments: comments, countries: codes.split(",") }
    end
  end

  def lines(file)
    File.readlines(File.join(DIRECTORY, file), chomp: true, encoding: "UTF-8")
        .grep_v(/\A#/).map { |line| line.split("\t") }
  end

  def degrees(sign, degrees, minutes, seconds)
    (degrees.to_i + (minutes.to_i / 60.0) + (seconds.to_i / 3600.0)) * (sign == "-" ? -1 : 1)
  end
end
