# frozen_string_literal: true

# Examples tagged :no_leaks must leave no descriptor open that wasn't open before them, once their
# connections are closed.
module OpenDescriptors
  FOLDER = "/proc/self/fd"

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

    # Whatever Ruby, libpq and OpenSSL open once and keep is opened before anything is counted.
    def warm_up
      Pgconn.connect(SharedServers.main.conninfo) { |connection| connection.execute("SELECT 1") }
      Thread.new { sleep 0 }.join
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

    def surplus(before)
      counts = before.tally
      targets.reject { |target| (counts[target] = counts.fetch(target, 0) - 1) >= 0 }
    end
  end
end
