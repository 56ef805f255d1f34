# frozen_string_literal: true

module Pgconn
  # The next page is requested while this one is read.
  module NamedCursor
    private

    # Who has asked for a page twice in a row will do so again. One row at a time is left alone, for
    # `WHERE CURRENT OF` means it, and so is what is more than a page.
    def request_ahead(count)
      follows = @reads_on
      @reads_on = !count.nil? && count.between?(2, itersize)
      return unless follows && @reads_on && !portal_at_end?

      @ahead = count if fetch_ahead(fetch_forward(count))
    end

    # Waits for the page that was requested, if there is one: what comes then finds the portal behind all
    # rows that there are.
    def take_ahead
      count = @ahead
      @ahead = nil
      fetch_rows(count) if count
    end

    def fetch_rows(count)
      on_portal { fetch_page(fetch_forward(count), count) }
    end

    def fetch_forward(count) = "FETCH FORWARD #{count || "ALL"} FROM #{@quoted}"
  end
end
