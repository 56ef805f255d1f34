# frozen_string_literal: true

# PGCONN_GC makes the garbage collector hunt for objects that nobody holds on to:
#
# stress::  GC.stress within each example tagged :gc_stress; only those are run. One that is tagged
#           gc_stress: :in_part has it where it calls GCMode.stressed: RSpec's own work would take minutes.
# compact:: objects move: automatic compaction, and one more after each example.
module GCMode
  class << self
    def install(config, mode)
      case mode
      when nil, "" then nil
      when "stress" then stress(config)
      when "compact" then compact(config)
      else raise ArgumentError, "PGCONN_GC is stress or compact, not #{mode.inspect}"
      end
    end

    # Runs the block under GC.stress, if that is the mode.
    def stressed
      GC.stress = stress?
      yield
    ensure
      GC.stress = false
    end

    def stress? = ENV["PGCONN_GC"] == "stress"

    private

    def stress(config)
      config.filter_run_including :gc_stress
      config.around(:each, :gc_stress) do |example|
        SharedServers.main # starting it under stress would take minutes and prove nothing
        example.metadata[:gc_stress] == :in_part ? example.run : GCMode.stressed { example.run }
      end
    end

    def compact(config)
      GC.auto_compact = true
      config.after { GC.compact }
    end
  end
end
