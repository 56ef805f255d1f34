# frozen_string_literal: true

module Pgconn
  module NamedCursor
    # Goes to another row, which the next fetch gives. Where that isn't among those that were fetched already
    # it is the server's MOVE, so that what lies outside means before the first or behind the last row.
    # Backward that needs a cursor that is scrollable.
    #
    # @param rows [Integer] how many rows to go on, or back where it is negative; with `:absolute` the row's
    #   position, from 0
    # @param mode [Symbol, String] `:relative` or `:absolute`
    # @return [self]
    # @raise [ArgumentError] for another mode
    # @raise [Errors::ObjectNotInPrerequisiteState] for a cursor that only goes forward
    # @raise (see #fetch)
    # @see https://www.postgresql.org/docs/current/sql-move.html MOVE
    def scroll(rows, mode = :relative)
      raise TypeError, "rows must be an Integer, not #{rows.class}" unless rows.is_a?(Integer)

      absolute = absolute?(mode)
      take_ahead
      @reads_on = false
      if absolute && !portal_known?
        move_absolute([rows, 0].max)
      else
        scroll_to(absolute ? rows : (rownumber || 0) + rows)
      end
      self
    end

    private

    def scroll_to(target)
      target = [target, 0].max if portal_known?
      seek(target) || move(target - portal_position, portal_at_end? ? 1 : 0)
    end

    # behind_last: 1 where the portal stands there, which is one more step on the way back.
    def move(steps, behind_last)
      steps -= behind_last if steps.negative?
      count = steps.abs > COUNT_MAX ? "ALL" : steps.abs
      direction = steps.negative? ? "BACKWARD" : "FORWARD"
      on_portal { move_by("MOVE #{direction} #{count} FROM #{@quoted}", steps) }
    end

    def move_absolute(position)
      position = [position, COUNT_MAX].min
      on_portal { move_to("MOVE ABSOLUTE #{position} FROM #{@quoted}", position) }
    end

    def absolute?(mode)
      case mode.to_s
      when "absolute" then true
      when "relative" then false
      else raise ArgumentError, "mode must be :relative or :absolute, not #{mode.inspect}"
      end
    end
  end
end
