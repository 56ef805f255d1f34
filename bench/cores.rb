# frozen_string_literal: true

require "English"
require_relative "peers"

module Bench
  # The processor cores on which client and server run. For a short query that decides more than the
  # driver does: a core that sleeps takes longer to wake up than the query takes. So it is fixed where short
  # queries are timed:
  #
  # :one:: client and server share a core
  # :two:: each has its own
  # :any:: the kernel decides
  class Cores
    SIBLINGS = "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list"

    # @param default [Symbol] what :any stands for
    def initialize(default = :any)
      @default = default
      first, second = separate(allowed)
      @sets = { one: [first, first], two: [first, second], any: [allowed.join(",")] * 2 }
    end

    # @param client [Integer] the process id of the client
    # @param servers [Array<Integer>] those of its sessions
    def pin(client, servers, mode)
      @sets.fetch(mode == :any ? @default : mode).zip([[client], servers]) do |cores, pids|
        pids.each { |pid| taskset("--all-tasks", "--cpu-list", "--pid", cores, pid) }
      end
    end

    def to_s
      first, second = @sets[:two]
      rest = { any: "where the kernel put them", one: "on one core", two: "on two cores" }.fetch(@default)
      "One core: client and server on core #{first}. Two cores: the client on core #{first}, the server " \
        "on core #{second}. All other cases: #{rest}."
    end

    private

    def allowed
      @allowed ||= list(taskset("--cpu-list", "--pid", Process.pid)[/[\d,-]+$/])
    end

    # The first core, and one that is not the same core's other thread.
    def separate(cores)
      first = cores.first
      siblings = list(File.read(format(SIBLINGS, first)))
      second = (cores - siblings).first or raise Peers::Missing, "a second processor core, to measure on"
      [first, second]
    end

    # What the kernel writes as 0-2,8.
    def list(text)
      text.strip.split(",").flat_map { |range| Range.new(*range.split("-").map(&:to_i).minmax).to_a }
    end

    def taskset(*arguments)
      command = ["taskset", *arguments.map(&:to_s)]
      IO.popen(command, &:read).tap { raise "#{command.join(" ")} failed" unless $CHILD_STATUS.success? }
    end
  end
end
