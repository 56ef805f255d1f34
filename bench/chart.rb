# frozen_string_literal: true

module Bench
  # The speeds as a picture: for each case the bars of its drivers, with pgconn's as the measure.
  class Chart
    COLORS = { "pgconn" => "#b3262e", "pgconn_thread" => "#d8898e", "pgconn_stream" => "#d8898e",
               "pgconn_fetch_all" => "#d8898e", "floor" => "#b8bec6", "pg" => "#3d6fa8",
               "pg_16" => "#2b4d75", "sequel_pg" => "#7fa7d1",
               "psycopg2" => "#c99a2e", "asyncpg" => "#5a9467", "asyncpg_uvloop" => "#93c29d" }.freeze
    LABELS = 195
    BARS = 400
    WIDTH = LABELS + BARS + 130
    BAR = 11
    GAP = 12
    TOP = 44

    def initialize(trials)
      @trials = trials.select { |trial| trial.measured?("pgconn") }
      @longest = @trials.flat_map { |trial| bars(trial).values }.max
    end

    def to_s
      y = TOP
      groups = @trials.map do |trial|
        group(trial, y).tap { y += (bars(trial).size * BAR) + GAP }
      end
      <<~SVG
        <svg xmlns="http://www.w3.org/2000/svg" width="#{WIDTH}" height="#{y}" viewBox="0 0 #{WIDTH} #{y}"
             font-family="Helvetica, Arial, sans-serif" font-size="9" fill="#24292f">
        <rect width="100%" height="100%" fill="#ffffff"/>
        <text x="12" y="22" font-size="14" font-weight="bold">Speed, pgconn = 1 (longer is faster)</text>
        #{measure(y)}
        #{groups.join("\n")}
        </svg>
      SVG
    end

    private

    # The speed of each driver, fastest first, as a share of pgconn's.
    def bars(trial)
      others = trial.case.drivers.select { |driver| trial.measured?(driver) }
      others.to_h { |driver| [driver, 1 / trial.ratio(driver)] }.sort_by { |_, speed| -speed }.to_h
    end

    def group(trial, top)
      middle = top + (bars(trial).size * BAR / 2) + 4
      title = %(<text x="12" y="#{middle}" font-size="11">#{trial.case.title}</text>)
      [title, *bars(trial).map.with_index { |bar, index| bar(*bar, top + (index * BAR)) }].join("\n")
    end

    def bar(driver, speed, top)
      length = width(speed)
      label = %(x="#{LABELS + length + 4}" y="#{top + 8}"#{' font-weight="bold"' if driver == "pgconn"})
      <<~SVG.chomp
        <rect x="#{LABELS}" y="#{top}" width="#{length}" height="#{BAR - 2}" fill="#{COLORS[driver]}"/>
        <text #{label}>#{driver} #{format("%.2f", speed)}</text>
      SVG
    end

    def measure(bottom)
      x = LABELS + width(1)
      %(<path d="M#{x} #{TOP - 6}V#{bottom - 6}" stroke="#d0a0a2" stroke-dasharray="2 3"/>)
    end

    def width(speed) = (speed / @longest * BARS).round(1)
  end
end
