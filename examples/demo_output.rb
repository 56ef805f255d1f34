# frozen_string_literal: true

# How the parts of the demonstration print: a numbered title, and lines and columns below.
module DemoOutput
  @titles = 0

  def self.next_number
    @titles += 1
  end

  private

  def title(text)
    puts "", "#{DemoOutput.next_number}. #{text}"
  end

  def line(text)
    puts "   #{text}"
  end

  # A line of columns with these widths; the last needs none.
  def cells(widths, *values)
    line values.zip(widths).map { |value, width| value.to_s.ljust(width.to_i) }.join("  ").rstrip
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def seconds(duration)
    format("%.2f s", duration)
  end
end
