# frozen_string_literal: true

# What callers have asked to have written, each under a name of its own, and what they know of it.
class Tally
  def initialize
    @fates = {}
    @lock = Thread::Mutex.new
  end

  # @param fate [:unknown, :done, :undone] :unknown until its caller knows better, which it may never do
  def note(name, fate)
    @lock.synchronize { @fates[name] = fate }
  end

  def count(fate) = @lock.synchronize { @fates.count { |_, other| other == fate } }

  # @param found [Array<String>] the names of what was found written
  # @return [Hash{Symbol => Array<String>}] what can't be: empty where all is right
  def contradictions(found)
    done, undone = %i[done undone].map { |fate| @fates.select { |_, other| other == fate }.keys }
    { missing: done - found, undone_and_there: undone & found, nobody_s: found - @fates.keys,
      twice: found.tally.select { |_, times| times > 1 }.keys }.reject { |_, names| names.empty? }
  end
end
