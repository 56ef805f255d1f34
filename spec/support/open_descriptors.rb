# frozen_string_literal: true

# Examples tagged :no_leaks must leave no descriptor open that wasn't open before them, once their
# connections are closed.
module OpenDescriptors
  FOLDER = "/proc/self/fd"

  # More threads than wait at the same time in any example that is checked.
  WAITING = 16

  class << self
    def install(config)
      config.around(:each, :no_leaks) do |example|
        raise "the check for leaks needs #{FOLDER}" unless File.directory?(FOLDER)

        OpenDescriptors.warm_up
        before = OpenDescriptors.targets
        example.run
        OpenDescriptors.verify(before) unless example.exception
      end
    end

    # Whatever is opened once and kept is opened before anything is counted: by Ruby, libpq and
    # OpenSSL for the process, by pgconn for each of the threads that ever waited at the same time.
    def warm_up
      @warm_up ||= Pgconn.connect(SharedServers.main.conninfo, autocommit: true) do |holder|
        holder.execute("SELECT pg_advisory_lock(99)")
        threads = Array.new(WAITING) { Thread.new { wait_for_lock } }
        sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        Thread.pass until holder.execute(sql).fetch_value == WAITING
        holder.close
        threads.each(&:join)
      end
    end

    # @return [Array<String>] what each open descriptor stands for
    def targets
      Dir.children(FOLDER).filter_map do |descriptor|
        File.readlink(File.join(FOLDER, descriptor))
      rescue Errno::ENOENT
        nil # the descriptor of the folder itself
      end
    end

    # A cancel request may still be on its way in a thread of its own, so a leak is what stays.
    def verify(before)
      deadline = Elapsed.now + 5
      loop do
        extra = surplus(before)
        return if extra.empty?
        raise "left open by the example: #{extra.join(", ")}" if Elapsed.now > deadline

        sleep 0.01 # nobody tells when a native thread has ended
      end
    end

    private

    def wait_for_lock
      Pgconn.connect(SharedServers.main.conninfo, autocommit: true) do |connection|
        connection.execute("SELECT pg_advisory_xact_lock(99)")
      end
    end

    def surplus(before)
      counts = before.tally
      targets.reject { |target| (counts[target] = counts.fetch(target, 0) - 1) >= 0 }
    end
  end
end
