# frozen_string_literal: true

require "io/wait"
require "json"
require_relative "case"
require_relative "peers"

module Bench
  # A driver at work in a process of its own. workers/worker.rb tells what is said to it and what it answers.
  class Driver
    # What a worker could not do, or that it has ended.
    class Error < StandardError; end

    # Seconds after which a worker that doesn't answer is given up; nothing it is told takes a third of that.
    PATIENCE = 60

    attr_reader :name, :about

    # @param environment [Hash] the PG* variables by which it connects
    def initialize(name, environment)
      @name = name
      @io = IO.popen([Peers.environment.merge(environment), *Peers.command(name)], "r+")
      @about = answer
    end

    def setup(kase)
      ask("setup", kase.name, kase.action, kase.shape, kase.call, kase.batch, kase.callers, kase.beside,
          kase.checked, kase.source, kase.written, kase.reset, kase.sql, JSON.generate(kase.parameters))
    end

    def check = ask("check")

    def run(seconds) = ask("run", seconds)

    def pid = @io.pid

    # @return [Array<Integer>] the server's processes for its connections
    def backends = about["backends"]

    # The worker ends at the end of its input.
    def close = @io.close

    private

    def ask(*fields)
      @io.puts(fields.join("\t"))
      answer
    rescue Errno::EPIPE
      raise Error, "#{name} has ended"
    end

    def answer
      give_up unless @io.wait_readable(PATIENCE)
      line = @io.gets or raise Error, "#{name} has ended"
      JSON.parse(line).tap { |fields| raise Error, "#{name}: #{fields["error"]}" if fields.key?("error") }
    end

    def give_up
      Process.kill(:KILL, pid)
      raise Error, "#{name} has not answered for #{PATIENCE} s"
    end
  end
end
