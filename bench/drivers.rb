# frozen_string_literal: true

require_relative "delayed_link"
require_relative "driver"

module Bench
  # All drivers at work: for each delay of the link to the server those that its cases ask for.
  class Drivers
    # @yieldparam drivers [Drivers] which have ended after the block
    def self.open(names, cases, database)
      drivers = new(names, database)
      cases.group_by(&:delay).each { |delay, those| drivers.start(delay, those.flat_map(&:drivers)) }
      yield drivers
    ensure
      drivers&.close
    end

    # @return [Hash{Numeric => DelayedLink}] by their delays
    attr_reader :links

    def initialize(names, database)
      @names = names
      @database = database
      @links = {}
      @drivers = {}
    end

    def start(delay, wanted)
      environment = delay.zero? ? @database.environment : link(delay).environment
      @drivers[delay] = []
      (@names & wanted).each { |name| @drivers[delay] << Driver.new(name, environment) }
    end

    def for(kase) = @drivers[kase.delay].select { |driver| kase.drivers.include?(driver.name) }

    # @return [Array<Driver>] of each name one
    def samples = @names.filter_map { |name| @drivers.values.flatten.find { |driver| driver.name == name } }

    def close
      @drivers.values.flatten.each(&:close)
      @links.each_value(&:close)
    end

    private

    def link(delay) = @links[delay] = DelayedLink.new(@database, delay)
  end
end
