# frozen_string_literal: true

require_relative "driver"

module Bench
  # A case put to its drivers: do their values agree, and how long do they take?
  class Trial
    # Seconds; also for what a driver does only in the first executions, and for the processor's clock.
    WARM_UP = 0.2

    # What one driver did in one run; cpu and objects are for each query or row.
    Sample = Struct.new(:rate, :cpu, :objects, :gc, :additions)

    attr_reader :case, :problem

    def initialize(kase, drivers, cores)
      @case = kase
      @drivers = drivers
      @cores = cores
      @samples = drivers.to_h { |driver| [driver.name, []] }
    end

    # The drivers take turns, so that what slows the machine down for a while meets all of them.
    def run(rounds, seconds)
      @drivers.each { |driver| prepare(driver) }
      compare_values
      @drivers.each { |driver| driver.run(WARM_UP) } unless @case.long?
      [rounds, @case.rounds].min.times { |round| take_turns(round, seconds * @case.turn) }
    rescue Driver::Error => e
      @problem = e.message
    end

    # @return [Array<String>] the names of those that it was put to
    def drivers = @samples.keys

    def measured?(*drivers) = problem.nil? && drivers.all? { |driver| @samples.key?(driver) }

    # @return [Float] queries or rows a second; beside a computing thread how many queries it would be if all
    #   took as long as that in the middle of them
    def rate(driver) = median(driver, :rate)

    # @return [Float] microseconds of the client's processor time for a query or row
    def cpu(driver) = median(driver, :cpu)

    # @return [Float, nil] objects made for a query or row; nil where nobody counts
    def objects(driver) = median(driver, :objects)

    # @return [Float, nil] the garbage collector's share of the time
    def gc(driver) = median(driver, :gc)

    # @return [Float, nil] what the computing thread got done in a second
    def additions(driver) = median(driver, :additions)

    # How many times as fast as the other pgconn is: the median of the rounds' ratios, for what slows down a
    # whole round slows down both.
    def ratio(other)
      middle(@samples["pgconn"].zip(@samples[other]).map { |own, others| own.rate / others.rate })
    end

    private

    def take_turns(round, seconds)
      @drivers.rotate(round).each { |driver| @samples[driver.name] << sample(driver.run(seconds)) }
    end

    def prepare(driver)
      driver.setup(@case)
      @cores.pin(driver.pid, driver.backends, @case.cores)
    end

    # Figures of a driver that reads something else are worth nothing. The floor has no values, but it counts.
    def compare_values
      answers = @drivers.map(&:check)
      counts = answers.map { |answer| answer.values_at("rows", "columns") }
      return if counts.uniq.one? && digests(answers).uniq.size <= 1

      lines = @drivers.zip(answers).map { |driver, answer| "  #{driver.name}: #{describe(answer)}" }
      raise Driver::Error, ["the drivers' values differ", *lines].join("\n")
    end

    def digests(answers)
      @case.comparable? ? answers.filter_map { |answer| answer["digest"] } : []
    end

    def describe(answer)
      digest, first = answer.values_at("digest", "first")
      "#{answer["rows"]} x #{answer["columns"]} #{digest&.slice(0, 8)} #{first&.slice(0, 80)}"
    end

    def sample(answer)
      count = answer[@case.counted].to_f
      rate = @case.beside_computing? ? 1 / answer["median"] : count / answer["seconds"]
      Sample.new(rate, answer["cpu"] * 1e6 / count, answer["objects"]&.fdiv(count),
                 answer["gc"]&.fdiv(answer["seconds"]), answer["additions"])
    end

    def median(driver, field)
      values = @samples[driver].map(&field)
      middle(values) if values.all?
    end

    def middle(values)
      sorted = values.sort
      (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
    end
  end
end
