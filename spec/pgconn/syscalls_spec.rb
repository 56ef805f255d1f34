# frozen_string_literal: true

require "spec_helper"

# A sanitizer asks for memory in its own way.
RSpec.describe "System calls", unless: LoadPath::EXTENSION do
  selects = 10_000

  # @return [Hash{String => Integer}] how often a Ruby that executes so many selects called what
  def system_calls(selects)
    Dir.mktmpdir do |directory|
      table = File.join(directory, "strace")
      script = <<~RUBY
        connection = Pgconn.connect(ARGV[0], autocommit: true, busy_poll: false)
        Integer(ARGV[1]).times { connection.execute("SELECT 1").fetch_value == 1 or abort "wrong answer" }
        connection.close
      RUBY
      ended = RubyProcess.run(script, server.conninfo, selects, prefix: ["strace", "-f", "-c", "-o", table])
      raise ended.errors unless ended.status.success?

      counts(File.read(table))
    end
  end

  # The lines of strace -c: % time, seconds, usecs/call, calls, [errors,] syscall.
  def counts(table)
    table.scan(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_]\w*)$/)
         .to_h { |calls, name| [name, Integer(calls)] }
         .tap { |found| found.delete("total") }
  end

  it "are at most one send, one poll and one receive for each simple select" do
    start = system_calls(0)
    work = system_calls(selects)
    added = work.to_h { |name, calls| [name, calls - start.fetch(name, 0)] }

    slack = selects / 100
    sends = added.values_at("sendto", "sendmsg", "write").compact.sum
    waits = added.values_at("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait").compact.sum
    receives = added.values_at("recvfrom", "recvmsg", "read").compact.sum
    expect(sends).to be_between(selects - slack, selects + slack), added.inspect
    expect(waits).to be <= selects + slack, added.inspect
    expect(receives).to be_between(selects - slack, selects + slack), added.inspect
    # Nor is anything else called for each: no futex, no fcntl, no timer.
    expect(added.values.sum).to be <= 3 * selects + 5 * slack, added.inspect
  end
end
