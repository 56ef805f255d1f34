# frozen_string_literal: true

require "open3"
require "rbconfig"
require "timeout"
require_relative "load_path"

# A Ruby of its own with pgconn loaded: for what would end or count the spec's own process.
module RubyProcess
  FOLDERS = LoadPath::FOLDERS.flat_map { |folder| ["-I", folder] }.freeze
  COMMAND = [RbConfig.ruby, "-W", *FOLDERS, "-rpgconn", "-e"].freeze

  # What a child printed and how it ended.
  Ended = Struct.new(:output, :errors, :status, keyword_init: true)

  class << self
    # Runs the script to its end.
    # @param arguments the script's ARGV
    # @param prefix a command that runs the command, such as strace
    # @return [Ended]
    def run(script, *arguments, env: {}, prefix: [], seconds: 60)
      start(script, *arguments, env: env, prefix: prefix) do |child|
        child.wait(seconds)
      end
    end

    # @yield [Child] while the script runs; it is killed if it is still there afterwards
    def start(script, *arguments, env: {}, prefix: [])
      streams = Open3.popen3(env, *prefix, *COMMAND, script, *arguments.map(&:to_s))
      child = Child.new(*streams)
      yield child
    ensure
      child&.kill
      streams&.first(3)&.each(&:close)
    end
  end

  # A running script.
  class Child
    attr_reader :input

    def initialize(input, output, errors, thread)
      @input = input
      @output = output
      @thread = thread
      @errors = Thread.new { errors.read }
    end

    def pid
      @thread.pid
    end

    # @return [String] the next line that the child prints, without its end
    def line(seconds = 20)
      Timeout.timeout(seconds, nil, "the child printed nothing") { @output.gets }&.chomp ||
        raise("the child has ended: #{@errors.value}")
    end

    def signal(name)
      Process.kill(name, pid)
    end

    # @return [Ended] once the child has ended by itself
    def wait(seconds = 20)
      output = Timeout.timeout(seconds, nil, "the child did not end") { @output.read }
      raise "the child did not end" unless @thread.join(seconds)

      Ended.new(output: output, errors: @errors.value, status: @thread.value)
    end

    def kill
      signal(:KILL) if @thread.alive?
      @thread.join
      @errors.join
    rescue Errno::ESRCH
      nil
    end
  end
end
